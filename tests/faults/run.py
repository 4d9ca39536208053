"""python -m tests.faults.run --seeds 1-3 --faults all: faults × promises, and the time until all is whole."""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults.chaos import Load, Result, play
from tests.faults.checker import PROMISES
from tests.faults.faults import FAULTS, Fault
from tests.faults.system import running_system
from tests.faults.weakened import WEAKNESSES


def main() -> None:
    """Print the table; exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-3", help="1-20, or one number")
    parser.add_argument(
        "--faults", default="all", help=f"all, or names parted by commas (+ joins two in one run): {', '.join(FAULTS)}"
    )
    parser.add_argument("--actors", type=int, default=30)
    parser.add_argument("--steps", type=int, default=10, help="requests of each actor")
    parser.add_argument("--patience", type=float, default=60, help="seconds until all must be whole again")
    parser.add_argument("--without", default="", choices=sorted(WEAKNESSES), help="negative control")
    parser.add_argument(
        "--into", type=Path, help="a file with a line of JSON per run; runs that are in it already are not played again"
    )
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    names = list(FAULTS) if options.faults == "all" else options.faults.split(",")
    load = Load(options.actors, options.steps, options.patience)
    results = run([(name, seed) for seed in seeds for name in names], load, options.without, options.into)
    print(table(results))
    raise SystemExit(not all(result.sound for result in results))


def run(wanted: Sequence[tuple[str, int]], load: Load, weakness: str = "", into: Path | None = None) -> list[Result]:
    """Each (fault, seed) that is not in `into`, one after the other, on one system; with those that are in it."""
    results = _played(into)
    there = {(result.fault, result.seed) for result in results}
    missing = [each for each in wanted if each not in there]
    if not missing:
        return results
    with tempfile.TemporaryDirectory() as folder, running_system(Path(folder, "data"), weakness) as system:
        for name, seed in missing:
            result = asyncio.run(play(system, seed, name, _faults(name), load))
            results.append(result)
            _say(result)
            if into:
                with into.open("a") as lines:
                    lines.write(json.dumps(asdict(result)) + "\n")
    return results


def _played(into: Path | None) -> list[Result]:
    """The runs that `into` holds."""
    if not into or not into.exists():
        return []
    return [Result(**json.loads(line)) for line in into.read_text().splitlines()]


def _faults(names: str) -> list[Fault]:
    """Those of a run: "kill nats", or "kill nats+mixed" for one after the other."""
    return [FAULTS[name] for name in names.split("+")]


def _say(result: Result) -> None:
    wrong = [sentence for sentences in result.breaches.values() for sentence in sentences]
    print(
        f"{result.fault}, seed {result.seed}: {result.requests} requests, {result.retries} retries, "
        f"{result.registrations} registrations, {result.mails} mails, "
        f"{result.repeats} of {result.repeats_allowed} again, whole after {result.recovery:.1f} s, "
        f"{len(wrong)} breaches {wrong[:4] or ''}",
        flush=True,
    )


def table(results: Sequence[Result]) -> str:
    """A line per fault: runs, runs in which each promise was broken, recovery times."""
    lines = [
        f"{'fault':<22} {'runs':>4} " + " ".join(f"{name:>13}" for name in PROMISES) + f" {'median':>7} {'worst':>6}"
    ]
    for fault in dict.fromkeys(result.fault for result in results):
        runs = [result for result in results if result.fault == fault]
        broken = " ".join(f"{sum(bool(run.breaches[name]) for run in runs):>13}" for name in PROMISES)
        times = [run.recovery for run in runs]
        lines.append(f"{fault:<22} {len(runs):>4} {broken} {statistics.median(times):>7.1f} {max(times):>6.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
