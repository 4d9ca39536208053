"""What goes out in the next days, and what each kind of mail looks like."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.notify import domain
from services.notify.domain import Delivery, DeliveryUnknown, instant
from services.notify.mails import KINDS
from services.notify.rendering import Content
from services.notify.samples import ZONE, Language, sample_deliveries
from services.notify.store.mail_log import Tally
from services.notify.urgency import REMINDERS
from services.notify.usecases.context import Context
from shared.auth import Identity

DAYS = 14
TUESDAY = 1
SAMPLE_STARTS = time(9)
REMINDED = timedelta(days=2, hours=1)  # before the start, as most reminders are


async def tally_coming(
    context: Context, identity: Identity, *, now: datetime, zone: str
) -> tuple[list[date], list[Tally]]:
    """The next local days from today on, and how many mails of each kind are planned for each."""
    identity.must_operate()
    today = now.astimezone(ZoneInfo(zone)).date()
    days = [today + timedelta(days=ahead) for ahead in range(DAYS)]
    ends = domain.instant(datetime.combine(days[-1] + timedelta(days=1), time()), zone)
    return days, await context.store.log.per_day("kind", {"waiting": True}, now, ends, zone)


async def list_coming(
    context: Context, identity: Identity, *, now: datetime, limit: int, after: str | None
) -> tuple[list[Delivery], str | None]:
    """What is planned, the soonest first, and the cursor of the rest."""
    identity.must_operate()
    return await context.store.log.coming(now, limit, after)


def list_samples(identity: Identity, language: Language, *, now: datetime) -> dict[str, list[Delivery]]:
    """A made-up mail of each kind to each of its recipients, by kind."""
    identity.must_operate()
    found: dict[str, list[Delivery]] = {kind: [] for kind in KINDS}
    for delivery in _samples(language, now):
        found.setdefault(delivery.kind, []).append(delivery)
    return {kind: deliveries for kind, deliveries in found.items() if deliveries}


def show_sample(
    context: Context, identity: Identity, kind: str, tag: str, language: Language, *, now: datetime
) -> tuple[Delivery, Content, str, list[Delivery]]:
    """One sample written, its calendar part (or an empty text), and all samples of the kind. DeliveryUnknown."""
    variants = list_samples(identity, language, now=now).get(kind, [])
    if not variants:
        raise DeliveryUnknown
    chosen = next((each for each in variants if each.to.tag == tag), variants[0])
    written = instant(_sample_start(now) - REMINDED, ZONE) if kind in REMINDERS else now
    return chosen, context.writer.content(chosen, written), context.writer.calendar_text(chosen, written), variants


def _samples(language: Language, now: datetime) -> Iterator[Delivery]:
    return sample_deliveries(language, _sample_start(now), now)


def _sample_start(now: datetime) -> datetime:
    """A Tuesday in three weeks or a little more, so that the dates look as they do in life."""
    day = now.date() + timedelta(days=21)
    day += timedelta(days=(TUESDAY - day.weekday()) % 7)
    return datetime.combine(day, SAMPLE_STARTS)
