"""The embedded start as a person meets it, with stand-ins for the three services."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.processes import ROOT
from tests.support.instance import Instance, environment, started
from tests.support.waiting import wait_until

# Nothing but the front door is started: for tests that need no more.
ELSEWHERE = {
    "MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=rs0",
    "NATS_URL": "nats://127.0.0.1:1",
    "SMTP_URL": "smtp://127.0.0.1:1",
}


def said(*command: str, data: Path, **more: str) -> tuple[int, str]:
    """(exit code, standard error) of a command that ends by itself."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with started(tmp_path_factory.mktemp("start") / "data") as running:
        yield running


def test_it_says_where_everything_is(instance: Instance) -> None:
    for name in ("MongoDB", "NATS", "Mailbox", "Services", "Demo data"):
        assert re.search(rf"{name} … ready \d+\.\d s", instance.output)
    assert f"/outreach/sign-in/link?token=1\n  {'mailbox':<12} {instance.addresses['mailbox_url']}" in instance.output
    assert str(instance.data / "coordinator-api-key") in instance.output


def test_every_child_that_is_killed_comes_back(instance: Instance) -> None:
    children = instance.children()
    assert len(children) == 4
    for child in children:
        os.kill(child, signal.SIGKILL)
        wait_until(lambda child=child: child not in instance.children() and len(instance.children()) == 4, seconds=5)
    wait_until(instance.is_ready, seconds=20)


