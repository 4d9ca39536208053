"""German and English: catalogues (PO files beside this one), and the formats of dates and numbers."""

import gettext
import io
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import Literal

from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from shared.errors import RuleBroken

Language = Literal["de", "en"]
CATALOGUES = Path(__file__).parent / "catalogues"
remembered = lru_cache(maxsize=4096)  # a page writes the same texts and days again and again


def _remembered_days(formatter: Callable[[date, str], str]) -> Callable[[date, str], str]:
    """Remembers by the wall date alone: moments of different zones can be equal and yet lie on different days."""
    kept = remembered(formatter)

    @wraps(formatter)
    def formatted(value: date, language: str) -> str:
        return kept(date(value.year, value.month, value.day), language)

    return formatted


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The translations from the English source texts into `language`; English needs none."""
    if language == "en":
        return gettext.NullTranslations()
    merged = Catalog(locale=language)
    for path in sorted(CATALOGUES.glob(f"*.{language}.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and message.string:
                    merged[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translate(text: str, language: str, **values: object) -> str:
    """`text` (English) in `language`, its {placeholders} filled."""
    found = translations(language).gettext(text)
    return found.format(**values) if values else found


def sentence(error: RuleBroken, language: str) -> str:
    """The sentence that a person reads about a broken rule."""
    return translate(error.template(), language).format(**_shown(error.values, language))


def _shown(values: dict[str, object], language: str) -> dict[str, object]:
    return {name: _as_read(value, language) for name, value in values.items()}


def _as_read(value: object, language: str) -> object:
    match value:
        case datetime():
            return day_and_time(value, language)
        case date():
            return day(value, language)
        case float():
            return format_decimal(value, locale=language)
    return value


@_remembered_days
def day(value: date, language: str) -> str:
    """A wall date with its weekday: `Di., 1. Dezember 2026` / `Tue, 1 December 2026`."""
    pattern = "EEE, d. MMMM y" if language == "de" else "EEE, d MMMM y"
    return format_date(value, pattern, locale=language)


def clock_time(value: datetime, language: str) -> str:
    """A wall time: `9:00 Uhr` / `9:00`."""
    return f"{value.hour}:{value.minute:02}" + (" Uhr" if language == "de" else "")


def day_and_time(value: datetime, language: str) -> str:
    """A wall date and time in one."""
    return f"{day(value.date(), language)}, {clock_time(value, language)}"


def time_span(start: datetime, end: datetime, language: str) -> str:
    """Two wall times of one day: `9:00–12:00 Uhr` / `9:00–12:00`."""
    return f"{start.hour}:{start.minute:02}–{clock_time(end, language)}".replace(" ", "\N{NO-BREAK SPACE}")


@_remembered_days
def weekday(value: date, language: str) -> str:
    """The short name of the weekday: `Di.` / `Tue`."""
    return format_date(value, "EEE", locale=language)


@_remembered_days
def month(value: date, language: str) -> str:
    """The month's name: `Dezember` / `December`."""
    return format_date(value, "LLLL", locale=language)


@_remembered_days
def short_day(value: date, language: str) -> str:
    """A wall date in figures: `01.12.2026` / `01/12/2026`."""
    return format_date(value, "dd.MM.y" if language == "de" else "dd/MM/y", locale=language)


def timestamp(value: datetime, language: str) -> str:
    """A moment for lists and logs."""
    return format_datetime(value, "dd.MM.y HH:mm:ss" if language == "de" else "dd/MM/y HH:mm:ss", locale=language)


def preferred(accept_language: str | None) -> Language:
    """The better of the two languages for an Accept-Language header; German when it names neither."""
    for part in (accept_language or "").lower().split(","):
        tag = part.split(";")[0].strip()[:2]
        if tag in ("de", "en"):
            return tag  # type: ignore[return-value]
    return "de"
