"""What a mail holds, taken apart for reading."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape

from deploy.local.mailbox.store import read_message

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")


@dataclass(frozen=True)
class Content:
    """The parts of one mail as text; an absent part is empty. `attachments` are (name, type, size in bytes)."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    calendar: str
    calendar_method: str
    attachments: tuple[tuple[str, str, int], ...]


def read_content(source: bytes) -> Content:
    """Take a mail's source apart; undecodable bytes become replacement characters."""
    message = read_message(source)
    parts = [part for part in message.walk() if not part.is_multipart()]
    calendar = _first(parts, "text/calendar")
    return Content(
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_text(_first(parts, "text/plain")),
        html=_text(_first(parts, "text/html")),
        calendar=_text(calendar),
        calendar_method=str(calendar.get_param("method", "")).upper() if calendar else "",
        attachments=tuple(_attachment(part) for part in parts if part.get_filename()),
    )


def with_links(text: str) -> str:
    """Plain text as HTML in which web addresses can be followed."""
    pieces, end = [], 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        pieces += [escape(text[end : found.start()]), f'<a href="{address}" rel="noreferrer">{address}</a>']
        end = found.end()
    return "".join([*pieces, escape(text[end:])])


def opening_new_tabs(html: str) -> str:
    """The mail's HTML with its links leading to new tabs: inside the sandbox, pages could not work."""
    base = '<base target="_blank">'
    return re.sub(r"(<head[^>]*>)", rf"\1{base}", html, count=1, flags=re.I) if "<head" in html.lower() else base + html


def _first(parts: list[EmailMessage], content_type: str) -> EmailMessage | None:
    return next((part for part in parts if part.get_content_type() == content_type), None)


def _text(part: EmailMessage | None) -> str:
    if part is None:
        return ""
    content = part.get_payload(decode=True) or b""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _attachment(part: EmailMessage) -> tuple[str, str, int]:
    return part.get_filename() or "", part.get_content_type(), len(part.get_payload(decode=True) or b"")