def test_a_request_made_while_the_services_are_down_is_answered_later(instance: Instance) -> None:
    (services,) = [pid for pid in instance.children() if b"stand_in_app" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(services, signal.SIGKILL)
    with urllib.request.urlopen(f"{instance.addresses['url']}/healthz", timeout=20) as answer:
        assert answer.status == 200


def test_everything_listens_on_this_machine_only(instance: Instance) -> None:
    wait_until(instance.is_ready, seconds=20)
    addresses = {address for pid in instance.children() for address in listening_addresses(pid)}
    assert addresses == {"0100007F"}  # 127.0.0.1, as the kernel writes it


def open_files(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            found.add(str(descriptor.readlink()))
    return found


def listening_addresses(pid: int) -> set[str]:
    sockets = open_files(pid)
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def test_secrets_are_readable_by_their_owner_only(instance: Instance) -> None:
    assert stat.S_IMODE(instance.data.stat().st_mode) == 0o700
    for name in ("secret-key", "instance.json", "coordinator-api-key"):
        assert stat.S_IMODE((instance.data / name).stat().st_mode) == 0o600


def test_a_second_start_with_the_same_data_is_refused(instance: Instance) -> None:
    code, error = said("deploy.local", "run", data=instance.data)
    assert code == 2 and error.count("\n") == 1 and "Perspektive is running with the data folder" in error


def test_reset_is_refused_while_an_instance_runs(instance: Instance) -> None:
    code, error = said("deploy.local", "reset", data=instance.data)
    assert code == 2 and error.count("\n") == 1 and "stop it first" in error
    assert (instance.data / "secret-key").exists()


def test_the_origin_leads_to_the_start_page(instance: Instance) -> None:
    with pytest.raises(urllib.error.HTTPError) as missing:  # the stand-in has no such page
        urllib.request.urlopen(instance.addresses["url"], timeout=10)
    assert missing.value.url == f"{instance.addresses['url']}/outreach/start"


def now_of(instance: Instance, service: str) -> datetime:
    with urllib.request.urlopen(f"{instance.addresses['url']}/{service}/now", timeout=10) as answer:
        return datetime.fromisoformat(json.load(answer))


def test_forward_moves_the_clock_of_all_services(instance: Instance) -> None:
    before = now_of(instance, "notify")
    code, error = said("deploy.local", "forward", "14 days 3 hours", data=instance.data)
    assert (code, error) == (0, "")
    for service in ("outreach", "events", "notify"):
        assert (
            timedelta(days=14, hours=3) <= now_of(instance, service) - before < timedelta(days=14, hours=3, minutes=2)
        )


def test_forward_goes_to_a_moment_of_the_regions_wall_clock(instance: Instance) -> None:
    there = f"{now_of(instance, 'events').year + 1}-12-01T08:00"
    assert said("deploy.local", "forward", there, data=instance.data) == (0, "")
    assert now_of(instance, "events").isoformat(timespec="minutes")[:16] == there.replace("08:00", "07:00")


@pytest.mark.parametrize(
    "text",
    [
        "a fortnight",
        "",
        "3 days after",
        "-1 day",
        "2020-01-01T08:00",
        "9999999 weeks",
        "9999-12-31T08:00",
        "999999999 weeks",
    ],
)
def test_forward_explains_what_it_cannot_read(instance: Instance, text: str) -> None:
    code, error = said("deploy.local", "forward", text, data=instance.data)
    assert code == 2 and error.count("\n") == 1 and "Traceback" not in error
    assert now_of(instance, "events").year < 2100


def move_clock(instance: Instance, **headers: str) -> int:
    url, body = f"{instance.addresses['url']}/local/clock", json.dumps({"forward": "1 hour"}).encode()
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as refusal:
        return refusal.code


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer another", "Basic the-key"])
def test_the_clock_needs_the_api_key(instance: Instance, given: str) -> None:
    before = now_of(instance, "events")
    assert move_clock(instance, Authorization=given) == 401
    assert now_of(instance, "events") - before < timedelta(minutes=30)
    assert move_clock(instance, Authorization="Bearer the-key") == 200


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_killing_the_launcher_leaves_no_process_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with started(tmp_path / "data") as first:
        children, before = first.children(), first.addresses
        assert len(children) == 4
        first.process.kill()
        wait_until(lambda: all(map(is_gone, children)))
    with started(tmp_path / "data") as second:
        assert second.is_ready()
        assert second.addresses["mongodb_url"] == before["mongodb_url"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_good_order(tmp_path: Path, ending: signal.Signals) -> None:
    with started(tmp_path / "data") as running:
        children = running.children()
        running.process.send_signal(ending)
        assert running.process.wait(timeout=11) == 0
        assert all(map(is_gone, children))
    assert "Shutting down" in (tmp_path / "data/log/mongod.log").read_text()


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, error = said("deploy.local", "run", data=tmp_path / "data", PORT=port)
    assert (code, error) == (2, f"Port {port} is taken by another program; choose another one with PORT=<number>.\n")


def test_services_that_cannot_start_end_it_with_their_last_words(tmp_path: Path) -> None:
    broken = f"{sys.executable} -c exit('SECRET_KEY_is_too_short')"
    code, error = said("tests.support.stand_in_start", data=tmp_path / "data", STAND_IN_APP=broken, **ELSEWHERE)
    assert (
        code == 2 and error.startswith("Services ended right after its start.") and "SECRET_KEY_is_too_short" in error
    )
    assert "Traceback" not in error


def test_demo_data_that_cannot_be_loaded_ends_it(tmp_path: Path) -> None:
    broken = f"{sys.executable} -c exit('line_7_is_wrong')"
    code, error = said("tests.support.stand_in_start", data=tmp_path / "data", STAND_IN_SEED=broken, **ELSEWHERE)
    assert code == 2 and error.startswith("Demo data failed.") and "line_7_is_wrong" in error


def test_reset_deletes_the_data(tmp_path: Path) -> None:
    with started(tmp_path / "data", **ELSEWHERE) as running:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=11)
    assert said("deploy.local", "reset", data=tmp_path / "data") == (0, "")
    assert not (tmp_path / "data").exists()
    assert said("deploy.local", "reset", data=tmp_path / "data") == (0, "")


def test_reset_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    code, error = said("deploy.local", "reset", data=tmp_path)
    assert code == 2 and "is not a data folder" in error
    assert (tmp_path / "thesis.txt").exists()


def test_forward_without_an_instance_says_how_to_start_one(tmp_path: Path) -> None:
    code, error = said("deploy.local", "forward", "1 day", data=tmp_path / "data")
    assert code == 2 and error.count("\n") == 1 and "make run" in error
