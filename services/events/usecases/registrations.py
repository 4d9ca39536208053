"""A school's groups on a company's slots."""

import asyncio
from datetime import datetime
from typing import Any, cast

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.facts import TAKING, Registration, Side
from services.events.store.store import Store
from services.events.usecases.inputs import (
    CancelRegistration,
    RecordAttendance,
    RegisterGroup,
    RegistrationFilter,
    ResizeRegistration,
    WithReason,
)
from services.events.usecases.offers import identity_may_ask
from services.events.usecases.overview import with_slots
from services.events.usecases.paging import cursor, cut
from services.events.usecases.results import (
    ListOf,
    RegistrationView,
    registration_view,
    slot_view,
)
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import Document


async def register_group(
    store: Store, identity: Identity, slot_id: str, command: RegisterGroup, *, now: datetime, request_id: str
) -> RegistrationView:
    """Register a group for a slot: it gets its places, asks for them, or waits. Raises the rule that forbids it."""
    identity.must_act_for_school(command.school_id)
    asked = do.Register(
        now=now,
        request_id=request_id,
        correlation_id=correlation_id.get(),
        registration_id=derived_id(request_id, "registration"),
        school_id=command.school_id,
        group=command.group.facts(),
        contact=command.contact.facts(),
        acknowledged=command.acknowledged,
        requirements=None if command.requirements is None else tuple(command.requirements),
        waitlist=command.waitlist,
        registered_by=identity.id,
    )
    return registration_view(cast(Registration, await store.decide(slot_id, asked)))


async def approve_registration(
    store: Store, identity: Identity, registration_id: str, *, now: datetime, request_id: str
) -> RegistrationView:
    """The company agrees to a requested registration."""
    registration = await _of_own_company(store, identity, registration_id)
    return await _decide(store, registration, do.Approve(**_asked(registration_id, now, request_id)))


async def decline_registration(
    store: Store, identity: Identity, registration_id: str, command: WithReason, *, now: datetime, request_id: str
) -> RegistrationView:
    """The company does not agree; the places go to those who wait."""
    registration = await _of_own_company(store, identity, registration_id)
    asked = do.Decline(**_asked(registration_id, now, request_id), reason=command.reason)
    return await _decide(store, registration, asked)


async def accept_offered_places(
    store: Store, identity: Identity, registration_id: str, *, now: datetime, request_id: str
) -> RegistrationView:
    """The school takes the places that were offered to its waiting group."""
    registration = await _of_own_school(store, identity, registration_id)
    return await _decide(store, registration, do.Accept(**_asked(registration_id, now, request_id)))


async def cancel_registration(
    store: Store, identity: Identity, registration_id: str, command: CancelRegistration,
    *, now: datetime, request_id: str,
) -> RegistrationView:  # fmt: skip
    """Call a registration off, as its school, its company or the coordinator; the places go to those who wait."""
    registration = await _own(store, identity, registration_id)
    by = _side(identity, registration, command.by)
    asked = do.Cancel(**_asked(registration_id, now, request_id), by=by, reason=command.reason)
    return await _decide(store, registration, asked)


async def say_still_coming(
    store: Store, identity: Identity, registration_id: str, *, now: datetime, request_id: str
) -> RegistrationView:
    """The school was asked whether its group still comes: it does. NothingAsked, AnsweredTooLate."""
    registration = await _of_own_school(store, identity, registration_id)
    return await _decide(store, registration, do.SayStillComing(**_asked(registration_id, now, request_id)))


async def resize_registration(
    store: Store, identity: Identity, registration_id: str, command: ResizeRegistration,
    *, now: datetime, request_id: str,
) -> RegistrationView:  # fmt: skip
    """Another head count; a larger group that does not fit changes nothing."""
    registration = await _of_own_school(store, identity, registration_id)
    asked = do.Resize(**_asked(registration_id, now, request_id), pupils=command.pupils, adults=command.adults)
    return await _decide(store, registration, asked)


