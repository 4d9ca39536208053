"""What teachers see of their schools' registrations: what needs an answer, the list, one registration's history, and
what they noted or confirmed about it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

from services.events.domain import errors
from services.events.domain.facts import Registration
from services.events.domain.groups import KnownGroup, remembered
from services.events.domain.history import Happened, history
from services.events.store.documents import registration_of
from services.events.store.places import UNREAD
from services.events.store.store import Store
from services.events.usecases.inputs import RegistrationFilter
from services.events.usecases.offers import identity_may_ask
from services.events.usecases.overview import with_slots
from services.events.usecases.paging import cursor, cut
from services.events.usecases.registrations import own_rows
from services.events.usecases.results import ListOf, RegistrationView, SlotView
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.mongo import Document

MOST_ACTIVE = 500
MOST_ENDED = 60
PAST_SHOWN = 6
ROWS_FOR_GROUPS = 60
ATTENDANCE_ASKED = timedelta(days=60)
GROUPS_REMEMBERED = timedelta(days=365)


@dataclass(frozen=True)
class Change:
    """What the company did to a registration, not yet noted by the school."""

    registration: RegistrationView
    what: Literal["moved", "cancelled", "declined", "released"]
    at: datetime
    moved_from: datetime | None = None


@dataclass
class Home:
    """A teacher's registrations by what they ask: first the five that need an answer."""

    offered: list[RegistrationView] = field(default_factory=list)
    asked_again: list[RegistrationView] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unacknowledged: list[RegistrationView] = field(default_factory=list)
    attendance: list[RegistrationView] = field(default_factory=list)
    coming: list[RegistrationView] = field(default_factory=list)
    past: list[RegistrationView] = field(default_factory=list)
    registered_by: dict[str, str] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        """How many need an answer."""
        return (
            len(self.offered)
            + len(self.asked_again)
            + len(self.changed)
            + len(self.unacknowledged)
            + len(self.attendance)
        )


async def show_home(store: Store, identity: Identity, *, now: datetime) -> Home:
    """The own schools' registrations, sorted by what they ask of a person; for teachers."""
    if not identity.has("teacher"):
        raise NotAllowed
    own: Document = {"school_id": {"$in": identity.organisations("teacher")}}
    db = store.db.registrations
    active = db.find({**own, "active": True}, UNREAD).sort("changed_at", -1).limit(MOST_ACTIVE)
    ended = db.find({**own, "active": False}, UNREAD).sort("changed_at", -1).limit(MOST_ENDED)
    rows = [*await active.to_list(MOST_ACTIVE), *await ended.to_list(MOST_ENDED)]
    views = await with_slots(store, rows)
    noted = {row["_id"]: row.get("noted_at") for row in rows}
    home = Home(registered_by=await store.names_of_people(view.registered_by for view in views))
    for view in sorted(views, key=lambda each: _slot(each).starts_at):
        _sort_in(home, view, noted[view.id], now)
    home.offered.sort(key=lambda each: cast(datetime, each.offer_expires_at))
    home.past = home.past[::-1][:PAST_SHOWN]
    return home


async def find_registrations_latest_first(
    store: Store, identity: Identity, wanted: RegistrationFilter
) -> tuple[ListOf[RegistrationView], dict[str, str]]:
    """The own schools' registrations, all for the coordinator, those made last first; and the names of those who
    registered, by their ids."""
    own = own_rows(identity) if identity.coordinates else {"school_id": {"$in": identity.organisations("teacher")}}
    if not identity.coordinates and not identity.has("teacher"):
        raise NotAllowed
    filter: Document = {**own, **({"state": wanted.state} if wanted.state else {})}
    rows = await store.page(
        store.db.registrations, filter, "created_at", wanted.limit, cursor(wanted.after), latest_first=True
    )
    shown, following = cut(rows, "created_at", wanted.limit)
    found = await with_slots(store, shown)
    names = await store.names_of_people(view.registered_by for view in found)
    return ListOf(items=found, next=following), names


async def show_history(store: Store, identity: Identity, registration_id: str) -> list[Happened]:
    """What happened to a registration, for its school, its company and the coordinator."""
    registration = await _found(store, identity, registration_id)
    acts = identity.has("teacher", registration.school_id) or identity.has("company", registration.company_id)
    if not acts:
        identity.must_coordinate()
    slot = await store.slot(registration.slot_id)
    if slot is None:
        raise errors.SlotNotFound
    return history(registration, await store.history(registration_id), slot)


