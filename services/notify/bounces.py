"""What comes back after a mail was accepted: notifications of failure or delay (RFC 3464), complaints (RFC 5965), and
what older servers write in words of their own. Pure: bytes in, facts out."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Literal

from flufl.bounce import all_failures

from services.notify.answers import is_hard_bounce, meaning_of

Kind = Literal["bounced", "delayed", "complained"]
_MESSAGE_ID = re.compile(rb"(?im)^[ \t>]*Message-ID:\s*(<[^<>\s]{3,250}>)")
_CODE = re.compile(r"\b([245]\d\d)\b[ -]?(\d\.\d{1,3}\.\d{1,3}\b)?")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_LARGEST = 1_000_000


@dataclass(frozen=True)
class Bounce:
    """What a notification says. `names` are the ENVIDs and Message-IDs by which it may name a mail of ours, and
    `addresses` those that failed, where only the text tells; `id` is the same when it comes twice."""

    id: str
    kind: Kind
    answer: str
    names: frozenset[str]
    addresses: frozenset[str] = frozenset()

    @property
    def is_about_the_address(self) -> bool:
        """Whether it says that the address takes no mails, now and later."""
        return self.kind == "bounced" and is_hard_bounce(self.answer)


def read_bounce(content: bytes) -> Bounce | None:
    """The notification in a mail, or None when it is something else, for example that somebody is on holiday."""
    content = content[:_LARGEST]
    message = message_from_bytes(content)
    names = frozenset(_names(message, content))
    id = hashlib.sha256(content).hexdigest()[:32]
    if feedback := _part(message, "message/feedback-report"):
        return _complaint(id, feedback, names)
    if status := _part(message, "message/delivery-status"):
        return _notification(id, status, names)
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # anybody can send anything here, and its detectors stumble over some of it
        return None
    if not temporary and not permanent:
        return None
    kind: Kind = "bounced" if permanent else "delayed"
    addresses = frozenset(each.decode().lower() for each in permanent or temporary)
    return Bounce(id, kind, _answer_in_words(message, kind), names, addresses)


def _complaint(id: str, feedback: Message, names: frozenset[str]) -> Bounce | None:
    kind = "".join(str(block.get("Feedback-Type", "")) for block in _blocks(feedback)).strip().lower()
    return None if kind in ("", "not-spam") else Bounce(id, "complained", f"complaint: {kind[:40]}", names)


def _notification(id: str, status: Message, names: frozenset[str]) -> Bounce | None:
    """One mail of ours has one recipient: the first block that fails or waits is about it."""
    for block in _blocks(status):
        action = str(block.get("Action", "")).strip().lower()
        if action.startswith(("fail", "error")):
            return Bounce(id, "bounced", _answer(block, "5"), names)
        if action.startswith("delayed"):
            return Bounce(id, "delayed", _answer(block, "4"), names)
    return None


def _answer(block: Message, class_: str) -> str:
    """`550 5.1.1 No such user` from the block's diagnosis and status, with what of it there is."""
    _, _, text = str(block.get("Diagnostic-Code", "")).partition(";")
    text = " ".join(text.split())
    found = _STATUS.search(str(block.get("Status", "")))
    status = found.group() if found else f"{class_}.0.0"
    if code := _CODE.match(text):
        given = code.group(2)
        rest = text[code.end() :].strip()
        exact = given or (status if not status.endswith(".0.0") else "")
        return " ".join(filter(None, [code.group(1), exact, rest]))
    return f"{status[0]}50 {status} {text}".strip()


def _answer_in_words(message: Message, kind: Kind) -> str:
    """From a text that no standard describes: the first code in it, else that the address failed."""
    text = " ".join(_text(message).split())
    code, status = _CODE.search(text), _STATUS.search(text)
    class_ = "5" if kind == "bounced" else "4"
    known = status.group() if status and status.group(1) == class_ else f"{class_}.1.1"
    if meaning_of(f"{class_}50 {known}") == "address_unknown" and re.search(r"quota|mailbox (is )?full", text, re.I):
        known = f"{class_}.2.2"
    return f"{code.group(1) if code and code.group(1)[0] == class_ else class_ + '50'} {known} (told in words)"


def _names(message: Message, content: bytes) -> Iterator[str]:
    """ENVIDs, and Message-IDs of what is returned or referred to, in angle brackets."""
    own = str(message.get("Message-ID", "")).strip()
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            yield from (str(block["Original-Envelope-Id"]).strip() for block in _blocks(part) if _has_envelope(block))
    referred = f"{message.get('In-Reply-To', '')} {message.get('References', '')}".split()
    found = [each.decode(errors="replace") for each in _MESSAGE_ID.findall(content)]
    yield from (each for each in [*referred, *found] if each != own)


def _has_envelope(block: Message) -> bool:
    return block.get("Original-Envelope-Id") is not None


def _part(message: Message, content_type: str) -> Message | None:
    return next((part for part in message.walk() if part.get_content_type() == content_type), None)


def _blocks(status: Message) -> list[Message]:
    payload = status.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _text(message: Message) -> str:
    texts = [part for part in message.walk() if part.get_content_type() == "text/plain"]
    return "\n".join((part.get_payload(decode=True) or b"").decode(errors="replace") for part in texts[:3])[:20_000]
