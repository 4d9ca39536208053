"""Suppressed addresses: looking, adding by hand, lifting."""

from datetime import datetime

from pydantic import EmailStr, TypeAdapter, ValidationError

from services.notify import domain
from services.notify.domain import ChangedMeanwhile, Delivery
from services.notify.suppression import (
    AlreadySuppressed,
    NotAnAddress,
    NoteMissing,
    Suppression,
    SuppressionUnknown,
    by_hand,
    lifted,
    still_useful,
)
from services.notify.usecases.context import Context
from services.notify.usecases.sending import known_of, with_facts
from shared.auth import Identity
from shared.errors import RuleBroken


async def list_suppressions(
    context: Context, identity: Identity, *, active: bool, limit: int, after: str | None
) -> tuple[list[Suppression], str | None]:
    """Suppressed addresses, or those that were lifted in the last months, the newest first."""
    identity.must_operate()
    return await context.store.suppressions.page(active, limit, after)


async def show_suppression(context: Context, identity: Identity, id: str) -> tuple[Suppression, list[Delivery]]:
    """One suppression with the mails that it holds back. SuppressionUnknown."""
    found, held = await _with_held(context, identity, id)
    return found, [domain.masked(delivery) for delivery in held]


async def _with_held(context: Context, identity: Identity, id: str) -> tuple[Suppression, list[Delivery]]:
    identity.must_operate()
    found = await context.store.suppressions.get(id)
    if found is None:
        raise SuppressionUnknown
    pupils = await context.store.log.held_from_pupils()
    of_pupils = [each for each in pupils if context.store.hash_of(each.to.email) == id]
    return found, [*await context.store.log.held_back_by(id), *of_pupils]


async def suppress_address(
    context: Context, identity: Identity, email: str, note: str, *, now: datetime, request_id: str
) -> Suppression:
    """Write to this address no more. NotAnAddress, NoteMissing, AlreadySuppressed."""
    identity.must_operate()
    try:
        TypeAdapter(EmailStr).validate_python(email.strip())
    except ValidationError as error:
        raise NotAnAddress from error
    if not domain.clean(note):
        raise NoteMissing
    id = context.store.hash_of(email)
    wanted = by_hand(email, id, domain.clean(note)[:300], identity.name, now, request_id)
    if not await context.store.suppressions.put(wanted):
        there = await context.store.suppressions.get(id)
        if there is None or there.last_request_id != request_id:
            raise AlreadySuppressed
        return there
    return wanted


async def lift_suppression(
    context: Context, identity: Identity, id: str, *, now: datetime, request_id: str
) -> tuple[Suppression, int]:
    """Write to the address again, and send what was held back and is still useful; returns how many mails that are."""
    found, held = await _with_held(context, identity, id)
    if found.last_request_id != request_id:
        found = lifted(found, identity.name, now, request_id)
        await context.store.suppressions.lift(found)
    again = [await _planned_again(context, delivery, now, request_id) for delivery in held]
    return found, sum(again)


async def count_useful(context: Context, held: list[Delivery], now: datetime) -> int:
    """How many of the mails held back would be sent after lifting."""
    return sum([await _is_useful(context, delivery, now) for delivery in held])


async def _is_useful(context: Context, delivery: Delivery, now: datetime) -> bool:
    known = await known_of(context, delivery)
    return still_useful(await with_facts(context, delivery), known, now)


async def _planned_again(context: Context, delivery: Delivery, now: datetime, request_id: str) -> bool:
    if delivery.last_request_id == request_id or not await _is_useful(context, delivery, now):
        return False
    try:
        again = domain.resent(delivery, now, context.writer.domain, request_id, even_if_sent=False)
        await context.store.deliveries.replace(again)
    except (RuleBroken, ChangedMeanwhile):  # too late, erased, or somebody else was faster: it stays as it is
        return False
    return True
