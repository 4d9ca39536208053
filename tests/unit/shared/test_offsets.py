"""Offsets of reminders: what people write, what is kept, and the words for it."""

from datetime import time

import pytest

from shared.offsets import (
    USUAL,
    DaysBefore,
    HoursBefore,
    Offset,
    OffsetTooLong,
    OffsetUnclear,
    TooManyOffsets,
    in_words,
    offsets_of,
    parse,
    texts_of,
)

AT_NOON = time(12, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14 days and 2 days before at 8:00", (DaysBefore(14), DaysBefore(2))),
        ("14 Tage und 2 Tage vorher um 8:00 Uhr", (DaysBefore(14), DaysBefore(2))),
        ("2, 14", (DaysBefore(14), DaysBefore(2))),
        ("14 und 2 Tage vorher um 12:30", (DaysBefore(14, AT_NOON), DaysBefore(2, AT_NOON))),
        ("1 hour before", (HoursBefore(1),)),
        ("1 Tag vorher um 12:30, 3 Stunden vorher", (DaysBefore(1, AT_NOON), HoursBefore(3))),
        ("3 and 1 hours before; 7 days before", (DaysBefore(7), HoursBefore(3), HoursBefore(1))),
        ("14d, 2d@12:30, 1h", (DaysBefore(14), DaysBefore(2, AT_NOON), HoursBefore(1))),
        ("2, 2 days", (DaysBefore(2),)),
        ("Keine", ()),
        ("", ()),
    ],
)
def test_what_people_write_in_german_or_english_is_understood(text: str, expected: tuple[Offset, ...]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["soon", "2 weeks", "2 days after", "0 hours", "1 hour at 8:00", "2 days at 25:00", "-1"]
)
def test_what_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(OffsetUnclear):
        parse(text)


def test_there_are_bounds() -> None:
    assert parse("60 days, 48 hours") == (DaysBefore(60), HoursBefore(48))
    for text in ("61 days", "49 hours"):
        with pytest.raises(OffsetTooLong):
            parse(text)
    with pytest.raises(TooManyOffsets):
        parse("1, 2, 3, 4, 5, 6")


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(
    "offsets",
    [
        (),
        USUAL,
        (DaysBefore(1),),
        (DaysBefore(14), DaysBefore(7, AT_NOON), DaysBefore(2), HoursBefore(2), HoursBefore(1)),
    ],
)
def test_the_words_and_the_short_texts_say_the_same_again(offsets: tuple[Offset, ...], language: str) -> None:
    assert parse(in_words(offsets, language)) == offsets
    assert offsets_of(texts_of(offsets)) == offsets


def test_the_words_are_those_of_the_language() -> None:
    offsets = parse("14d, 2d, 1h")
    assert in_words(offsets, "de") == "14 und 2 Tage vorher um 8:00, 1 Stunde vorher"
    assert in_words(offsets, "en") == "14 and 2 days before at 8:00, 1 hour before"
    assert in_words((), "de") == "keine"
