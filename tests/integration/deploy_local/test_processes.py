"""Child processes: they end with their parent, come back when they die, and stop in order."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import CannotStart
from deploy.local.processes import ROOT, Child, Family, Part
from tests.support.waiting import wait_until

SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
IGNORES_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
)
PARENT = """
import sys, time
from pathlib import Path
from deploy.local.processes import Child
child = Child("Sleeper", [sys.executable, "-S", "-c", "import time; time.sleep(600)"], Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def family() -> Iterator[Family]:
    members = Family()
    yield members
    members.stop_all(seconds=2)


def child(folder: Path, name: str = "Sleeper", command: list[str] = SLEEPS) -> Child:
    return Child(name, command, folder / f"{name}.log")


def test_a_child_dies_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid), seconds=5)


def test_a_killed_child_comes_back_every_time(tmp_path: Path, family: Family) -> None:
    sleeper = family.start(child(tmp_path))
    for _ in range(5):
        killed = sleeper.pid
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda killed=killed: family.tend() or sleeper.pid != killed, seconds=3)
        assert is_alive(sleeper.pid)


def test_who_keeps_dying_is_started_again_after_at_most_a_second(tmp_path: Path, family: Family) -> None:
    pauses: list[float] = []
    dies = Child("Dies", ["true"], tmp_path / "Dies.log", ticks=lambda: 0.0, sleep=pauses.append)
    family.start(dies)
    for _ in range(7):
        wait_until(dies.has_ended)
        family.tend()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]


def test_who_lived_for_long_is_started_again_without_a_long_pause(tmp_path: Path, family: Family) -> None:
    pauses: list[float] = []
    moments = iter(range(0, 600, 6))
    dies = Child("Dies", ["true"], tmp_path / "Dies.log", ticks=lambda: next(moments), sleep=pauses.append)
    family.start(dies)
    for _ in range(3):
        wait_until(dies.has_ended)
        family.tend()
    assert pauses == [0.05, 0.05, 0.05]


def test_a_child_that_cannot_start_ends_with_its_last_words(tmp_path: Path, family: Family) -> None:
    broken = family.start(
        child(tmp_path, "Broken", [sys.executable, "-S", "-c", "raise SystemExit('no such setting')"])
    )
    with pytest.raises(CannotStart, match=r"Broken ended right after its start(.|\n)*no such setting"):
        family.wait_until_ready([Part(broken, lambda: False)], on_ready=print, seconds=5)


def test_a_child_that_never_gets_ready_ends_with_the_place_of_its_log(tmp_path: Path, family: Family) -> None:
    sleeper = family.start(child(tmp_path))
    with pytest.raises(CannotStart, match=r"Sleeper was not ready after 0 seconds.*Sleeper\.log"):
        family.wait_until_ready([Part(sleeper, lambda: False)], on_ready=print, seconds=0.1)


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"Sleeper cannot be run.*no-such-program"):
        child(tmp_path, command=["no-such-program"]).start()


def test_while_one_is_awaited_another_that_dies_comes_back(tmp_path: Path, family: Family) -> None:
    steady = family.start(child(tmp_path, "Steady"))
    killed = steady.pid
    os.kill(killed, signal.SIGKILL)
    awaited = family.start(child(tmp_path, "Awaited"))
    family.wait_until_ready([Part(awaited, lambda: steady.pid != killed)], on_ready=print, seconds=5)
    assert is_alive(steady.pid)


def test_children_stop_in_reverse_order(tmp_path: Path) -> None:
    family, record = Family(), tmp_path / "record"
    says = "trap 'echo {} >> {}; exit 0' TERM; echo on; while :; do sleep 0.05; done"
    children = [
        child(tmp_path, name, ["bash", "-c", says.format(name, record)]) for name in ("first", "second", "third")
    ]
    for each in children:
        family.start(each)
    for each in children:
        wait_until(lambda each=each: "on" in each.last_lines())
    family.stop_all()
    assert record.read_text().split() == ["third", "second", "first"]


def test_a_child_that_will_not_stop_is_killed_and_the_others_still_stop(tmp_path: Path) -> None:
    family = Family()
    polite = family.start(child(tmp_path, "Polite"))
    stubborn = family.start(child(tmp_path, "Stubborn", [sys.executable, "-S", "-c", IGNORES_TERM]))
    wait_until(lambda: "on" in stubborn.last_lines())
    family.stop_all(seconds=1)
    assert stubborn.exit_code() == -signal.SIGKILL
    assert polite.exit_code() == -signal.SIGTERM
