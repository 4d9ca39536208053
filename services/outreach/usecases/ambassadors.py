"""Entering ambassadors, their limits and blocked days, and who is free on a date."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.outreach.domain.ambassadors import (
    AlreadyAnAmbassador,
    Ambassador,
    AmbassadorNotFound,
    BlockDays,
    Booking,
    ChangeAmbassador,
    EnterAmbassador,
    NotFree,
    UnblockDays,
)
from services.outreach.domain.people import EnterPerson, Person, RoleGiven
from services.outreach.domain.schools import School
from services.outreach.domain.visit_dates import DateGiven, PlannedDate, must_exist
from services.outreach.domain.visits import Visit
from services.outreach.store import people
from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from services.outreach.usecases import visit_rights as rights
from services.outreach.usecases.people import enter_within
from services.outreach.usecases.visit_erasure import free_visits
from services.outreach.usecases.visit_proposals import withdraw_member
from services.outreach.usecases.visits import get_visit
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import derived_id
from shared.mongo import AlreadyThere, Document, Session
from shared.ui.language import translate

PAUSES = "An ambassador of the team takes a break."


@dataclass(frozen=True)
class Known:
    """An ambassador with what is the person's and the company's."""

    ambassador: Ambassador
    person: Person | None
    company_name: str

    @property
    def name(self) -> str:
        """The person's name; empty when erased."""
        return self.person.name if self.person else ""


@dataclass(frozen=True)
class Candidate:
    """An ambassador for a date: why not free (None when free), how far from home (km), whether the field fits, how many
    visits of the campaign there are already, and whether this visit was declined or not answered before."""

    known: Known
    why_not: NotFree | None
    distance_km: float | None
    field_fits: bool
    in_campaign: int = 0
    refused_before: bool = False


async def enter_ambassador(
    store: Store, identity: Identity, command: EnterAmbassador, *, now: datetime, request_id: str
) -> Known:
    """A new ambassador, entered by a coordinator; the person gets the role, and is entered when the address is not
    known. A company asks instead: `invite_ambassador`. AlreadyAnAmbassador.
    """
    identity.must_coordinate()

    async def work(session: Session) -> Ambassador:
        id = derived_id(request_id, "ambassador")
        there = await store.get("ambassadors", Ambassador, id, session)
        if there:
            return there
        role = RoleGiven(kind="ambassador", organisation_id=command.company_id)
        facts = command.model_dump(include={"name", "email", "language"})
        before = await people.by_email(store, command.email, session)
        person = await enter_within(store, session, EnterPerson(**facts, roles=[role]), now=now, request_id=request_id)
        return await enter_for(store, session, before, person, command, request_id)

    await free_former(store, command.email, now)
    try:
        ambassador = await store.transaction(work)
    except AlreadyThere:  # the same address or the same request in this moment: it is found the second time
        ambassador = await store.transaction(work)
    return (await _known(store, identity, [ambassador]))[0]


async def enter_for(
    store: Store, session: Session, before: Person | None, person: Person, command: EnterAmbassador, request_id: str
) -> Ambassador:
    """The person, who was `before` and has the role now, as an ambassador; one who had left is opened again.

    Part of a use case that has authorised it and called `free_former`. AlreadyAnAmbassador.
    """
    held = await stored.ambassador_of(store, person.id, session)
    if held is None:
        ambassador = Ambassador.entered(derived_id(request_id, "ambassador"), person.id, command, request_id)
        await store.insert("ambassadors", ambassador, session=session)
        return ambassador
    if held.last_request_id == request_id:
        return held
    if held.as_person(before).active:
        raise AlreadyAnAmbassador
    again = held.reopened(command, request_id)
    await store.save("ambassadors", again, session=session, named_still=False)
    return again


async def free_former(store: Store, email: str, now: datetime) -> None:
    """Before somebody begins anew: no visit counts any more on the ambassador whom this address was."""
    person = await people.by_email(store, email)
    held = await stored.ambassador_of(store, person.id) if person else None
    if held and not held.as_person(person).active:
        await free_visits(store, held, now)


