"""Registrations as a file. Places are taken as by any other registration: never more than there are."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.booking import may_book
from services.events.domain.facts import group_key
from services.events.store.documents import registration_of
from services.events.store.store import Store
from services.events.usecases import registrations
from services.events.usecases.inputs import (
    CancelRegistration,
    RecordAttendance,
    RegisterGroup,
    RegistrationFilter,
    ResizeRegistration,
    WithReason,
)
from services.events.usecases.results import RegistrationView, registration_view
from services.events.usecases.tables.words import (
    LANGUAGES,
    NewHasNoState,
    OneStepPerLine,
    ReasonAlone,
    StateNotReachable,
)
from shared.auth import Identity
from shared.errors import RuleBroken
from shared.ids import derived_id
from shared.tables.columns import Column, Row, Table, labelled, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import every_page

PER_PAGE = 500
STATES = labelled(
    requested="Requested", confirmed="Confirmed", declined="Declined", waitlisted="Waiting list",
    offered="Place offered", expired="Offer expired", cancelled="Cancelled", attended="Was there",
    no_show="Was not there",
)  # fmt: skip
GROUP = ("name", "grade", "pupils", "adults", "needs")
CONTACT = ("name", "email", "phone", "language")
NEW = ("school_id", "acknowledged", *(f"group.{name}" for name in GROUP), *(f"contact.{name}" for name in CONTACT))
TABLE = Table(
    "registrations",
    "Registrations",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("state", "State", "choice", options=STATES, width=16),
        Column("reason", "Reason", width=26),
        Column("slot_id", "Date’s id", use="once", width=34),
        Column("company_name", "Company", use="shown", width=28),
        Column("title", "Title", use="shown", width=34),
        Column("starts_local", "Begins", "wall", "shown", width=17),
        Column("school_id", "School number", use="once", width=13),
        Column("school_name", "School", use="shown", width=36),
        Column("group.name", "Class or course", use="once", width=16),
        Column("group.grade", "Grade", "whole", "once", width=8),
        Column("group.pupils", "Pupils", "whole", width=9),
        Column("group.adults", "Accompanying adults", "whole", width=9),
        Column("group.needs", "Needs", use="once", width=30),
        Column("contact.name", "Contact: name", use="once", width=26),
        Column("contact.email", "Contact: e-mail address", use="once", width=32),
        Column("contact.phone", "Contact: phone", use="once"),
        Column("contact.language", "Contact: language", "choice", "once", LANGUAGES, width=12),
        Column("acknowledged", "Requirements were read", "yes_no", "once", width=12),
        Column("pupils_attended", "Pupils who came", "whole", width=9),
        Column("created_at", "Registered on", "wall", "shown", width=17),
    ),
    "/events/registrations",
    label="group.name",
)


async def export_registrations(
    store: Store, identity: Identity, given: Mapping[str, str]
) -> AsyncIterator[Sequence[Row]]:
    """Registrations of the own schools and companies, all for the coordinator, in the order in which they came."""

    async def page(after: str | None) -> tuple[list[RegistrationView], str | None]:
        wanted = RegistrationFilter.model_validate({**given, "limit": PER_PAGE, "after": after})
        found = await registrations.find_registrations(store, identity, wanted)
        return found.items, found.next

    async for found in every_page(page):
        yield [_row(registration, store.zone) for registration in found]


def _row(registration: RegistrationView, zone: str) -> Row:
    plain = ("id", "version", "state", "reason", "slot_id", "school_id", "school_name", "acknowledged")
    slot = registration.slot
    shown = {
        "company_name": slot.offer.company_name if slot else "", "title": slot.offer.title if slot else "",
        "starts_local": slot.starts_local if slot else None,
        "created_at": _wall(registration.created_at, zone),
    }  # fmt: skip
    return {
        **{name: getattr(registration, name) for name in plain}, **shown,
        **{f"group.{name}": getattr(registration.group, name) for name in GROUP},
        **{f"contact.{name}": getattr(registration.contact, name) for name in CONTACT},
        "pupils_attended": registration.pupils_attended,
    }  # fmt: skip


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = work.store.db.registrations.find({"_id": {"$in": list(ids)}})
    return {row["_id"]: _row(registration_view(registration_of(row)), work.zone) async for row in rows}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    if before is None:
        await _check_new(work, row)
        return
    _must_be_possible(row, before)
    if _resized(row, before):
        ResizeRegistration.model_validate(_sizes(row))
    if row["state"] == "attended":
        RecordAttendance.model_validate({"came": True, "pupils": row["pupils_attended"]})


async def _check_new(work: Work, row: Row) -> None:
    """What would forbid it now; whether there are places is decided when it is imported."""
    if row.get("state"):
        raise NewHasNoState
    command = RegisterGroup.model_validate(nested(row, NEW))
    slot = await work.store.slot(row.get("slot_id", ""))
    offer = await work.store.offer(slot.offer_id) if slot else None
    if slot is None or offer is None:
        raise _at("slot_id", errors.SlotNotFound())
    school = await work.store.school(command.school_id)
    asked = do.Register(
        now=work.now, request_id="", registration_id="", school_id=command.school_id, group=command.group.facts(),
        contact=command.contact.facts(), acknowledged=command.acknowledged, waitlist=command.waitlist,
    )  # fmt: skip
    campaign = await work.store.campaign(slot.campaign_id)
    school = may_book(asked, slot, offer, campaign, {school.id: school} if school else {})
    if command.group.pupils > slot.places:
        raise errors.GroupTooLarge(asked=command.group.pupils, places=slot.places)
    same = {"slot_id": slot.id, "active": True, "key": group_key(school.id, command.group.name)}
    if await work.store.db.registrations.find_one(same, {"_id": 1}):
        raise errors.AlreadyRegistered(group=command.group.name, school=school.name)


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    store, who, now = work.store, work.identity, work.now
    if before is None:
        if row.get("state"):
            raise NewHasNoState
        command = RegisterGroup.model_validate(nested(row, NEW))
        slot_id = row.get("slot_id", "")
        await registrations.register_group(store, who, slot_id, command, now=now, request_id=request_id)
        return
    _must_be_possible(row, before)
    if _resized(row, before):
        sizes = ResizeRegistration.model_validate(_sizes(row))
        step = derived_id(request_id, "sizes")
        await registrations.resize_registration(store, who, before["id"], sizes, now=now, request_id=step)
    if row["state"] != before["state"]:
        await _change_state(work, row, before, derived_id(request_id, "state"))


async def _change_state(work: Work, row: Row, before: Row, request_id: str) -> None:
    store, who, id, wanted = work.store, work.identity, before["id"], row["state"]
    common = {"now": work.now, "request_id": request_id}
    if wanted == "cancelled":
        reason = CancelRegistration(reason=row["reason"])
        await registrations.cancel_registration(store, who, id, reason, **common)
    elif wanted == "declined":
        await registrations.decline_registration(store, who, id, WithReason(reason=row["reason"]), **common)
    elif wanted in ("attended", "no_show"):
        came = wanted == "attended"
        attendance = RecordAttendance(came=came, pupils=row["pupils_attended"] or 0 if came else 0)
        await registrations.record_attendance(store, who, id, attendance, **common)
    elif before["state"] == "offered":
        await registrations.accept_offered_places(store, who, id, **common)
    else:
        await registrations.approve_registration(store, who, id, **common)


REACHABLE = {
    "requested": {"confirmed", "declined", "cancelled"},
    "waitlisted": {"cancelled"},
    "offered": {"confirmed", "cancelled"},
    "confirmed": {"cancelled", "attended", "no_show"},
}


def _must_be_possible(row: Row, before: Row) -> None:
    wanted, held = row["state"], before["state"]
    if wanted != held:
        if wanted not in REACHABLE.get(held, set()):
            raise StateNotReachable
        if _resized(row, before):
            raise OneStepPerLine
        return
    if row["pupils_attended"] != before["pupils_attended"]:
        raise _at("pupils_attended", StateNotReachable())
    if not _resized(row, before):
        raise ReasonAlone


def _resized(row: Row, before: Row) -> bool:
    return any(row[name] != before[name] for name in ("group.pupils", "group.adults"))


def _sizes(row: Row) -> Row:
    return {"pupils": row["group.pupils"], "adults": row["group.adults"]}


def _at(column: str, error: RuleBroken) -> RuleBroken:
    error.field = column
    return error


def _wall(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)


IMPORTER = Importer(TABLE, _known, _check, _write, lambda request_id, row: derived_id(request_id, "registration"))
