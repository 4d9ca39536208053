"""Calendar parts, parsed back with icalendar, around both clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.calendar import Entry, by_the_library, ics
from services.notify.domain import CalendarPart
from services.notify.vtimezone import vtimezone

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def entry(starts: datetime = datetime(2026, 12, 1, 9), zone: str = "Europe/Berlin") -> Entry:
    return Entry(
        summary="Gießerei, Führung; mit Öl",
        description="Feste Schuhe\nTor 1",
        location="Beispielweg 1, 57072 Siegen",
        url="https://perspektive.example/events/registrations/reg1",
        starts_local=starts,
        ends_local=starts + timedelta(hours=3),
        zone=zone,
        organizer=("Perspektive", "mail@perspektive.example"),
        attendee=('Tessa "T" Müller', "tessa@schule.example"),
    )


def test_a_request_parsed_back_says_everything() -> None:
    text = ics(CalendarPart("REQUEST", "registration-reg1-teacher@x.example", 3), entry(), NOW)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("registration-reg1-teacher@x.example", 3, "CONFIRMED")
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert event["DTSTART"].dt == datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    assert event["SUMMARY"] == "Gießerei, Führung; mit Öl"
    assert event["ORGANIZER"] == "mailto:mail@perspektive.example"
    assert event["ATTENDEE"] == "mailto:tessa@schule.example"
    assert event["ATTENDEE"].params["CN"] == "Tessa 'T' Müller"


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200)
PEOPLE = st.tuples(
    WORDS, st.sampled_from(["tessa@schule.example", "a.very.long.address.indeed@" + "x" * 50 + ".example"])
)
PARTS = st.builds(CalendarPart, st.sampled_from(["REQUEST", "CANCEL"]), st.just("u-1@x.example"), st.integers(0, 99))
ENTRIES = st.builds(
    Entry,
    summary=WORDS,
    description=st.lists(WORDS).map("\n".join),
    location=WORDS,
    url=st.sampled_from(["", "https://perspektive.example/events/registrations/" + "r" * 60]),
    starts_local=st.sampled_from([datetime(2026, 12, 1, 9), datetime(2027, 3, 28, 9, 30)]),
    ends_local=st.just(datetime(2027, 3, 28, 12)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]),
    organizer=st.none() | PEOPLE,
    attendee=st.none() | PEOPLE,
)


@given(PARTS, ENTRIES)
def test_the_part_written_by_hand_is_the_one_that_the_library_writes(part: CalendarPart, entry: Entry) -> None:
    assert ics(part, entry, NOW) == by_the_library(part, entry, NOW)


def test_a_cancellation_says_so_twice() -> None:
    calendar = Calendar.from_ical(ics(CalendarPart("CANCEL", "u@x.example", 4), entry(), NOW))
    (event,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 4)


@pytest.mark.parametrize(
    ("starts", "moment"),
    [
        (datetime(2026, 10, 24, 9), datetime(2026, 10, 24, 7, tzinfo=UTC)),
        (datetime(2026, 10, 25, 9), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        (datetime(2027, 3, 27, 9), datetime(2027, 3, 27, 8, tzinfo=UTC)),
        (datetime(2027, 3, 28, 9), datetime(2027, 3, 28, 7, tzinfo=UTC)),
    ],
)
def test_the_part_s_own_zone_rules_give_the_right_moment_around_clock_changes(
    starts: datetime, moment: datetime
) -> None:
    calendar = Calendar.from_ical(ics(CalendarPart("REQUEST", "u@x.example", 0), entry(starts), NOW))
    (zone,) = calendar.walk("VTIMEZONE")
    (event,) = calendar.walk("VEVENT")
    wall = event["DTSTART"].dt.replace(tzinfo=zone.to_tz(lookup_tzid=False))
    assert wall.astimezone(UTC) == moment


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Sydney"]
)
def test_a_zone_s_rules_agree_with_the_zone_data_in_every_hour_of_two_years(name: str) -> None:
    written, real = vtimezone(name, 2026).to_tz(lookup_tzid=False), ZoneInfo(name)
    hours = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(2 * 365 * 24))
    assert [hour for hour in hours if hour.astimezone(written).utcoffset() != hour.astimezone(real).utcoffset()] == []


def test_the_region_s_zone_is_written_as_its_yearly_rule() -> None:
    text = vtimezone("Europe/Berlin", 2026).to_ical().decode()
    assert "DTSTART:20250330T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3" in text
    assert "DTSTART:20251026T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10" in text
