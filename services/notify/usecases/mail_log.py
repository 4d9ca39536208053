"""The mail log: looking at deliveries, sending one again."""

from dataclasses import replace
from datetime import datetime

from services.notify import domain
from services.notify.domain import ContentErased, Delivery, DeliveryUnknown
from services.notify.rendering import Content
from services.notify.usecases.context import Context
from services.notify.usecases.sending import with_facts
from shared.auth import Identity


async def list_deliveries(
    context: Context, identity: Identity, where: dict[str, str], *, limit: int, after: str | None
) -> tuple[list[Delivery], str | None]:
    """Deliveries by state, kind, recipient and about, the newest first, and the cursor of the rest."""
    identity.must_operate()
    found, cursor = await context.store.deliveries.page(where, limit, after)
    return [domain.masked(delivery) for delivery in found], cursor


async def count_by_state(context: Context, identity: Identity) -> dict[str, int]:
    """How many deliveries there are in each state."""
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
    moment = delivery.sent_at or delivery.due_at
    return context.writer.content(delivery, moment, secrets=False) if delivery.facts else None


async def resend_delivery(
    context: Context, identity: Identity, delivery_id: str, *, even_if_sent: bool, now: datetime, request_id: str
) -> Delivery:
    """Plan a refused or deferred mail again, now; a sent one only when that is asked for. A retry finds it planned."""
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
    again = domain.resent(delivery, now, context.writer.domain, request_id, even_if_sent)
    await context.store.deliveries.replace(again)
    return domain.masked(again)


async def _delivery(context: Context, delivery_id: str) -> Delivery:
    delivery = await context.store.deliveries.get(delivery_id)
    if delivery is None:
        raise DeliveryUnknown
    return delivery
