"""The dates of offers as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from services.events.domain import errors
from services.events.domain.planning import offered_grades, plan_times
from services.events.store.documents import slot_of
from services.events.store.store import Store
from services.events.usecases import slots
from services.events.usecases.inputs import MoveSlot, OpenSlots, ResizeSlot, SlotFilter, WithReason
from services.events.usecases.results import SlotView, slot_view
from services.events.usecases.search import find_slots
from services.events.usecases.tables.words import NewHasNoState, ReasonAlone, StateNotReachable
from shared.auth import Identity
from shared.ids import derived_id
from shared.tables.columns import Column, Row, Table, labelled, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

TIMES = ("starts_local", "ends_local", "zone")
SIZES = ("places", "groups")
NEW = (*TIMES, *SIZES, "grades")
STATES = labelled(open="takes place", cancelled="called off")
TABLE = Table(
    "slots",
    "Dates",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("state", "State", "choice", options=STATES, width=14),
        Column("reason", "Reason", width=26),
        Column("offer_id", "Offer’s id", use="once", width=34),
        Column("company_name", "Company", use="shown", width=28),
        Column("title", "Title", use="shown", width=34),
        Column("starts_local", "Begins", "wall", width=17),
        Column("ends_local", "Ends", "wall", width=17),
        Column("zone", "Time zone", width=15),
        Column("places", "Places", "whole", width=9),
        Column("groups", "Groups", "whole", width=9),
        Column("grades", "Grades", "wholes", "once", width=14),
        Column("taken", "Places taken", "whole", "shown", width=9),
        Column("groups_taken", "Groups taken", "whole", "shown", width=9),
        Column("waiting", "Groups waiting", "whole", "shown", width=9),
        Column("town", "Town", use="shown"),
        Column("distance_km", "Distance in km", "decimal", "shown", width=10),
    ),
    "/events/offers",
    label="title",
)


async def export_slots(
    store: Store, identity: Identity, given: Mapping[str, str], *, now: datetime
) -> AsyncIterator[Sequence[Row]]:
    """Slots by time, filtered as their list is. Whoever is signed in may look."""

    async def page(after: str | None) -> tuple[list[SlotView], str | None]:
        wanted = SlotFilter.model_validate({"state": "all", **given, "limit": PER_PAGE, "after": after})
        found = await find_slots(store, wanted, now=now, identity=identity)
        return found.items, found.next

    async for found in every_page(page):
        yield [_row(slot) for slot in found]


def _row(slot: SlotView) -> Row:
    facts = {name: getattr(slot, name) for name in TABLE.by_key if name in SlotView.model_fields}
    offer = slot.offer
    return {
        **facts, "offer_id": offer.id, "company_name": offer.company_name, "title": offer.title,
        "town": offer.place.town,
    }  # fmt: skip


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = await work.store.db.slots.find({"_id": {"$in": list(ids)}}, {"pending": 0}).to_list(None)
    offers = await work.store.offers([row["offer_id"] for row in rows])
    return {row["_id"]: _row(slot_view(slot_of(row), offers[row["offer_id"]])) for row in rows}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    if before is None:
        await _check_new(work, row)
        return
    _must_be_possible(row, before)
    if _differ(row, before, SIZES):
        sizes = ResizeSlot.model_validate(nested(row, SIZES))
        if sizes.places < before["taken"] or sizes.groups < before["groups_taken"]:
            raise errors.SlotHoldsMore(taken=before["taken"], groups_taken=before["groups_taken"])
    if _differ(row, before, TIMES):
        times = MoveSlot.model_validate(nested(row, TIMES))
        await _must_fit(work, before["offer_id"], before["grades"], times)


async def _check_new(work: Work, row: Row) -> None:
    if row.get("state") not in (None, "", "open"):
        raise NewHasNoState
    command = OpenSlots.model_validate(nested(row, NEW))
    if command.starts_local is None or command.ends_local is None:
        raise slots.OneOrSeries
    offer = await work.store.offer(row.get("offer_id", ""))
    if offer is None:
        raise errors.OfferNotFound
    await _must_fit(work, offer.id, offered_grades(command.grades, offer.grades), command)


async def _must_fit(work: Work, offer_id: str, grades: Sequence[int], times: OpenSlots | MoveSlot) -> None:
    offer = await work.store.offer(offer_id)
    campaign = await work.store.campaign(offer.facts.campaign_id) if offer else None
    if campaign is None:
        raise errors.CampaignUnknown
    zone = times.zone or work.zone
    plan_times(campaign, grades, times.starts_local, times.ends_local, zone, allow_days_off=False, now=work.now)


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    store, who, now = work.store, work.identity, work.now
    if before is None:
        command = OpenSlots.model_validate(nested(row, NEW))
        await slots.open_slots(store, who, row.get("offer_id", ""), command, now=now, request_id=request_id)
        return
    _must_be_possible(row, before)
    if row["state"] != before["state"]:
        reason = WithReason(reason=row["reason"])
        await slots.cancel_slot(store, who, before["id"], reason, now=now, request_id=request_id)
        return
    if _differ(row, before, TIMES):
        move = MoveSlot.model_validate({**nested(row, TIMES), "reason": row["reason"]})
        step = derived_id(request_id, "times")
        await slots.move_slot(store, who, before["id"], move, now=now, request_id=step)
    if _differ(row, before, SIZES):
        sizes = ResizeSlot.model_validate(nested(row, SIZES))
        step = derived_id(request_id, "sizes")
        await slots.resize_slot(store, who, before["id"], sizes, now=now, request_id=step)


def _must_be_possible(row: Row, before: Row) -> None:
    if before["state"] == "cancelled":
        raise errors.SlotIsCancelled
    if row["state"] not in ("open", "cancelled"):
        raise StateNotReachable
    if row["state"] == before["state"] and not _differ(row, before, (*TIMES, *SIZES)):
        raise ReasonAlone


def _differ(row: Row, before: Row, names: Sequence[str]) -> bool:
    return any(row[name] != before[name] for name in names)


def _new_id(request_id: str, row: Row) -> str:
    starts = row.get("starts_local")
    return derived_id(request_id, "slot", starts.isoformat()) if starts else ""


IMPORTER = Importer(TABLE, _known, _check, _write, _new_id)
