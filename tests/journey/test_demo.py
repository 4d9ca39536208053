"""The whole story against the whole system as a newcomer starts it, once in peace and once while parts are killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.processes import ROOT
from tests.support.instance import REAL, Instance, environment, started
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 240


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with started(tmp_path_factory.mktemp("journey") / "data", command=REAL) as running:
        yield running


def demo(instance: Instance, output: Path, *options: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "deploy.local.demo", *options]
    with output.open("wb") as file:
        return subprocess.Popen(command, cwd=ROOT, env=environment(instance.data), stdout=file, stderr=file)


def test_everything_is_counted_as_it_must_be(instance: Instance, tmp_path: Path) -> None:
    output = tmp_path / "demo.txt"
    assert demo(instance, output).wait(PATIENCE_SECONDS) == 0, output.read_text()
    assert "All as it must be" in output.read_text()


def test_the_counts_hold_when_every_part_is_killed_once(instance: Instance, tmp_path: Path) -> None:
    output = tmp_path / "demo.txt"
    playing = demo(instance, output, "--while-parts-are-killed")
    steps = ["opened", "a series of", "waiting list:", "rush:"]
    for child, step in zip(instance.children(), steps, strict=True):
        wait_until(lambda step=step: step in output.read_text() or playing.poll() is not None, PATIENCE_SECONDS)
        os.kill(child, signal.SIGKILL)
    assert playing.wait(PATIENCE_SECONDS) == 0, output.read_text()
    assert len(instance.children()) == 4
