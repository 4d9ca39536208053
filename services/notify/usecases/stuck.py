"""Mails that need somebody: refused, given up, suppressed, deferred for long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import EmailStr, TypeAdapter, ValidationError

from services.notify.domain import FOR_PUPILS, WITH_TOKEN, Delivery, NoLongerTrue
from services.notify.store.mail_log import stuck
from services.notify.suppression import AddressIsSuppressed, NotAnAddress
from services.notify.urgency import REMINDERS
from services.notify.usecases.context import Context
from services.notify.usecases.mail_log import resend_delivery, show_delivery
from shared.auth import Identity
from shared.errors import NotAllowed, RuleBroken

KINDS = ("refused", "suppressed", "gave_up", "deferred")
MOST = 100


@dataclass(frozen=True)
class Resent:
    """How many were planned again, and how many could not be."""

    worked: int
    left: int


async def list_stuck(
    context: Context, identity: Identity, kind: str, *, limit: int, after: str | None
) -> tuple[list[Delivery], str | None]:
    """Stuck mails of a kind (all when empty), the newest first."""
    identity.must_operate()
    return await context.store.log.page(stuck(kind if kind in KINDS else ""), limit, after)


async def count_stuck(context: Context, identity: Identity) -> dict[str, int]:
    """How many mails are stuck, by kind."""
    identity.must_operate()
    return await context.store.log.count_stuck(KINDS)


async def choose_deliveries(context: Context, identity: Identity, keys: Sequence[str]) -> list[Delivery]:
    """Those of the chosen mails that exist, at most a page of them."""
    identity.must_operate()
    return await context.store.log.by_keys(list(keys)[:MOST])


async def resend_many(
    context: Context, identity: Identity, keys: Sequence[str], *, now: datetime, request_id: str
) -> Resent:
    """Send the chosen mails again, as far as the rules let them."""
    chosen = await choose_deliveries(context, identity, keys)
    worked = 0
    for delivery in chosen:
        try:
            await resend_delivery(
                context, identity, delivery.key, even_if_sent=False, now=now, request_id=f"{request_id}:{delivery.key}"
            )
            worked += 1
        except NotAllowed:
            raise
        except RuleBroken:  # each page of a mail says which rule
            continue
    return Resent(worked, len(chosen) - worked)


async def settle_many(context: Context, identity: Identity, keys: Sequence[str], *, now: datetime) -> int:
    """Take the chosen mails off the list: somebody saw to them in another way. They stay in the log."""
    identity.must_operate()
    return await context.store.log.settle(list(keys)[:MOST], identity.name, now)


async def correct_address(
    context: Context, identity: Identity, delivery_id: str, email: str, *, now: datetime, request_id: str
) -> Delivery:
    """Send a stuck mail to another address. NotAnAddress, AddressIsSuppressed, and what speaks against resending."""
    delivery = await show_delivery(context, identity, delivery_id)
    if delivery.last_request_id == request_id:
        return delivery
    if not can_be_corrected(delivery):
        raise NoLongerTrue
    try:
        TypeAdapter(EmailStr).validate_python(email.strip())
    except ValidationError as error:
        raise NotAnAddress from error
    if await context.store.suppressions.active(email):
        raise AddressIsSuppressed
    return await resend_delivery(
        context, identity, delivery_id, even_if_sent=False, now=now, request_id=request_id, to_address=email.strip()
    )


def can_be_corrected(delivery: Delivery) -> bool:
    """Whether sending to another address may be offered: a sign-in link must reach nobody but its person,
    and a pupil's or parent's link nobody but whom they named."""
    return (
        delivery.state in ("refused", "suppressed", "deferred")
        and delivery.kind not in WITH_TOKEN
        and delivery.kind not in FOR_PUPILS
        and bool(delivery.to.email)
        and (delivery.facts is not None or delivery.kind in REMINDERS)
    )