async def name_of_registrar(store: Store, identity: Identity, registration: RegistrationView) -> str:
    """Who registered the group, for its school and the coordinator; empty for others and when it is not known."""
    if not (identity.coordinates or identity.has("teacher", registration.school_id)):
        return ""
    names = await store.names_of_people([registration.registered_by])
    return names.get(registration.registered_by, "")


async def find_known_groups(store: Store, identity: Identity, *, now: datetime) -> list[KnownGroup]:
    """The groups that the own schools registered within a year, the person's own first."""
    schools = identity.organisations("teacher")
    if not schools:
        return []
    since = {"school_id": {"$in": schools}, "created_at": {"$gt": now - GROUPS_REMEMBERED}}
    latest = store.db.registrations.find(since, UNREAD).sort("created_at", -1).limit(ROWS_FOR_GROUPS)
    rows = await latest.to_list(ROWS_FOR_GROUPS)
    return remembered([registration_of(row) for row in rows], by=identity.id)


async def find_last_phone(store: Store, identity: Identity) -> str:
    """The telephone number that this person gave with the registration made last for one of the own schools."""
    own = {"school_id": {"$in": identity.organisations("teacher")}, "contact.email": identity.email}
    if not identity.email:
        return ""
    rows = await store.db.registrations.find(own, {"contact.phone": 1}).sort("created_at", -1).limit(1).to_list(1)
    return rows[0]["contact"]["phone"] if rows else ""


async def note_changes(store: Store, identity: Identity, registration_id: str, *, now: datetime) -> None:
    """The school has read what the company changed. Doing it again changes nothing more."""
    registration = await _found(store, identity, registration_id)
    identity.must_act_for_school(registration.school_id)
    await store.note_at_registration(registration_id, {"noted_at": now})


async def acknowledge_requirements(store: Store, identity: Identity, registration_id: str) -> None:
    """The school has read what the company requires, and sees to it."""
    registration = await _found(store, identity, registration_id)
    identity.must_act_for_school(registration.school_id)
    if not registration.active:
        raise errors.RegistrationHasEnded
    await store.note_at_registration(registration_id, {"acknowledged": True})


def change_of(view: RegistrationView, noted_at: datetime | None, now: datetime) -> Change | None:
    """What the company changed since the school noted something, for a date that lies ahead."""
    slot = _slot(view)
    since = max(view.created_at, noted_at) if noted_at else view.created_at
    if now >= slot.ends_at:
        return None
    ended: dict[str, Literal["cancelled", "declined", "released"]] = {"declined": "declined"}
    if view.cause == "not_confirmed_again":
        ended["cancelled"] = "released"
    if view.cancelled_by in ("company", "coordinator"):
        ended["cancelled"] = "cancelled"
    if view.state in ended and view.changed_at > since:
        return Change(view, ended[view.state], view.changed_at)
    moves = [move for move in slot.moves if move.at > since]
    if moves and view.state in ("requested", "confirmed", "waitlisted"):
        return Change(view, "moved", moves[-1].at, moves[0].starts_local)
    return None


def _sort_in(home: Home, view: RegistrationView, noted_at: datetime | None, now: datetime) -> None:
    slot = _slot(view)
    if change := change_of(view, noted_at, now):
        home.changed.append(change)
    if view.state == "offered":
        home.offered.append(view)
    elif view.state in ("requested", "waitlisted", "confirmed") and slot.ends_at > now:
        home.coming.append(view)
        if view.question and view.question.awaits_answer and now < view.question.until:
            home.asked_again.append(view)
        if slot.offer.requirements and not view.acknowledged:
            home.unacknowledged.append(view)
    elif view.state == "confirmed" and slot.ends_at > now - ATTENDANCE_ASKED:
        home.attendance.append(view)
    else:
        home.past.append(view)


async def _found(store: Store, identity: Identity, registration_id: str) -> Registration:
    registration = await store.registration(registration_id)
    if registration is None:
        identity_may_ask(identity)
        raise errors.RegistrationNotFound
    return registration


def _slot(view: RegistrationView) -> SlotView:
    return cast(SlotView, view.slot)
