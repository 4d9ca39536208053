"""The clock of the machine, and the one that a demo can move."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import FileClock, SystemClock

NEAR = timedelta(seconds=5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


@pytest.fixture
def look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question looks at the file again, without waiting 50 ms."""
    ticks = iter(range(10**6))
    monkeypatch.setattr("shared.clock.time.monotonic", lambda: float(next(ticks)))


def test_the_machines_clock_is_aware_and_in_utc():
    assert abs(SystemClock().now() - datetime.now(UTC)) < NEAR
    assert SystemClock().now().utcoffset() == timedelta()


def test_without_a_file_there_is_no_offset(file: Path):
    assert abs(FileClock(file).now() - datetime.now(UTC)) < NEAR


def test_moving_forward_moves_every_process(file: Path, look_always: None):
    mine, theirs = FileClock(file), FileClock(file)
    theirs.now()
    assert abs(mine.forward(timedelta(days=14)) - datetime.now(UTC) - timedelta(days=14)) < NEAR
    assert abs(theirs.now() - datetime.now(UTC) - timedelta(days=14)) < NEAR
    theirs.forward(timedelta(days=1))
    assert abs(mine.now() - datetime.now(UTC) - timedelta(days=15)) < NEAR


def test_moves_in_quick_succession_all_count(file: Path):
    """The file's time has steps of some milliseconds: two moves may carry the same one."""
    mine, theirs = FileClock(file), FileClock(file)
    for days in range(1, 31):
        mover = mine if days % 2 else theirs
        assert abs(mover.forward(timedelta(days=1)) - datetime.now(UTC) - timedelta(days=days)) < NEAR


def test_the_clock_never_moves_back(file: Path):
    with pytest.raises(ValueError, match="forward"):
        FileClock(file).forward(timedelta(seconds=-1))
    assert not file.exists()
