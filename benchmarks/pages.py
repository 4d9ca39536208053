"""How long each main page takes with a full database, and what it weighs, against an empty page of the same server.

Starts an instance of its own (a temporary data folder, free ports), fills it, opens every page one after the other on
one connection, in turn with a page that asks the database for nothing, and stops it. A busy machine makes both slower:
the ratio and the processor time tell more than the milliseconds. A page that is too heavy is an error: that is counted.
"""

import argparse
import gzip
import http.client
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.filling import Filled, fill_now
from benchmarks.load import percentile
from benchmarks.visited import PAGES, Page, with_ids
from deploy.local.data_folder import DataFolder
from shared.auth import Sessions
from shared.web.callers import SESSION_COOKIE

EMPTY = "/outreach/imprint"
WARM_UP = 5
TIMES, ROUNDS = 40, 3
MOST_BYTES, MOST_REQUESTS, MOST_MILLISECONDS = 100_000, 20, 50
STARTS_WITHIN, STOPS_WITHIN, SETTLES_WITHIN = 300, 60, 120  # seconds
IDLE = 0.25  # of a core, in each of so many seconds:
IDLE_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """One answered request: status, compressed body, seconds at the client, processor seconds of all the parts."""

    status: int
    body: bytes
    seconds: float
    cpu: float

    @property
    def html(self) -> str:
        """The page."""
        return (gzip.decompress(self.body) if self.body[:2] == b"\x1f\x8b" else self.body).decode()


@dataclass(frozen=True)
class Measured:
    """A page's figures; milliseconds, bytes compressed. `whole` and `requests` count what the page links, too."""

    who: str
    name: str
    median: float
    p95: float
    cpu: float
    ratio: float
    cpu_ratio: float
    bytes: int
    whole: int
    requests: int


def main() -> int:
    """0 when every page answered and is light enough, 1 otherwise."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where a shell started this in the background
        signal.signal(ending, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="requests of each page in a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="over all pages; the figures are their medians")
    parser.add_argument("--only", default="", help="pages whose name holds this")
    parser.add_argument("--json", type=Path, default=Path("pages.json"), help="where the figures go")
    parser.add_argument("--running", type=Path, help="the data folder of an instance that was filled before")
    parser.add_argument("--keep", action="store_true", help="leave the filled instance running until Ctrl-C")
    options = parser.parse_args()
    with _instance(options.running) as folder:
        filled = _filled(folder)
        print(" · ".join(f"{name} {count:,}" for name, count in filled.counts.items()), flush=True)
        measured = _measure_all(folder, filled, options)
        while options.keep:
            signal.pause()
    slow = [each for each in measured if each.p95 >= MOST_MILLISECONDS]
    heavy = [each for each in measured if each.whole >= MOST_BYTES or each.requests >= MOST_REQUESTS]
    print(
        f"{len(measured)} pages; p95 of {MOST_MILLISECONDS} ms or more: {len(slow)}; too heavy: {len(heavy)}; "
        f"load now {os.getloadavg()[0]:.1f}"
    )
    return 1 if heavy else 0


def _measure_all(folder: DataFolder, filled: Filled, options: argparse.Namespace) -> list[Measured]:
    """Each page's figures: medians of rounds over all pages, so that a bad minute of the machine spoils one of them."""
    chosen, rounds = [page for page in PAGES if options.only in page.name], []
    with _Browser(folder) as browser:
        _wait_until_it_is_idle(browser)
        for number in range(options.rounds):
            stolen = _stolen()
            rounds.append([_measure(browser, page, filled.ids, options.times) for page in chosen])
            slow = sum(each.p95 >= MOST_MILLISECONDS for each in rounds[-1])
            print(f"round {number + 1}: p95 of {MOST_MILLISECONDS} ms or more: {slow} pages; "
                  f"{_stolen() - stolen:.0f} s of processor time taken by other machines", flush=True)  # fmt: skip
    measured = [_median_of(same) for same in zip(*rounds, strict=True)]
    print(f"{'page':<38} {'median':>7} {'p95':>7} {'cpu':>6} {'ratio':>6} {'cpu/e':>6} {'html':>7} {'whole':>7} req.")
    for each in measured:
        print(_line(each))
    figures = {**_about(), "times": options.times, "rounds": [[asdict(each) for each in some] for some in rounds]}
    options.json.write_text(json.dumps({**figures, "pages": [asdict(each) for each in measured]}, indent=1))
    return measured


