"""What a mail server's answer means. Pure.

An answer is a reply code (RFC 5321), often with an enhanced status code (RFC 3463): `550 5.1.1 No such user`.
"""

import re
from typing import Literal

from services.notify.domain import clean
from services.notify.smtp.relays import ascii_domain

Meaning = Literal[
    "address_unknown", "mailbox_full", "not_wanted", "too_large", "busy", "no_connection", "our_access", "our_fault",
    "not_an_address", "suppressed", "too_late", "accepted", "unclear",
]  # fmt: skip
INVALID_ADDRESS = "this address cannot be written to"
_ADDRESS_CODES = ("521", "550", "551", "553", "556")
_ADDRESS_STATUS = re.compile(r"5\.1\.(1|2|3|6|10)|5\.2\.1|5\.4\.4")
_OF_THE_MAIL = re.compile(  # without a status code these words say that it is not the address that is wrong
    r"spam|\bpolic(y|ies)\b|\bspf\b|\bdkim\b|\bdmarc\b|blocked|black-?list|block-?list|reputation", re.IGNORECASE
)
_ANSWER = re.compile(r"(?:gave up: )?(\d{3})[ -]?(?:(\d\.\d{1,3}\.\d{1,3})\b)?")


def is_hard_bounce(answer: str) -> bool:
    """Whether the server says that this address will never take a mail. A mail that it does not like, a full mailbox
    or a policy says nothing about the address."""
    if answer == INVALID_ADDRESS:
        return True
    code, status = _parts(answer)
    if not code.startswith("5"):
        return False
    if status:
        return bool(_ADDRESS_STATUS.fullmatch(status))
    return code in _ADDRESS_CODES and not _OF_THE_MAIL.search(answer)


def without_address(answer: str, email: str) -> str:
    """A server's answer without the recipient's address, so that logs and messages hold no personal data."""
    named = "@" in answer or "@" not in email
    for form in _forms(email) if named and email else ():
        answer = re.sub(re.escape(form), "<address>", answer, flags=re.IGNORECASE)
    return clean(answer)[:500]


def _forms(email: str) -> tuple[str, ...]:
    """An address as it was typed, and as a mail server knows it: its domain in ASCII."""
    local, _, domain = email.strip().rpartition("@")
    try:
        return email.strip(), f"{local}@{ascii_domain(domain)}"
    except UnicodeError:  # nobody can be written to there, so no server names it
        return (email.strip(),)


def meaning_of(answer: str, reason: str = "") -> Meaning:
    """An answer in one of the few ways in which a mail can be stuck."""
    if reason == "suppressed" or answer.startswith("suppressed"):
        return "suppressed"
    if answer == INVALID_ADDRESS:
        return "not_an_address"
    if "internal:" in answer:
        return "our_fault"
    code, status = _parts(answer)
    if not code:
        return _without_code(answer, reason)
    if code.startswith("2"):
        return "accepted"
    if code in ("530", "534", "535", "538"):
        return "our_access"
    return _of_codes(code, status, answer)


def _without_code(answer: str, reason: str) -> Meaning:
    if "no connection" in answer or "no answer in time" in answer or "Disconnected" in answer:
        return "no_connection"
    return "too_late" if reason == "gave_up" else "unclear"


def _of_codes(code: str, status: str, answer: str) -> Meaning:
    if status.endswith(".2.2") or code == "452":
        return "mailbox_full"
    if status.endswith(".3.4") or status.endswith(".2.3"):
        return "too_large"
    if code.startswith("4"):
        return "busy"
    if is_hard_bounce(answer.removeprefix("gave up: ")):
        return "address_unknown"
    return "not_wanted"


def _parts(answer: str) -> tuple[str, str]:
    found = _ANSWER.match(answer)
    return (found.group(1), found.group(2) or "") if found else ("", "")
