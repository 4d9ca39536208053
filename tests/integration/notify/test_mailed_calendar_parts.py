"""Calendar parts of mails that went through an SMTP server, read by another library than the one that writes them."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import vobject

from shared.schemas import events
from tests.support.notify_builders import COMPANY, TEACHER, registration, said, slot, slot_moved
from tests.support.notify_world import World, part

pytestmark = pytest.mark.processes_only
BERLIN = ZoneInfo("Europe/Berlin")
# A date on the day before the clocks change, moved to the day itself, by wall time.
CHANGES = {
    "to summer time": (datetime(2027, 3, 27, 9), datetime(2027, 3, 28, 9), 2),
    "to winter time": (datetime(2027, 10, 30, 9), datetime(2027, 10, 31, 9), 1),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_an_entry_is_made_moved_over_the_clock_change_and_taken_away(world: World, change: str) -> None:
    first, second, hours_from_utc = CHANGES[change]
    moved = slot(2, second)
    gone = registration("cancelled", 2, slot=moved, cancelled_by="school")
    await world.hear(said(events.RegistrationConfirmed, registration(slot=slot(1, first))))
    await world.send_all()
    await world.hear(slot_moved(moved, first))
    await world.send_all()
    await world.hear(said(events.RegistrationCancelled, gone))
    await world.send_all()
    for recipient in (TEACHER.email, COMPANY.email):
        sent = zip(world.server.recipients, world.server.mails, strict=True)
        read = [_read(mail) for to, mail in sent if to == recipient]
        assert [calendar.method.value for calendar in read] == ["REQUEST", "REQUEST", "CANCEL"]
        assert len({calendar.vevent.uid.value for calendar in read}) == 1
        sequences = [int(calendar.vevent.sequence.value) for calendar in read]
        assert sequences == sorted(set(sequences)), "each part raises it"
        assert [_wall(calendar) for calendar in read] == [(first, 3), (second, 3), (second, 3)]
        assert read[1].vevent.dtstart.value.utcoffset() == timedelta(hours=hours_from_utc)
        assert read[0].vevent.dtstart.value.utcoffset() == timedelta(hours=3 - hours_from_utc)


def _read(mail: EmailMessage) -> Any:
    """The calendar in the mail, which is an alternative and the same as a file. Its rules of the zone give the right
    moments."""
    inline, attached = part(mail, "text/calendar"), part(mail, "application/ics")
    text = inline.get_content()
    assert attached.get_content().decode() == text and attached.get_filename() == "invite.ics"
    assert not inline.is_attachment() and attached.is_attachment()
    calendar = vobject.readOne(text)
    assert inline.get_param("method") == attached.get_param("method") == calendar.method.value
    assert calendar.vtimezone.tzid.value == "Europe/Berlin"
    assert "DTSTART;TZID=Europe/Berlin:" in text
    for moment in (calendar.vevent.dtstart.value, calendar.vevent.dtend.value):
        assert moment.astimezone(UTC) == moment.replace(tzinfo=BERLIN).astimezone(UTC)
    return calendar


def _wall(calendar: Any) -> tuple[datetime, float]:
    """When it starts, by the clock on the wall, and how many hours it takes."""
    event = calendar.vevent
    length = event.dtend.value - event.dtstart.value
    return event.dtstart.value.replace(tzinfo=None), length.total_seconds() / 3600
