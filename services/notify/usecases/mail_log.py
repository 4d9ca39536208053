"""The mail log: looking at deliveries, sending one again."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.notify import domain
from services.notify.digest import one_mail
from services.notify.domain import ContentErased, Delivery, DeliveryUnknown
from services.notify.rendering import Content
from services.notify.store.mail_log import Tally
from services.notify.suppression import AddressIsSuppressed
from services.notify.usecases.context import Context
from services.notify.usecases.sending import with_facts
from services.notify.usecases.writing import as_sample, words_of
from shared.auth import Identity


@dataclass(frozen=True)
class LogFilter:
    """What of the log is shown; nothing personal, for it stands in the address."""

    state: str = ""
    kind: str = ""
    about: str = ""
    day: date | None = None

    def plain(self) -> dict[str, str]:
        """The fields that are compared as they are."""
        return {"state": self.state, "kind": self.kind, "about": self.about}


async def list_deliveries(
    context: Context, identity: Identity, where: dict[str, str], *, limit: int, after: str | None
) -> tuple[list[Delivery], str | None]:
    """Deliveries by state, kind and about, the newest first, and the cursor of the rest."""
    identity.must_operate()
    found, cursor = await context.store.deliveries.page(where, limit, after)
    return [domain.masked(delivery) for delivery in found], cursor


async def find_deliveries(
    context: Context, identity: Identity, shown: LogFilter, *, zone: str, limit: int, after: str | None
) -> tuple[list[Delivery], str | None]:
    """Deliveries of a state, kind and local day of being due, the newest first, and the cursor of the rest."""
    identity.must_operate()
    where: dict[str, Any] = {name: value for name, value in shown.plain().items() if value}
    if shown.day:
        where["due_at"] = dict(zip(("$gte", "$lt"), _day(shown.day, zone), strict=True))
    return await context.store.log.page(where, limit, after)


async def search_deliveries(context: Context, identity: Identity, q: str) -> list[Delivery]:
    """Deliveries by recipient (name, address) and subject: every word typed begins one of theirs."""
    identity.must_operate()
    return await context.store.log.search(q)


async def tally_days(
    context: Context, identity: Identity, *, now: datetime, zone: str, days: int = 14
) -> tuple[list[date], list[Tally]]:
    """The last `days` local days up to today, and how many mails of each state were due on each; those of past days as
    they were at most a minute ago."""
    identity.must_operate()
    today = now.astimezone(ZoneInfo(zone)).date()
    shown = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    starts, _ = _day(shown[0], zone)
    return shown, await context.store.log.states_by_day(starts, *_day(today, zone), now=now, zone=zone)


def _day(day: date, zone: str) -> tuple[datetime, datetime]:
    """The moments at which a local day begins and ends."""
    midnight = datetime.combine(day, time())
    return domain.instant(midnight, zone), domain.instant(midnight + timedelta(days=1), zone)


async def count_by_state(context: Context, identity: Identity) -> dict[str, int]:
    """How many deliveries there are in each state; counting ends at 1000."""
    identity.must_operate()
    return await context.store.deliveries.counts()


async def show_delivery(context: Context, identity: Identity, delivery_id: str) -> Delivery:
    """One delivery, pupils' addresses masked; DeliveryUnknown."""
    identity.must_operate()
    return domain.masked(await _delivery(context, delivery_id))


async def show_content(context: Context, identity: Identity, delivery: Delivery, *, now: datetime) -> Content | None:
    """The mail as it was or would be written, what lets people in masked; None when nothing is left of it."""
    identity.must_operate()
    if delivery.kind == "sign_in":
        hidden = {"token": "", "code": "", "expires_at": delivery.gives_up_at.isoformat()}
        return context.writer.content(replace(delivery, facts=hidden), now, secrets=False)
    delivery = await with_facts(context, delivery)
    if not delivery.facts:
        return None
    moment = delivery.sent_at or delivery.due_at
    if others := await list_together(context, identity, delivery):
        whole = one_mail([delivery, *[await with_facts(context, other) for other in others if other.to.email]])
        return context.writer.content(whole, moment, secrets=False)
    words = await words_of(context, delivery)
    return context.writer.content(as_sample(delivery), moment, secrets=False, wording=words)


async def list_together(context: Context, identity: Identity, delivery: Delivery) -> list[Delivery]:
    """The other reminders that were in the same mail."""
    identity.must_operate()
    if delivery.kind in domain.FOR_PUPILS or not delivery.sent_at:
        return []
    parts = await context.store.reminders.parts(delivery.together)
    return [
        part for part in parts if part.key != delivery.key and part.message_id == delivery.message_id and part.sent_at
    ]


async def find_recipient(context: Context, identity: Identity, delivery: Delivery) -> str:
    """The id of the person whose address this is now, or an empty text."""
    identity.must_operate()
    return await context.store.person_with(delivery.to.email) if delivery.to.email else ""


async def resend_delivery(
    context: Context,
    identity: Identity,
    delivery_id: str,
    *,
    even_if_sent: bool,
    now: datetime,
    request_id: str,
    to_address: str = "",
) -> Delivery:
    """Plan a refused or deferred mail again, now, to another address when one is given; a sent one only when that is
    asked for. A retry finds it planned. AddressIsSuppressed, and the rules of `domain.resent`."""
    identity.must_operate()
    delivery = await _delivery(context, delivery_id)
    if delivery.last_request_id == request_id:
        return domain.masked(delivery)
    if (
        delivery.facts is None
        and delivery.kind in domain.WRITTEN_LATE
        and not (await with_facts(context, delivery)).facts
    ):
        raise ContentErased
    to = replace(delivery.to, email=to_address or delivery.to.email)
    if await context.store.suppressions.active(to.email):
        raise AddressIsSuppressed
    again = replace(domain.resent(delivery, now, context.writer.domain, request_id, even_if_sent), to=to)
    await context.store.deliveries.replace(again)
    return domain.masked(again)


async def _delivery(context: Context, delivery_id: str) -> Delivery:
    delivery = await context.store.deliveries.get(delivery_id)
    if delivery is None:
        raise DeliveryUnknown
    return delivery
