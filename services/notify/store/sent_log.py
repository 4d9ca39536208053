"""Which mails went out is also said in the log: after a restore from an earlier backup nothing else knows it.

Keys only, never a name or an address. `python -m deploy.backup sent` reads it back.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

log = logging.getLogger(__name__)
_SAID = re.compile(r"mail sent: (\S+)")


@dataclass(frozen=True)
class Sent:
    """A delivery by its key, and when it was sent (the machine's time)."""

    key: str
    at: datetime


def say_sent(key: str) -> None:
    """Say that the mail of this delivery was sent."""
    log.info("mail sent: %s", key)


def sent_in(lines: Iterable[str]) -> Iterator[Sent]:
    """The mails in lines of the log, which may have others between them and something in front, as journals have."""
    for line in lines:
        entry = _entry_of(line)
        found = _SAID.fullmatch(str(entry.get("text")))
        if found:
            yield Sent(found[1], datetime.fromisoformat(entry["time"]))


def _entry_of(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line[line.index("{") :])
    except ValueError:  # somebody else's line, or one that was cut off
        return {}
    return entry if isinstance(entry, dict) and "time" in entry else {}
