"""A short run of `tests/faults/run.py`: one seed, one kill, every promise."""

from tests.faults.chaos import Load
from tests.faults.run import run

LOAD = Load(actors=12, steps=5)


def test_every_promise_is_kept_when_the_services_are_killed_under_load() -> None:
    result = run([1], ["kill services"], LOAD)[0]
    assert result.sound, result.breaches
    assert result.registrations > LOAD.actors and result.mails > result.registrations
