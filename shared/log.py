"""Logs: one line per fact on standard error, with the correlation id of the request or message it belongs to.
Never personal data, never a secret."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "correlation_id": correlation_id.get(),
            "text": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)

    def formatException(self, ei: Any) -> str:
        return without_text(ei[1])


def without_text(error: BaseException | None) -> str:
    """The classes of an error and of what led to it, with their frames; not their texts, which may be personal."""
    if error is None:
        return ""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{without_text(earlier)}{frames}{type(error).__module__}.{type(error).__qualname__}\n"


def set_up_logging(level: str = "INFO") -> None:
    """Send all loggers to standard error as JSON lines from `level` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
