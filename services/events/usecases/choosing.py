"""What helps a teacher to choose: dates side by side, and what should be known before sending a registration."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.events.domain import errors
from services.events.domain.facts import group_key
from services.events.domain.warnings import Warning, warnings_of_day, warnings_of_group
from services.events.store.store import Store
from services.events.usecases.overview import Booking, show_booking
from services.events.usecases.results import SlotView
from services.events.usecases.search import show_slot
from shared.auth import Identity

MOST_COMPARED = 3


async def compare_slots(
    store: Store, ids: Sequence[str], near_school: str | None, *, now: datetime
) -> list[tuple[SlotView, Booking]]:
    """The first three of these slots, in the order asked, each with whether it can be booked; unknown ones are left
    out. Anybody may look."""
    chosen = list(dict.fromkeys(ids))[:MOST_COMPARED]
    found = await asyncio.gather(*(_with_booking(store, slot_id, near_school, now) for slot_id in chosen))
    return [each for each in found if each]


async def _with_booking(
    store: Store, slot_id: str, near_school: str | None, now: datetime
) -> tuple[SlotView, Booking] | None:
    try:
        slot = await show_slot(store, slot_id, near_school)
    except (errors.SlotNotFound, errors.OfferNotFound):
        return None
    return slot, await show_booking(store, slot, now=now)


async def find_warnings(
    store: Store, identity: Identity, slot_id: str, school_id: str, *, name: str = "", grade: int | None = None,
    pupils: int | None = None,
) -> list[Warning]:  # fmt: skip
    """What somebody should know before registering this group of this school on the slot."""
    identity.must_act_for_school(school_id)
    slot, school = await store.slot(slot_id), await store.school(school_id)
    if slot is None:
        raise errors.SlotNotFound
    slots = await store.slots_of_group(group_key(school_id, name)) if name else {}
    if slot_id in slots:  # what would become of it otherwise is no matter then
        return [Warning(kind="registered")]
    found = warnings_of_day(slot, school.movable_days if school else frozenset())
    found += warnings_of_group(slot, grade, pupils)
    if any(other.starts_local.date() == slot.starts_local.date() for other in slots.values()):
        found.append(Warning(kind="away"))
    return found
