"""Who acts for a school or company: seeing, inviting and removing colleagues."""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.outreach.domain.ambassador_commands import EnterAmbassador
from services.outreach.domain.ambassadors import known_fields
from services.outreach.domain.invitations import (
    MOST_OPEN,
    VALID_FOR,
    ActsHereAlready,
    Invitation,
    InvitationNotFound,
    InvitationsFull,
    InviteAmbassador,
    InviteColleague,
    LastOne,
    OrganisationNotFound,
    RoleNotHere,
    TooManyInvitations,
    acts_for,
)
from services.outreach.domain.people import Person, email_key
from services.outreach.store import counters, organisations, people
from services.outreach.store import invitations as stored
from services.outreach.store.core import Store, from_document
from services.outreach.store.organisations import Organisation
from services.outreach.usecases.people import remove_within
from services.outreach.usecases.visit_erasure import forget_former
from shared.auth import hash_of_key
from shared.errors import NotAllowed
from shared.identity import Identity
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import AlreadyThere, Session
from shared.schemas.outreach import Role, RoleKind

HOUR = timedelta(hours=1)
INVITATIONS_PER_PERSON = 20


@dataclass(frozen=True)
class Team:
    """Who acts for an organisation, by name, and who has been asked to."""

    organisation: Organisation
    people: list[Person]
    invited: list[Invitation]

    def last_one(self, person_id: str, kind: RoleKind) -> bool:
        """Whether nobody can act here any more without this person; ambassadors do not act for the company."""
        acting = kind == self.organisation.kinds[0]
        role = Role(kind=kind, organisation_id=self.organisation.id)
        return acting and all(other.id == person_id for other in self.people if role in other.roles)


async def get_team(store: Store, identity: Identity, organisation_id: str, *, now: datetime) -> Team:
    """The people and open invitations of a school or company, for its own people and coordinators."""
    _must_act_for(identity, organisation_id)
    found = await _organisation(store, organisation_id)
    return Team(found, await _members(store, found), await stored.open_ones(store, organisation_id, now))


async def own_organisations(store: Store, identity: Identity) -> list[tuple[str, str]]:
    """(id, name) of the schools and companies for which `identity` acts now, by name."""
    ids = {role.organisation_id for role in identity.roles if role.kind in ("teacher", "company")}
    if not ids:
        raise NotAllowed
    names = await organisations.names(store, ids)
    if not names:
        raise NotAllowed
    return sorted(names.items(), key=lambda pair: pair[1].casefold())


async def invite_colleague(
    store: Store,
    identity: Identity,
    organisation_id: str,
    command: InviteColleague,
    *,
    now: datetime,
    request_id: str,
) -> Invitation:
    """Mail somebody an invitation; one that is open for the same address and task is replaced.

    OrganisationNotFound, RoleNotHere, ActsHereAlready, InvitationsFull, TooManyInvitations.
    """
    _must_act_for(identity, organisation_id)
    found = await _organisation(store, organisation_id)
    if command.kind not in found.kinds:
        raise RoleNotHere
    await _count(store, identity, now)
    token = secrets.token_urlsafe(32)
    invitation = _new(identity, found, command, token, now, request_id)

    async def work(session: Session) -> Invitation:
        there = await store.get("invitations", Invitation, invitation.id, session)
        if there:
            return there
        await _make_room(store, invitation, now, session)
        message = invitation.message(token, now, correlation_id.get())
        await stored.insert(store, invitation, message, session)
        return invitation

    try:
        return await store.transaction(work)
    except AlreadyThere:  # the same form in this very moment: it is found the second time
        return await store.transaction(work)


async def invite_ambassador(
    store: Store, identity: Identity, company_id: str, command: EnterAmbassador, *, now: datetime, request_id: str
) -> Invitation:
    """A company enters an ambassador: whoever it is gets a mail and has to agree, and the answer to the company is the
    same whether the address is known here or not, so that nobody learns of what belongs to others.

    As `invite_colleague`; AmbassadorFieldUnknown.
    """
    identity.must_act_for_company(company_id)
    facts = command.model_dump(exclude={"company_id"})
    question = InviteAmbassador(**{**facts, "fields": list(known_fields(command.fields))})
    return await invite_colleague(store, identity, company_id, question, now=now, request_id=request_id)


