"""What a typed text may hold. What it refuses is not seen when it is read, breaks a line of a mail or a table apart, or
turns round what stands behind it."""

import re

from pydantic import AfterValidator

from shared.errors import Invalid

# Control characters, marks that turn the direction of what follows, and what no XML file (a workbook) can hold.
_HIDDEN = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff"
_IN_TEXT = re.compile(f"[{_HIDDEN}]")
_IN_LINE = re.compile(f"[{_HIDDEN}\t\n\r\u2028\u2029]")


class ControlCharacters(Invalid, ValueError):
    """Line breaks and control characters are not allowed here."""


class HiddenCharacters(Invalid, ValueError):
    """This text holds control characters, which nobody sees. Please type it anew instead of pasting it."""


def _line(text: str) -> str:
    if _IN_LINE.search(text):
        raise ControlCharacters
    return text


def _text(text: str) -> str:
    if _IN_TEXT.search(text):
        raise HiddenCharacters
    return text


one_line = AfterValidator(_line)  # a name, a title: ControlCharacters
readable = AfterValidator(_text)  # several lines: HiddenCharacters
