"""Cursors: where a list goes on."""

import base64
import binascii
from datetime import UTC, datetime

from shared.errors import Invalid
from shared.mongo import Document


class CursorUnknown(Invalid):
    """This is not the `next` of an earlier page."""

    field = "after"


def cursor(text: str | None) -> tuple[datetime, str] | None:
    """The position that `cut` wrote; CursorUnknown for anything else."""
    if text is None:
        return None
    try:
        moment, row_id = base64.urlsafe_b64decode(text.encode()).decode().split("~", 1)
        return datetime.fromisoformat(moment).astimezone(UTC), row_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise CursorUnknown from error


def cut(rows: list[Document], order: str, limit: int) -> tuple[list[Document], str | None]:
    """The first `limit` rows, and the cursor after them when there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor_after(rows[limit - 1], order)


def cursor_after(row: Document, order: str) -> str:
    """The cursor of the position after `row`."""
    return base64.urlsafe_b64encode(f"{row[order].isoformat()}~{row['_id']}".encode()).decode()