async def invited_ambassadors(store: Store, identity: Identity, *, now: datetime) -> list[Invitation]:
    """Whom the companies of `identity` have asked to be an ambassador, and who has not answered; for coordinators
    those stand at each company."""
    if not (identity.coordinates or identity.has("company")):
        raise NotAllowed
    asked = [each for id in identity.organisations("company") for each in await stored.open_ones(store, id, now)]
    return [each for each in asked if each.kind == "ambassador"]


async def withdraw_invitation(
    store: Store, identity: Identity, organisation_id: str, invitation_id: str, *, now: datetime, request_id: str
) -> Invitation:
    """The mailed invitation leads nowhere any more. InvitationNotFound."""
    _must_act_for(identity, organisation_id)

    async def work(session: Session) -> Invitation:
        known = await store.get("invitations", Invitation, invitation_id, session)
        if known is None or known.organisation_id != organisation_id:
            raise InvitationNotFound
        if known.state == "withdrawn":
            return known
        if known.state != "open":
            raise InvitationNotFound
        closed = known.closed("withdrawn", request_id)
        await stored.close(store, closed, session)
        return closed

    return await store.transaction(work)


async def remove_colleague(
    store: Store,
    identity: Identity,
    organisation_id: str,
    person_id: str,
    kind: RoleKind,
    *,
    even_the_last: bool = False,
    now: datetime,
    request_id: str,
) -> Person:
    """Take somebody's (or one's own) task in this organisation away.

    LastOne when nobody else acts there and this was not confirmed; PersonNotFound, RoleNotHeld, RoleNotHere.
    """
    _must_act_for(identity, organisation_id)
    found = await _organisation(store, organisation_id)
    if kind not in found.kinds:
        raise RoleNotHere

    async def work(session: Session) -> Person:
        await counters.guard(store, organisation_id, session)
        team = Team(found, await _members(store, found, session), [])
        if team.last_one(person_id, kind) and not even_the_last:
            raise LastOne
        role = Role(kind=kind, organisation_id=organisation_id)
        return await remove_within(store, session, person_id, role, now=now, request_id=request_id)

    person = await store.transaction(work)
    await forget_former(store, person_id, now)
    return person


def _must_act_for(identity: Identity, organisation_id: str) -> None:
    if not acts_for(identity, organisation_id):
        raise NotAllowed


async def _organisation(store: Store, organisation_id: str) -> Organisation:
    found = await organisations.find(store, organisation_id)
    if found is None:
        raise OrganisationNotFound
    return found


async def _members(store: Store, of: Organisation, session: Session | None = None) -> list[Person]:
    found = store.db.people.find(people.matching(of.id, ""), session=session)
    return sorted([from_document(Person, row) async for row in found], key=lambda person: person.name.casefold())


async def _count(store: Store, identity: Identity, now: datetime) -> None:
    if await counters.count(store, f"invitation by {identity.id}", HOUR, now) > INVITATIONS_PER_PERSON:
        seconds = math.ceil(HOUR.total_seconds() - now.timestamp() % HOUR.total_seconds())
        raise TooManyInvitations(seconds=seconds, minutes=-(-seconds // 60))


def _new(
    identity: Identity, of: Organisation, command: InviteColleague, token: str, now: datetime, request_id: str
) -> Invitation:
    return Invitation(
        id=derived_id(request_id, "invitation"),
        last_request_id=request_id,
        organisation_id=of.id,
        organisation_name=of.name,
        invited_by=identity.id,
        invited_by_name=identity.name,
        token_hash=hash_of_key(token),
        expires_at=now + VALID_FOR,
        **command.model_dump(),
    )


async def _make_room(store: Store, new: Invitation, now: datetime, session: Session) -> None:
    """Withdraw the same question asked before. ActsHereAlready, InvitationsFull."""
    known = await people.by_email(store, new.email, session)
    if known and new.role in known.roles:
        raise ActsHereAlready
    asked = await stored.open_ones(store, new.organisation_id, now, session)
    same = [each for each in asked if each.kind == new.kind and email_key(each.email) == email_key(new.email)]
    if len(asked) - len(same) >= MOST_OPEN:
        raise InvitationsFull(count=len(asked))
    for each in same:
        await stored.close(store, each.closed("withdrawn", new.last_request_id), session)
