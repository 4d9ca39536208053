"""What runs by itself: offers expire, batches left behind are carried out, personal data goes, counters are proven."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from services.events.domain import commands as do
from services.events.store.erasure import erase_offers, erase_registrations
from services.events.store.questions import groups_to_ask, unanswered
from services.events.store.reconciliation import compare_all
from services.events.store.store import Store
from services.events.usecases.results import Difference, Reconciliation
from services.events.usecases.slots import clear_cancelled_slot
from shared.auth import Identity
from shared.errors import RuleBroken
from shared.ids import derived_id
from shared.mongo import StoreError
from shared.tables.importing import erase_imports

log = logging.getLogger(__name__)
LEFT_BEHIND = timedelta(seconds=2)


async def expire_offers(store: Store, *, now: datetime) -> int:
    """Take back places that were offered and not accepted in time; the next who wait get them. Returns how many were
    over."""
    over = await store.expired_offers(now)
    asked = [
        (slot_id, do.Expire(now=now, request_id=derived_id("expire", registration), registration_id=registration))
        for slot_id, registration in over
    ]
    outcomes = await asyncio.gather(*(store.decide(*each) for each in asked), return_exceptions=True)
    _log_failures("expiring an offer", outcomes)
    return len(over)


async def ask_and_release(store: Store, *, now: datetime) -> int:
    """Take back the places of groups whose schools were asked whether they still come and have not answered in time,
    and ask those whose time it is. Returns how many were looked at."""
    over = [(slot_id, do.Release(**_by_itself("release", each, now))) for slot_id, each in await unanswered(store, now)]
    due = [(slot, do.AskAgain(**_by_itself("ask again", each, now))) for slot, each in await groups_to_ask(store, now)]
    outcomes = await asyncio.gather(*(store.decide(*each) for each in (*over, *due)), return_exceptions=True)
    _log_failures("asking a school again, or releasing places", outcomes)
    return len(over) + len(due)


def _by_itself(what: str, registration_id: str, now: datetime) -> dict[str, Any]:
    return {"now": now, "request_id": derived_id(what, registration_id, now), "registration_id": registration_id}


async def finish_left_behind(store: Store, *, now: datetime, older_than: timedelta = LEFT_BEHIND) -> int:
    """Carry out what processes that died left behind, and go on cancelling the registrations of cancelled slots.
    Returns how many slots were touched."""
    carried_out = await store.places.carry_out_left_behind(now - older_than)
    half_cancelled = await store.cancelled_slots_with_registrations()
    for slot_id in half_cancelled:
        try:
            await clear_cancelled_slot(store, slot_id, now=now)
        except StoreError:
            raise
        except Exception:  # one slot that cannot be cleared must not keep the others waiting
            log.exception("the registrations of the cancelled slot %s cannot be cancelled", slot_id)
    return carried_out + len(half_cancelled)


async def erase_due(store: Store, *, now: datetime) -> int:
    """Remove the personal fields whose time is over, here and in the outbox, and leave receipts without data.
    Batches noted in slots are carried out before. Returns how many registrations and offers were emptied."""
    await store.places.carry_out_left_behind(now)
    registrations = await erase_registrations(store, now)
    offers = await erase_offers(store, now)
    files = await erase_imports(store.db, now)
    for what, count in (("registration contacts", registrations), ("offer contacts", offers), ("table imports", files)):
        if count:
            await store.db.erasure_receipts.insert_one({"what": what, "count": count, "at": now})
    return registrations + offers


async def reconcile(store: Store) -> Reconciliation:
    """Compare every slot's counters with its registrations. Changes nothing."""
    checked, differences = await compare_all(store.db)
    found = [
        Difference(slot_id=slot, what=what, counter=counter, rows=rows) for slot, what, counter, rows in differences
    ]
    if found:
        log.error("reconciliation: %d differences in %d slots", len(found), checked)
    return Reconciliation(slots_checked=checked, differences=found)


async def show_reconciliation(store: Store, identity: Identity) -> Reconciliation:
    """What `reconcile` finds, for the operator and the coordinator."""
    identity.must_operate()
    return await reconcile(store)


async def reconcile_now(store: Store, identity: Identity, *, now: datetime) -> Reconciliation:
    """Carry out whatever was left behind, then compare. Repairs no counter: a difference is a defect to look at."""
    identity.must_operate()
    carried_out = await finish_left_behind(store, now=now, older_than=timedelta())
    return (await reconcile(store)).model_copy(update={"carried_out": carried_out})


def _log_failures(what: str, outcomes: list[object]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, RuleBroken):
            log.info("%s: %s", what, type(outcome).__name__)
        elif isinstance(outcome, BaseException):
            raise outcome