async def change_ambassador(
    store: Store, identity: Identity, ambassador_id: str, command: ChangeAmbassador, *, now: datetime, request_id: str
) -> Known:
    """Other limits, fields and home. AmbassadorNotFound, AmbassadorFieldUnknown, LimitBelowBookings."""

    def change(ambassador: Ambassador, bookings: Sequence[Booking]) -> Ambassador:
        return ambassador.with_settings(command, bookings, request_id, now)

    return await _change(store, identity, ambassador_id, change, request_id)


async def block_days(
    store: Store,
    identity: Identity,
    ambassador_id: str,
    command: BlockDays,
    *,
    zone: str,
    now: datetime,
    request_id: str,
) -> Known:
    """More days without visits. AmbassadorNotFound, BlockedDayHasVisit, TooManyBlockedDays."""

    def change(ambassador: Ambassador, bookings: Sequence[Booking]) -> Ambassador:
        upcoming = [booking for booking in bookings if booking.ends_utc > now]
        return ambassador.blocking(command, upcoming, request_id, now.astimezone(ZoneInfo(zone)).date())

    return await _change(store, identity, ambassador_id, change, request_id)


async def unblock_days(
    store: Store, identity: Identity, ambassador_id: str, command: UnblockDays, *, request_id: str
) -> Known:
    """Blocked days that are free again. AmbassadorNotFound."""
    return await _change(
        store, identity, ambassador_id, lambda ambassador, _: ambassador.unblocking(command, request_id), request_id
    )


async def pause_ambassador(
    store: Store, identity: Identity, ambassador_id: str, *, now: datetime, request_id: str
) -> Known:
    """Not asked any more until it is resumed: open proposals are declined, by a company's contact only its own, and
    confirmed visits stay. AlreadyPaused."""

    def pause(ambassador: Ambassador, _: Sequence[Booking]) -> Ambassador:
        rights.must_manage(identity, ambassador)
        return ambassador.pausing(True, request_id)

    known = await _change(store, identity, ambassador_id, pause, request_id)
    for visit in await stored.of_ambassador(store, ambassador_id):
        member = visit.member_of(known.ambassador.person_id)
        if member and visit.state == "proposed" and rights.takes_out(identity, member):
            reason = translate(PAUSES, visit.contact.language)
            await withdraw_member(store, visit, member, reason, now, only_proposed=True)
    return known


async def resume_ambassador(store: Store, identity: Identity, ambassador_id: str, *, request_id: str) -> Known:
    """Asked again. AlreadyTakesPart."""

    def resume(ambassador: Ambassador, _: Sequence[Booking]) -> Ambassador:
        rights.must_manage(identity, ambassador)
        return ambassador.pausing(False, request_id)

    return await _change(store, identity, ambassador_id, resume, request_id)


async def visit_counts(store: Store, identity: Identity, found: Sequence[Known]) -> dict[str, Counter[str]]:
    """How many visits of each state these ambassadors have, by ambassador; for who has been authorised. A company's
    contact sees how many they have for this company."""
    own = all(rights.is_own(identity, known.ambassador) for known in found)
    companies = None if identity.coordinates or own else identity.organisations("company")
    return await stored.visit_counts(store, [known.ambassador.id for known in found], companies)


async def get_ambassador(store: Store, identity: Identity, ambassador_id: str) -> Known:
    """One ambassador, for that person, the company's contacts and coordinators. AmbassadorNotFound."""
    ambassador = await store.get("ambassadors", Ambassador, ambassador_id)
    if ambassador is None:
        raise AmbassadorNotFound
    rights.must_care_for(identity, ambassador)
    return (await _known(store, identity, [ambassador]))[0]


async def own_ambassador(store: Store, identity: Identity) -> Known:
    """The ambassador who asks. NotAllowed when it is none."""
    ambassador = await stored.ambassador_of(store, identity.id)
    if ambassador is None or not rights.is_own(identity, ambassador):
        raise NotAllowed
    return (await _known(store, identity, [ambassador]))[0]


