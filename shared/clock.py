"""Time is passed in: use cases get `now`, and only the edges (web, consumers, workers) ask a clock for it."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class FileClock:
    """The machine's time plus an offset kept in a small file that every process of a demo or a test reads.

    The file is looked at again at most every 50 ms; a missing file means no offset. The clock only moves forward.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = timedelta()
        self._checked_at = 0.0
        self._seen: tuple[int, int] | None = None

    def now(self) -> datetime:
        """The present moment plus the offset, aware, in UTC."""
        self._refresh()
        return datetime.now(UTC) + self._offset

    def forward(self, by: timedelta) -> datetime:
        """Move every process that reads this file forward; returns the new now. ValueError when `by` is negative."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        self._checked_at = 0.0
        self._refresh()
        offset = self._offset + by
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps({"offset_seconds": offset.total_seconds()}))
        draft.replace(self._path)
        self._checked_at = 0.0
        return self.now()

    def _refresh(self) -> None:
        if time.monotonic() - self._checked_at < 0.05:
            return
        self._checked_at = time.monotonic()
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return
        version = (status.st_ino, status.st_mtime_ns)  # two moves can happen within one tick of the file's time
        if version != self._seen:
            self._offset = timedelta(seconds=json.loads(self._path.read_text())["offset_seconds"])
            self._seen = version


Clock = SystemClock | FileClock
