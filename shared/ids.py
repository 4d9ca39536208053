"""Identifiers that a retry computes again: the same cause always gives the same id."""

import hashlib
import re
from uuid import UUID, uuid4, uuid5

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without those that are mistaken for figures or for each other
_NAMESPACE = UUID("7b1c5f0e-3a0b-5d55-9d58-2f6a4f1d0c11")


def derived_id(*parts: object) -> str:
    """An id (32 hex digits) that depends on `parts` alone, for example on who asked and the request's key."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts)).hex


def random_id() -> str:
    """A fresh id of 32 hex digits."""
    return uuid4().hex


def is_id(text: str) -> bool:
    """Whether `text` has the shape of an id made here."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def registration_number(registration_id: str) -> str:
    """The short number that people say on the telephone, like `K7M2-9QX4`; it follows from the id alone."""
    bits = int.from_bytes(hashlib.sha256(registration_id.encode()).digest()[:5], "big")
    text = "".join(_LETTERS[bits >> shift & 31] for shift in range(35, -1, -5))
    return f"{text[:4]}-{text[4:]}"
