"""Texts as cells: a spreadsheet program must never take one for a formula, and reading gives back the very text.

CSV: a text that begins like a formula, or with an apostrophe, gets an apostrophe in front. XLSX: texts are cells of
the type text, which no program calculates, so that only a text that would be read as an escaped one gets it.
"""

import re
import unicodedata

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
APOSTROPHE = "'"
NOT_IN_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")


def for_csv(text: str) -> str:
    """The text as it stands in a CSV file."""
    return APOSTROPHE + text if _begins_like_a_formula(text) else text


def for_xlsx(text: str) -> str:
    """The text as it stands in an XLSX file; the few characters that XML cannot hold are replaced."""
    kept = NOT_IN_XML.sub("\ufffd", text)
    return APOSTROPHE + kept if kept.startswith(APOSTROPHE) and _begins_like_a_formula(kept[1:]) else kept


def plain(cell: str) -> str:
    """The text that was meant, of either file."""
    return cell[1:] if cell.startswith(APOSTROPHE) and _begins_like_a_formula(cell[1:]) else cell


def unescaped_xml(cell: str) -> str:
    """The text of an XLSX cell with its `_x000D_` as the characters that they stand for."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: _meant(chr(int(found[1], 16))), cell)


def _meant(character: str) -> str:
    """The character; nothing for a control character, and for half of one what stands for an unreadable one."""
    if NOT_IN_XML.match(character):
        return "\ufffd"
    return character if character in "\t\n\r" or unicodedata.category(character) != "Cc" else ""


def _begins_like_a_formula(text: str) -> bool:
    return text.startswith((*FORMULA, APOSTROPHE)) or text.lstrip().startswith((*FORMULA, APOSTROPHE))
