"""Entering people, giving and taking roles, ending sessions, erasing."""

from collections.abc import Sequence
from datetime import datetime

from services.outreach.domain.people import (
    AGENCY,
    AGENCY_ROLES,
    AddRoles,
    EnterPerson,
    LastCoordinator,
    OrganisationUnknown,
    Person,
    PersonNotFound,
    RoleGiven,
    must_give,
)
from services.outreach.store import counters, organisations
from services.outreach.store import people as stored
from services.outreach.store.core import Store
from services.outreach.usecases.visit_erasure import forget_former
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import AlreadyThere, Session
from shared.schemas.outreach import Role


async def enter_person(
    store: Store, identity: Identity, command: EnterPerson, *, now: datetime, request_id: str
) -> Person:
    """A person with these roles; when the address is known already, that person gets them. OrganisationUnknown."""
    identity.must_coordinate()
    must_give(identity, command.roles)
    for attempt in range(3):
        try:
            return await store.transaction(
                lambda session: enter_within(store, session, command, now=now, request_id=request_id)
            )
        except AlreadyThere:  # somebody entered the same address in this moment: it is found the next time
            if attempt == 2:
                raise
    raise AssertionError("unreachable")


async def enter_within(
    store: Store, session: Session, command: EnterPerson, *, now: datetime, request_id: str
) -> Person:
    """`enter_person` as a part of another use case's transaction; that use case has authorised it."""
    roles, names = await _known_roles(store, command.roles, session)
    known = await stored.by_email(store, command.email, session)
    if known:
        return await _add(store, known, roles, names, now=now, request_id=request_id, session=session)
    person = Person(
        id=derived_id(request_id, "person", command.email),
        last_request_id=request_id,
        roles=tuple(dict.fromkeys(roles)),
        organisation_names=names,
        erase_after=now + store.keep_people,
        **command.model_dump(include={"name", "email", "phone", "language"}),
    )
    await stored.insert(store, person, [person.message(now, correlation_id.get())], session)
    return person


async def add_roles(
    store: Store, identity: Identity, person_id: str, command: AddRoles, *, now: datetime, request_id: str
) -> Person:
    """The person with more roles; those that were there already change nothing. PersonNotFound, OrganisationUnknown."""
    identity.must_coordinate()
    must_give(identity, command.roles)

    async def work(session: Session) -> Person:
        roles, names = await _known_roles(store, command.roles, session)
        person = await active_person(store, person_id, session)
        return await _add(store, person, roles, names, now=now, request_id=request_id, session=session)

    return await store.transaction(work)


async def remove_role(
    store: Store, identity: Identity, person_id: str, role: RoleGiven, *, now: datetime, request_id: str
) -> Person:
    """The person without a role. PersonNotFound, RoleNotHeld, LastCoordinator."""
    identity.must_coordinate()

    person = await store.transaction(
        lambda session: remove_within(store, session, person_id, role.role(), now=now, request_id=request_id)
    )
    await forget_former(store, person_id, now)
    return person


async def remove_within(
    store: Store, session: Session, person_id: str, role: Role, *, now: datetime, request_id: str
) -> Person:
    """`remove_role` as a part of another use case's transaction; that use case has authorised it, and calls
    `forget_former` afterwards."""
    person = await active_person(store, person_id, session)
    if person.last_request_id == request_id:
        return person
    changed = person.without_role(role, request_id, now)
    await _keep_a_coordinator(store, person, changed, session)
    await store.save("people", changed, [changed.message(now, correlation_id.get())], session)
    return changed


async def erase_person(store: Store, identity: Identity, person_id: str, *, now: datetime, request_id: str) -> Person:
    """Erase name, address and roles here, in this service's outbox and, by message, everywhere.

    PersonNotFound, AlreadyErased, LastCoordinator.
    """
    identity.must_coordinate()
    person = await store.get("people", Person, person_id)
    if person is None:
        raise PersonNotFound
    if person.last_request_id == request_id:
        return person
    return await erase_known(store, person, now=now, request_id=request_id)


async def erase_known(store: Store, person: Person, *, now: datetime, request_id: str) -> Person:
    """`erase_person` for whom the hourly worker found due."""

    async def work(session: Session) -> Person:
        changed = person.erased(request_id)
        await _keep_a_coordinator(store, person, changed, session)
        await stored.erase(store, changed, person.email, [changed.message(now, correlation_id.get())], session)
        return changed

    return await store.transaction(work)


async def get_person(store: Store, identity: Identity, person_id: str) -> Person:
    """One person, for coordinators and for that person. PersonNotFound."""
    if not (identity.coordinates or identity.id == person_id):
        raise NotAllowed
    person = await store.get("people", Person, person_id)
    if person is None:
        raise PersonNotFound
    return person


async def list_people(
    store: Store,
    identity: Identity,
    *,
    organisation_id: str | None = None,
    q: str = "",
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[Person], str | None]:
    """Active people by name: of one organisation, or whose name or address holds `q`."""
    identity.must_coordinate()
    return await store.page("people", Person, stored.matching(organisation_id, q), "name", limit, after)


async def active_person(store: Store, person_id: str, session: Session | None = None) -> Person:
    """The person who is not erased, for a use case that has authorised it. PersonNotFound."""
    person = await store.get("people", Person, person_id, session)
    if person is None or not person.active:
        raise PersonNotFound
    return person


async def _add(
    store: Store, person: Person, roles: Sequence[Role], names: dict[str, str], *, now: datetime, request_id: str,
    session: Session,
) -> Person:  # fmt: skip
    changed = person.with_roles(roles, names, request_id, now + store.keep_people)
    if changed is not person:
        await store.save("people", changed, [changed.message(now, correlation_id.get())], session)
    return changed


async def _known_roles(store: Store, given: Sequence[RoleGiven], session: Session) -> tuple[list[Role], dict[str, str]]:
    """The roles, and the names of their organisations by id."""
    names: dict[str, str] = {}
    for role in given:
        if role.kind in AGENCY_ROLES:
            continue
        found = await organisations.find(store, role.organisation_id, session)
        if found is None or role.kind not in found.kinds:
            raise OrganisationUnknown(kind=role.kind)
        names[found.id] = found.name
    return [role.role() for role in given], names


async def _keep_a_coordinator(store: Store, before: Person, after: Person, session: Session) -> None:
    if not before.coordinates or after.coordinates:
        return
    await counters.guard(store, AGENCY, session)
    if not await stored.other_coordinators(store, before.id, session):
        raise LastCoordinator
