"""The file of a backup: a tar of gzip-compressed BSON, a manifest, and at the end the SHA-256 of every part.

`tar -xf` and `sha256sum -c SHA256SUMS` look at it without this program. It is written and read from front to back, a
few megabytes at a time, so that it can be piped.
"""

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from deploy.backup.errors import Damaged

FORMAT = 1
HEADER, MANIFEST, SUMS = "header.json", "manifest.json", "SHA256SUMS"
LARGEST_PART = 64 * 1024 * 1024
LEVEL = 3  # of 9: on BSON a sixth larger than the densest, and four times as fast
_BROKEN = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, KeyError)
Facts = dict[str, Any]


@dataclass
class Counts:
    """How many documents there are, by service and collection, and how many bytes they have uncompressed."""

    documents: dict[str, Counter[str]] = field(default_factory=dict)
    size: int = 0

    def add(self, service: str, collection: str, documents: int, size: int = 0) -> None:
        """Count some more; none at all names an empty collection."""
        self.documents.setdefault(service, Counter())[collection] += documents
        self.size += size

    @property
    def total(self) -> int:
        """All documents."""
        return sum(counter.total() for counter in self.documents.values())


@dataclass(frozen=True)
class Part:
    """Documents of one collection."""

    service: str
    collection: str
    documents: list[bytes]


class ArchiveWriter:
    """Writes to a stream that need not be seekable."""

    def __init__(self, stream: BinaryIO, header: Facts) -> None:
        self.counts = Counts()
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._sums: dict[str, str] = {}
        self._write(HEADER, _as_json({"format": FORMAT, **header}))

    def add(self, service: str, collection: str, bson: bytes) -> None:
        """Write documents of a collection, one after the other as they come from the server."""
        self.counts.add(service, collection, sum(1 for _ in split(bson)), len(bson))
        if bson:
            name = f"{service}/{collection}/{len(self._sums):06}.bson.gz"
            self._write(name, gzip.compress(bson, LEVEL, mtime=0))

    def close(self) -> None:
        """Write what lets a reader know that nothing is missing."""
        self._write(MANIFEST, _as_json({"documents": self.counts.documents, "bytes": self.counts.size}))
        self._write(SUMS, "".join(f"{sum}  {name}\n" for name, sum in self._sums.items()).encode())
        self._tar.close()

    def _write(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        self._tar.addfile(member, io.BytesIO(content))
        self._sums[name] = hashlib.sha256(content).hexdigest()


class ArchiveReader:
    """Reads a stream once. After the last part, and not before, it is certain that everything was there unharmed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.counts = Counts()
        self._members = _members(stream)
        name, content = next(self._members)
        self.header = _facts(name, content) if name == HEADER else {}
        if not self.header:
            raise Damaged("This is no backup of Perspektive.")
        if self.header.get("format") != FORMAT:
            raise Damaged(f"This backup has the format {self.header.get('format')}; this program reads {FORMAT}.")

    def parts(self) -> Iterator[Part]:
        """The documents, some of one collection at a time; Damaged names the part that is not as it was written."""
        for name, content in self._members:
            if name == MANIFEST:
                self._compare(_facts(name, content))
            else:
                yield self._part(name, content)

    def _part(self, name: str, content: bytes) -> Part:
        try:
            service, collection, _ = name.split("/")
            bson = gzip.decompress(content)
            documents = list(split(bson))
        except _BROKEN as error:
            raise _damaged(name) from error
        self.counts.add(service, collection, len(documents), len(bson))
        return Part(service, collection, documents)

    def _compare(self, manifest: Facts) -> None:
        for service, collections in manifest["documents"].items():
            for collection, count in collections.items():
                self.counts.add(service, collection, 0)
                if self.counts.documents[service][collection] != count:
                    raise _damaged(f"{service}/{collection}")
        if self.counts.size != manifest["bytes"]:
            raise _damaged(MANIFEST)


def split(bson: bytes) -> Iterator[bytes]:
    """The documents that stand one after the other; ValueError when their lengths do not add up."""
    start = 0
    while start < len(bson):
        (length,) = struct.unpack_from("<i", bson, start) if start + 4 < len(bson) else (0,)
        if length < 5 or start + length > len(bson):
            raise ValueError("the lengths of the documents do not add up")
        yield bson[start : start + length]
        start += length


def _members(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything but the sums, which are compared at the end."""
    name, found = "", dict[str, str]()
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                name = member.name
                content = _content(tar, member)
                if name == SUMS:
                    _compare_sums(content, found)
                    return
                found[name] = hashlib.sha256(content).hexdigest()
                yield name, content
    except _BROKEN as error:
        raise _damaged(name) if name else Damaged("This is no backup of Perspektive.") from error
    raise Damaged(f"The backup is cut off, or damaged after its part {name}.")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member) if member.size <= LARGEST_PART else None
    if file is None:
        raise ValueError(member.name)
    return file.read()


def _compare_sums(content: bytes, found: dict[str, str]) -> None:
    told = dict(reversed(line.split("  ", 1)) for line in content.decode().splitlines())
    for name in {**found, **told}:
        if found.get(name) != told.get(name):
            raise _damaged(name)


def _facts(name: str, content: bytes) -> Facts:
    try:
        facts = json.loads(content)
    except ValueError as error:
        raise _damaged(name) from error
    if not isinstance(facts, dict):
        raise _damaged(name)
    return facts


def _as_json(facts: Facts) -> bytes:
    return json.dumps(facts, indent=1).encode()


def _damaged(name: str) -> Damaged:
    return Damaged(f"The backup is damaged: its part {name} is not as it was written.")
