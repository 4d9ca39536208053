"""The picture of the mail log, counted by hand: by the region's days, also when one of them has 25 hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.notify.store.mail_log import MailLog, Tally
from shared.mongo import Database

ZONE = "Europe/Berlin"


def local(day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo(ZONE), fold=fold).astimezone(UTC)


@pytest.fixture
async def log(notify_db: Database) -> MailLog:
    """Clocks are put back on 25 October: that day has two hours from 2 to 3."""
    due = [
        (local(23, 23, 59), "sent"),
        (local(24, 0), "sent"), (local(24, 23, 59), "refused"),
        (local(25, 0), "sent"), (local(25, 2, 30), "sent"), (local(25, 2, 30, fold=1), "sent"),
        (local(25, 23, 30), "planned"),
        (local(26, 0), "planned"), (local(26, 12), "planned"),
    ]  # fmt: skip
    await notify_db.deliveries.insert_many([{"due_at": at, "state": state} for at, state in due])
    return MailLog(notify_db)


async def test_each_mail_counts_on_its_local_day(log: MailLog) -> None:
    found = await log.per_day("state", {}, local(24, 0), local(27, 0), ZONE)
    assert sorted(found, key=lambda each: (each.day, each.what)) == [
        Tally("2026-10-24", "refused", 1), Tally("2026-10-24", "sent", 1),
        Tally("2026-10-25", "planned", 1), Tally("2026-10-25", "sent", 3),
        Tally("2026-10-26", "planned", 2),
    ]  # fmt: skip


async def test_only_the_asked_span_and_the_asked_mails_count(log: MailLog) -> None:
    found = await log.per_day("state", {"state": "planned"}, local(25, 12), local(26, 12), ZONE)
    assert found == [Tally("2026-10-25", "planned", 1), Tally("2026-10-26", "planned", 1)]


async def test_past_days_are_counted_anew_after_a_minute_and_today_always(log: MailLog, notify_db: Database) -> None:
    async def counted(now: datetime) -> dict[str, int]:
        found = await log.states_by_day(local(24, 0), local(26, 0), local(27, 0), now=now, zone=ZONE)
        return {day: sum(each.count for each in found if each.day == day) for day in sorted(each.day for each in found)}

    assert await counted(local(26, 9)) == {"2026-10-24": 2, "2026-10-25": 4, "2026-10-26": 2}
    more = [{"due_at": local(day, 8), "state": "sent"} for day in (24, 26)]
    await notify_db.deliveries.insert_many(more)
    assert await counted(local(26, 9)) == {"2026-10-24": 2, "2026-10-25": 4, "2026-10-26": 3}
    assert await counted(local(26, 9, 1)) == {"2026-10-24": 3, "2026-10-25": 4, "2026-10-26": 3}