def _median_of(same: Sequence[Measured]) -> Measured:
    """The figures of one page from several rounds."""
    names = ("median", "p95", "cpu", "ratio", "cpu_ratio")
    return replace(same[-1], **{n: round(statistics.median(getattr(each, n) for each in same), 1) for n in names})


def _stolen() -> float:
    """Seconds of processor time that this machine was ready to use and did not get from its host."""
    return int(Path("/proc/stat").read_text().split("\n")[0].split()[8]) / os.sysconf("SC_CLK_TCK")


def _wait_until_it_is_idle(browser: "_Browser") -> None:
    """After being filled it counts and copies for a while; a real one of this age has that behind it."""
    deadline, quiet = time.monotonic() + SETTLES_WITHIN, 0
    while quiet < IDLE_SECONDS and time.monotonic() < deadline:
        before = browser.cpu_seconds()
        time.sleep(1)
        quiet = quiet + 1 if browser.cpu_seconds() - before < IDLE else 0


def _measure(browser: "_Browser", page: Page, ids: Mapping[str, str], times: int) -> Measured:
    path = with_ids(page.path, ids)
    for _ in range(WARM_UP):
        browser.ask(page.who, path, page.form)
        browser.ask(page.who, EMPTY)
    own, empty = [], []
    for _ in range(times):
        own.append(browser.ask(page.who, path, page.form))
        empty.append(browser.ask(page.who, EMPTY))
    if own[-1].status != 200:
        raise SystemExit(f"{page.who} {path}: {own[-1].status}\n{own[-1].html[:2000]}")
    seconds, base = [each.seconds * 1000 for each in own], [each.seconds * 1000 for each in empty]
    cpu, cpu_base = (statistics.median(each.cpu * 1000 for each in some) for some in (own, empty))
    median = statistics.median(seconds)
    whole, requests = browser.weigh(page.who, own[-1])
    return Measured(
        page.who, page.name, round(median, 1), round(percentile(seconds, 0.95), 1), round(cpu, 1),
        round(median / statistics.median(base), 1), round(cpu / cpu_base, 1), len(own[-1].body), whole, requests,
    )  # fmt: skip


def _line(each: Measured) -> str:
    return (
        f"{each.who + ': ' + each.name:<38} {each.median:>7.1f} {each.p95:>7.1f} {each.cpu:>6.1f} {each.ratio:>6.1f} "
        f"{each.cpu_ratio:>6.1f} {each.bytes:>7,} {each.whole:>7,} {each.requests:>4}"
    )


