"""Child processes that end with their parent, are started again when they die, and stop in order.

Linux kills a child with its parent (PR_SET_PDEATHSIG) when the THREAD that started it ends: start from the main thread.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.errors import CannotStart

ROOT = Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 5_000_000
_LONGEST_PAUSE = 1.0  # seconds
_STEADY = 5.0  # seconds of life after which a death counts as the first one again
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(eq=False)
class Child:
    """One child process; `command` runs in the checkout's root with `environment` and writes to the file `log`.

    `pass_fds` are file descriptors it inherits. `explain` turns the last lines of the log into a sentence that
    helps, when it knows one.
    """

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] | None = None
    pass_fds: tuple[int, ...] = ()
    explain: Callable[[str], str | None] = lambda lines: None
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    started_at: float = field(default=0.0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _pause: float = field(default=0.0, init=False)

    @property
    def pid(self) -> int:
        """The process's id; only while it has been started."""
        return self._started().pid

    def start(self) -> None:
        """Start the process; CannotStart when its program cannot be run."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._keep_log_small()
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=ROOT,
                    env=self.environment,
                    pass_fds=self.pass_fds,
                    start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops the children in order
                    preexec_fn=_end_with(os.getpid()),
                )
            except OSError as error:
                raise CannotStart(f"{self.name} cannot be run: {error.strerror} ({self.command[0]}).") from None
        self.started_at = self.ticks()

    def has_ended(self) -> bool:
        """Whether the process has been started and is gone."""
        return self._process is not None and self._process.poll() is not None

    def start_again(self) -> None:
        """Start a process that died, after a pause that grows to a second while it keeps dying."""
        lived = self.ticks() - self.started_at
        self._pause = 0.05 if lived > _STEADY else min(max(self._pause, 0.05) * 2, _LONGEST_PAUSE)
        self.sleep(self._pause)
        self.start()

    def stop(self, seconds: float) -> None:
        """Ask the process to stop, and kill it when it has not stopped within `seconds`."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(max(seconds, 0.1))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def exit_code(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        return self._started().wait()

    def why_it_ended(self) -> str:
        """One sentence, from what the log says last."""
        lines = self.last_lines()
        return self.explain(lines) or f"{self.name} ended right after its start. It said last:\n{lines}"

    def last_lines(self, count: int = 8) -> str:
        """The last lines of the log."""
        tail = self.log.read_bytes()[-4000:].decode(errors="replace")
        return "\n".join(f"  {line}" for line in tail.splitlines()[-count:])

    def how_it_ended(self) -> str:
        """In words: the exit code or the signal."""
        code = self.exit_code()
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, f"{self.name} has not been started"
        return self._process

    def _keep_log_small(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))


@dataclass(frozen=True)
class Part:
    """A started child and the question whether it is ready."""

    child: Child
    is_ready: Callable[[], bool]


class Family:
    """The children of one launcher: what has been started is kept running until `stop_all`."""

    def __init__(self, on_death: Callable[[str], None] = lambda sentence: None) -> None:
        self._children: list[Child] = []
        self._on_death = on_death

    def start(self, child: Child) -> Child:
        """Start `child`; it is looked after from the moment it was ready once."""
        child.start()
        self._children.append(child)
        return child

    def wait_until_ready(self, parts: Sequence[Part], on_ready: Callable[[Child], None], seconds: float = 60) -> None:
        """Wait for all `parts`; CannotStart with the reason when one ends before it is ready, or after `seconds`."""
        deadline = time.monotonic() + seconds
        waiting = list(parts)
        while waiting:
            for part in list(waiting):
                if part.is_ready():
                    waiting.remove(part)
                    on_ready(part.child)
                elif part.child.has_ended():
                    raise CannotStart(part.child.why_it_ended())
                elif time.monotonic() > deadline:
                    child = part.child
                    raise CannotStart(f"{child.name} was not ready after {seconds:.0f} seconds; its log: {child.log}")
            self.tend(besides=[part.child for part in waiting])
            time.sleep(0.02)

    def run_to_the_end(self, child: Child) -> None:
        """Run a child that has an end, looking after the others; CannotStart when it fails."""
        self.start(child)
        while not child.has_ended():
            self.tend(besides=[child])
            time.sleep(0.02)
        self._children.remove(child)
        if child.exit_code() != 0:
            raise CannotStart(f"{child.name} failed. It said last:\n{child.last_lines()}")

    def watch(self) -> None:
        """Look after the children for ever; ends by the exception that a signal's handler raises."""
        while True:
            self.tend()
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # sleeps until a child dies, and leaves it to its owner

    def tend(self, besides: Sequence[Child] = ()) -> None:
        """Start again whoever died, `besides` left alone."""
        for child in self._children:
            if child not in besides and child.has_ended():
                self._on_death(f"{child.name} ended ({child.how_it_ended()}) and is started again.")
                child.start_again()

    def stop_all(self, seconds: float = 10.0) -> None:
        """Stop the children, the last started first, all within `seconds`."""
        deadline = time.monotonic() + seconds
        for waiting, child in reversed(list(enumerate(self._children, start=1))):
            # Whoever comes later gets its share even when this one hangs; a quick stop leaves more to the others.
            child.stop((deadline - time.monotonic()) / min(waiting, 2))
        self._children.clear()


def _end_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the line above could take effect
            os._exit(1)

    return prepare
