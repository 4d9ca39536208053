"""The file of a backup: what was written is read, in pieces, and whatever was harmed is refused by name."""

import contextlib
import hashlib
import io
import tarfile
from pathlib import Path

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backup import files
from deploy.backup.archive import ArchiveReader, ArchiveWriter, split
from deploy.backup.errors import BackupRefused, Damaged

PEOPLE = b"".join(bson.encode({"_id": f"person-{number}", "name": "Erika Muster"}) for number in range(40))
SLOTS = b"".join(bson.encode({"_id": f"slot-{number}", "places": 30}) for number in range(25))


def written() -> bytes:
    stream = io.BytesIO()
    archive = ArchiveWriter(stream, {"id": "backup-1", "taken_at": "2026-12-01T08:00:00+00:00"})
    archive.add("outreach", "people", PEOPLE)
    archive.add("outreach", "feedback", b"")
    archive.add("events", "slots", SLOTS)
    archive.add("events", "slots", SLOTS)
    archive.close()
    return stream.getvalue()


WHOLE = written()


def read(content: bytes) -> tuple[dict, bytes]:
    reader = ArchiveReader(io.BytesIO(content))
    return reader.header, b"".join(document for part in reader.parts() for document in part.documents)


def test_what_was_written_is_read_again_and_counted() -> None:
    reader = ArchiveReader(io.BytesIO(WHOLE))
    parts = [(part.service, part.collection, len(part.documents)) for part in reader.parts()]
    assert parts == [("outreach", "people", 40), ("events", "slots", 25), ("events", "slots", 25)]
    assert reader.counts.documents == {"outreach": {"people": 40, "feedback": 0}, "events": {"slots": 50}}
    assert reader.header["id"] == "backup-1" and read(WHOLE)[1] == PEOPLE + SLOTS + SLOTS


@given(at=st.integers(0, len(WHOLE) - 1), by=st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_changes_nothing_that_is_read(at: int, by: int) -> None:
    """Between the parts a tar has bytes that nobody reads."""
    harmed = bytearray(WHOLE)
    harmed[at] ^= by
    with contextlib.suppress(Damaged):
        assert read(bytes(harmed)) == read(WHOLE)


@given(length=st.integers(0, len(WHOLE) - 1))
def test_a_backup_that_was_cut_off_is_refused(length: int) -> None:
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as tar:
        end = next(member for member in tar if member.name == "SHA256SUMS")
    if length < end.offset_data + end.size:
        with pytest.raises(Damaged):
            read(WHOLE[:length])


def test_the_damaged_part_is_named() -> None:
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as tar:
        member = next(member for member in tar if member.name.startswith("events/slots/"))
    harmed = bytearray(WHOLE)
    harmed[member.offset_data + member.size // 2] ^= 1
    with pytest.raises(Damaged, match=member.name):
        read(bytes(harmed))


def test_a_part_that_is_left_out_is_named() -> None:
    less = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as tar, tarfile.open(fileobj=less, mode="w") as other:
        for member in tar:
            if not member.name.startswith("outreach/people/"):
                other.addfile(member, tar.extractfile(member))
    with pytest.raises(Damaged, match="outreach/people"):
        read(less.getvalue())


@pytest.mark.parametrize("content", [b"", b"no tar at all", b"x" * 5000])
def test_something_else_is_no_backup(content: bytes) -> None:
    with pytest.raises(Damaged, match="no backup"):
        read(content)


def test_the_sums_are_those_that_sha256sum_checks() -> None:
    with tarfile.open(fileobj=io.BytesIO(WHOLE)) as tar:
        contents = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    sums = dict(line.split("  ")[::-1] for line in contents.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


@given(st.binary(max_size=60))
def test_documents_are_split_without_losing_a_byte_or_not_at_all(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert b"".join(split(content)) == content


def test_a_file_is_its_owners_alone_and_there_only_when_it_is_whole(tmp_path: Path) -> None:
    with pytest.raises(KeyError), files.written(f"{tmp_path}/backups/") as (stream, name):
        stream.write(b"half")
        raise KeyError
    folder = tmp_path / "backups"
    assert list(folder.iterdir()) == [] and folder.stat().st_mode & 0o777 == 0o700
    with files.written(str(folder)) as (stream, name):
        stream.write(WHOLE)
    assert Path(name).read_bytes() == WHOLE and Path(name).stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupRefused, match="nothing is overwritten"), files.written(name):
        pass
