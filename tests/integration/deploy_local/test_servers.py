"""The databases and brokers that the embedded start and the tests run."""

from pathlib import Path

import pytest

from deploy.local import mongod
from deploy.local.errors import CannotStart
from deploy.local.ports import choose_port
from shared.mongo import connect
from tests.support.servers import running_mongod


async def test_the_database_takes_transactions(mongodb_url: str) -> None:
    client = connect(mongodb_url)
    await client.deploy_local.things.insert_one({"_id": "before"})
    async with await client.start_session() as session, session.start_transaction():
        await client.deploy_local.things.insert_one({"_id": "within"}, session=session)
    assert await client.deploy_local.things.count_documents({}) == 2
    client.close()


async def test_a_database_keeps_its_data_when_its_port_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = choose_port(), choose_port()
    for port in (first, second):
        monkeypatch.setattr("tests.support.servers.choose_port", lambda port=port: port)
        with running_mongod(tmp_path) as url:
            client = connect(url)
            await client.deploy_local.things.insert_one({"port": port})
            ports = await client.deploy_local.things.distinct("port")
            client.close()
    assert sorted(ports) == sorted([first, second])


@pytest.mark.parametrize(
    ("library", "package"), [("libcurl.so.4", "libcurl4"), ("libssl.so.3", "libssl3"), ("libx.so.1", "libx.so.1")]
)
def test_a_missing_library_is_named_with_the_package_that_has_it(library: str, package: str) -> None:
    said = f"mongod: error while loading shared libraries: {library}: cannot open shared object file"
    assert mongod.explain(said) == (f'mongod needs {package}: as root "apt-get install {package}", or set MONGODB_URL.')


def test_without_any_mongod_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(CannotStart, match="MONGODB_URL"):
        mongod.find_mongod()


def test_a_packaged_mongod_without_its_run_bit_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "fiftyone/db/bin/mongod"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o644)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert mongod.find_mongod() == str(program)
    assert program.stat().st_mode & 0o111