async def record_attendance(
    store: Store, identity: Identity, registration_id: str, command: RecordAttendance,
    *, now: datetime, request_id: str,
) -> RegistrationView:  # fmt: skip
    """Whether the group came, and with how many pupils; from the slot's start on."""
    registration = await _own(store, identity, registration_id)
    asked = do.Attend(
        **_asked(registration_id, now, request_id), came=command.came, pupils=command.pupils, version=command.version
    )
    return await _decide(store, registration, asked)


async def show_registration(store: Store, identity: Identity, registration_id: str) -> RegistrationView:
    """One registration with its slot, for its school, its company and the coordinator."""
    registration = await _own(store, identity, registration_id)
    slot, offer = await asyncio.gather(store.slot(registration.slot_id), store.offer(registration.offer_id))
    if slot is None or offer is None:
        raise errors.SlotNotFound
    ahead = await store.waiting_before(registration) if registration.state == "waitlisted" else None
    contact = offer.facts.contact if registration.state in TAKING else None
    return registration_view(registration, slot_view(slot, offer), waiting_before=ahead, company_contact=contact)


async def find_registrations(store: Store, identity: Identity, wanted: RegistrationFilter) -> ListOf[RegistrationView]:
    """Registrations in the order in which they came, of the own schools and companies; all for the coordinator."""
    names = ("school_id", "company_id", "slot_id", "campaign_id", "state")
    filter: Document = {name: getattr(wanted, name) for name in names if getattr(wanted, name)}
    filter = {"$and": [filter, own_rows(identity)]}
    rows = await store.page(store.db.registrations, filter, "created_at", wanted.limit, cursor(wanted.after))
    shown, following = cut(rows, "created_at", wanted.limit)
    return ListOf(items=await with_slots(store, shown), next=following)


def own_rows(identity: Identity) -> Document:
    """The filter for rows of the identity's schools and companies; NotAllowed for somebody who has neither."""
    if identity.coordinates:
        return {}
    schools, companies = identity.organisations("teacher"), identity.organisations("company")
    if not schools and not companies:
        raise NotAllowed
    return {"$or": [{"school_id": {"$in": schools}}, {"company_id": {"$in": companies}}]}


def _asked(registration_id: str, now: datetime, request_id: str) -> dict[str, Any]:
    return {
        "now": now, "request_id": request_id, "correlation_id": correlation_id.get(),
        "registration_id": registration_id,
    }  # fmt: skip


async def _decide(store: Store, registration: Registration, command: do.Command) -> RegistrationView:
    return registration_view(cast(Registration, await store.decide(registration.slot_id, command)))


async def _found(store: Store, identity: Identity, registration_id: str) -> Registration:
    registration = await store.registration(registration_id)
    if registration is None:
        identity_may_ask(identity)
        raise errors.RegistrationNotFound
    return registration


async def _of_own_school(store: Store, identity: Identity, registration_id: str) -> Registration:
    registration = await _found(store, identity, registration_id)
    identity.must_act_for_school(registration.school_id)
    return registration


async def _of_own_company(store: Store, identity: Identity, registration_id: str) -> Registration:
    registration = await _found(store, identity, registration_id)
    identity.must_act_for_company(registration.company_id)
    return registration


async def _own(store: Store, identity: Identity, registration_id: str) -> Registration:
    registration = await _found(store, identity, registration_id)
    if not _sides(identity, registration):
        raise NotAllowed
    return registration


def _sides(identity: Identity, registration: Registration) -> list[Side]:
    """On which sides of the registration this identity stands."""
    sides: dict[Side, bool] = {
        "school": identity.has("teacher", registration.school_id),
        "company": identity.has("company", registration.company_id),
        "coordinator": identity.coordinates,
    }
    return [side for side, stands in sides.items() if stands]


def _side(identity: Identity, registration: Registration, by: Side | None) -> Side:
    """Who calls off: the side given, which must be the identity's own (a coordinator may act for either)."""
    sides = _sides(identity, registration)
    if by is None:
        return sides[0]
    if by not in sides and not identity.coordinates:
        raise NotAllowed
    return by
