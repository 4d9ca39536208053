"""A short look at what `python -m tests.faults.run` does at length, and one of its negative controls."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.chaos import Load, Result, play
from tests.faults.faults import FAULTS
from tests.faults.system import System, running_system
from tests.support.waiting import wait_until

LOAD = Load(actors=8, steps=4, patience=60)
HARMLESS = Load(actors=8, steps=8, patience=0)
TRIES = 8  # two decisions must fall into one moment, which a load this short cannot force


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("faults") / "data") as system:
        yield system


@pytest.mark.parametrize(
    ("seed", "names"),
    [(1, ("kill second events", "mail server dead")), (2, ("wipe nats", "cut second events from mongodb"))],
)
def test_every_promise_is_kept_while_parts_die(system: System, seed: int, names: tuple[str, ...]) -> None:
    result = played(system, seed, names, LOAD)
    again = f"python -m tests.faults.run --seeds {seed} --faults '{'+'.join(names)}' --actors 8 --steps 4"
    assert result.sound, f"{again}: {result.breaches}"


def test_a_second_process_that_writes_over_others_decisions_is_noticed(system: System) -> None:
    system.stop_second()
    system.weakness = "condition"
    system.start_second()
    wait_until(system.is_ready, 60)
    seeds = range(3, 3 + TRIES)
    assert any(played(system, seed, ("none",), HARMLESS).breaches["not oversold"] for seed in seeds)


def played(system: System, seed: int, names: tuple[str, ...], load: Load) -> Result:
    return asyncio.run(play(system, seed, "+".join(names), [FAULTS[name] for name in names], load))