async def list_ambassadors(
    store: Store, identity: Identity, *, company_id: str | None = None, limit: int = 50, after: str | None = None
) -> tuple[list[Known], str | None]:
    """Active ambassadors: all for coordinators, those of their own companies for company contacts."""
    both = {"$and": [_manageable(identity), stored.for_companies([company_id]) if company_id else {}]}
    found, following = await store.page("ambassadors", Ambassador, both, "person_id", limit, after)
    return await _known(store, identity, found), following


async def companies_to_act_for(store: Store, identity: Identity) -> list[tuple[str, str]]:
    """(id, name) of the active companies whose ambassadors `identity` may enter, by name."""
    ids = None if identity.coordinates else identity.organisations("company")
    return await stored.active_companies(store, ids)


async def free_ambassadors(
    store: Store, identity: Identity, date: DateGiven, *, visit_id: str | None = None, zone: str
) -> list[Candidate]:
    """Who is free at `date` and who is not and why: free ones first, then by field and distance from home.

    With a visit, its campaign's limits, its field and its school's place are looked at. VisitNotFound, errors of times.
    """
    allowed = _manageable(identity)
    visit = await get_visit(store, identity, visit_id) if visit_id else None
    when = PlannedDate(starts_local=date.starts_local, ends_local=date.ends_local, zone=date.zone or zone)
    must_exist(when)
    return await _candidates(store, identity, allowed, when, visit)


async def _candidates(
    store: Store, identity: Identity, where: Document, when: PlannedDate, visit: Visit | None
) -> list[Candidate]:
    """`free_ambassadors` among those that `where` finds, for who has been authorised."""
    found = await stored.find_ambassadors(store, where)
    school = await store.get("schools", School, visit.school_id) if visit else None
    bookings = await stored.bookings_near(
        store,
        [each.id for each in found],
        when,
        visit.campaign_id if visit else None,
        without_visit=visit.id if visit else None,
    )
    known = await _known(store, identity, found)
    rated = [_rated(each, when, visit, school, bookings[each.ambassador.id]) for each in known]
    return sorted(rated, key=_order)


def _rated(
    known: Known, when: PlannedDate, visit: Visit | None, school: School | None, bookings: Sequence[Booking]
) -> Candidate:
    ambassador = known.ambassador.as_person(known.person)
    why_not = ambassador.why_not_free(when, visit.campaign_id if visit else None, bookings, known.name)
    if visit is None:
        return Candidate(known, why_not, None, field_fits=False)
    return Candidate(
        known,
        why_not,
        ambassador.distance_km(school.lat, school.lon) if school else None,
        visit.field in ambassador.fields,
        sum(booking.campaign_id == visit.campaign_id for booking in bookings),
        any(each.ambassador_id == ambassador.id for each in visit.declines),
    )


def _order(candidate: Candidate) -> tuple[bool, bool, bool, float, str]:
    distance = float("inf") if candidate.distance_km is None else candidate.distance_km
    name = candidate.known.name.casefold()
    return candidate.why_not is not None, candidate.refused_before, not candidate.field_fits, distance, name


def _manageable(identity: Identity) -> Document:
    if identity.coordinates:
        return {"active": True}
    companies = identity.organisations("company")
    if not companies:
        raise NotAllowed
    return {"active": True, **stored.for_companies(companies)}


async def _change(
    store: Store,
    identity: Identity,
    ambassador_id: str,
    change: Callable[[Ambassador, Sequence[Booking]], Ambassador],
    request_id: str,
) -> Known:
    async def work(session: Session) -> Ambassador:
        ambassador = await store.get("ambassadors", Ambassador, ambassador_id, session)
        if ambassador is None:
            raise AmbassadorNotFound
        rights.must_care_for(identity, ambassador)
        if ambassador.last_request_id == request_id:
            return ambassador
        changed = change(ambassador, await stored.bookings_of(store, ambassador_id, session))
        await store.save("ambassadors", changed, session=session)
        return changed

    return (await _known(store, identity, [await store.transaction(work)]))[0]


async def _known(store: Store, identity: Identity, found: Sequence[Ambassador]) -> list[Known]:
    seen = [rights.as_seen(identity, each) for each in found]
    people, names = await stored.people_and_companies(store, seen)
    return [
        Known(each, people.get(each.person_id), ", ".join(names[id] for id in each.companies if id in names))
        for each in seen
    ]