class _Browser:
    """One connection for all requests; the demo's people are signed in."""

    def __init__(self, folder: DataFolder) -> None:
        running = folder.running_instance()
        parts = urlsplit(running["url"])
        self._origin = running["url"]
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        sessions = Sessions(folder.secret_key())
        people = json.loads((folder.path / "seeded").read_text())
        self._cookies = {role: f"{SESSION_COOKIE}={sessions.open(id, 1)}" for role, (_, id) in people.items()}
        self._forms: dict[str, str] = {}
        self._files: dict[str, int] = {}
        self._parts = _serving(parts.port or 0)

    def __enter__(self) -> "_Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, who: str, path: str, form: Mapping[str, str] | None = None) -> Answer:
        """Open a page, or send a form of it."""
        headers = {"Accept-Encoding": "gzip", "Accept-Language": "de"}
        if who in self._cookies:
            headers["Cookie"] = self._cookies[who]
        body = None
        if form is not None:
            headers |= {"Origin": self._origin, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode({**form, "csrf": self._token(who, path)})
        before, started = self.cpu_seconds(), time.perf_counter()
        self._connection.request("POST" if form is not None else "GET", path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - started
        return Answer(answer.status, content, seconds, self.cpu_seconds() - before)

    def cpu_seconds(self) -> float:
        """Processor time of all parts of the instance until now."""
        return _cpu_seconds(self._parts)

    def weigh(self, who: str, page: Answer) -> tuple[int, int]:
        """Compressed bytes and requests of the page with all that it loads."""
        found = re.findall(r'<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"[^>]*>', page.html)
        tags = re.findall(r"<(?:link|script|img)\b[^>]*>", page.html)
        loaded = [each for each in found if each.startswith("/") and _loads(each, tags)]
        for path in set(loaded) - set(self._files):
            self._files[path] = len(self.ask(who, path.replace("&amp;", "&")).body)
        return len(page.body) + sum(self._files[path] for path in set(loaded)), 1 + len(set(loaded))

    def _token(self, who: str, path: str) -> str:
        if who not in self._forms:
            page = self.ask(who, path).html
            found = re.search(r'name="csrf" value="([^"]+)"', page)
            self._forms[who] = found[1] if found else ""
        return self._forms[who]


def _loads(address: str, tags: list[str]) -> bool:
    (tag, *_) = (tag for tag in tags if f'"{address}"' in tag)
    return not tag.startswith("<link") or re.search(r'rel="(?:stylesheet|icon|preload|manifest)', tag) is not None


def _serving(port: int) -> list[int]:
    """The processes of the instance that listens on `port`: the services and MongoDB, by what the launcher started."""
    launcher = next(pid for pid in _processes() if _children(pid) and any(_listens(c, port) for c in _children(pid)))
    return [child for child in _children(launcher) if any(n in _command(child) for n in ("deploy.local.app", "mongod"))]


def _processes() -> Iterator[int]:
    return (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _listens(pid: int, port: int) -> bool:
    if "deploy.local.app" not in _command(pid):
        return False
    listening = rf": [0-9A-F]{{8}}:{port:04X} 00000000:0000 0A (?:\S+ +){{5}}(\d+)"
    sockets = set(re.findall(listening, re.sub(r" +", " ", Path("/proc/net/tcp").read_text())))
    held = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    return any(f"socket:[{number}]" in held for number in sockets)


def _cpu_seconds(parts: list[int]) -> float:
    nanoseconds = 0
    for pid in parts:
        for task in Path(f"/proc/{pid}/task").iterdir():
            try:
                nanoseconds += int((task / "schedstat").read_text().split()[0])
            except OSError:  # a thread that has ended
                continue
    return nanoseconds / 1e9


@contextmanager
def _instance(running: Path | None) -> Iterator[DataFolder]:
    """A running instance: one of our own, which stops at the end, or the one with this data folder."""
    if running:
        yield DataFolder(running)
        return
    with tempfile.TemporaryDirectory(prefix="perspektive-pages-") as path:
        folder = DataFolder(Path(path))
        environment = {**os.environ, "DATA_DIR": path, "PORT": "0", "MAILBOX_PORT": "0"}
        started = subprocess.Popen([sys.executable, "-m", "deploy.local", "run"], env=environment)
        try:
            _wait_until_it_runs(folder, started)
            yield folder
        finally:
            started.terminate()
            started.wait(STOPS_WITHIN)


def _wait_until_it_runs(folder: DataFolder, started: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not folder.instance.exists():
        if started.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the instance did not start")
        time.sleep(0.2)


def _filled(folder: DataFolder) -> Filled:
    note = folder.path / "filled.json"
    if not note.exists():
        people = json.loads((folder.path / "seeded").read_text())
        began = time.monotonic()
        filled = fill_now(folder.running_instance()["mongodb_url"], {role: id for role, (_, id) in people.items()})
        note.write_text(json.dumps(asdict(filled)))
        print(f"filled in {time.monotonic() - began:.0f} s")
    return Filled(**json.loads(note.read_text()))


def _about() -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": _commit(), "load": os.getloadavg(),
        "machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version(),
    }  # fmt: skip


def _commit() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
