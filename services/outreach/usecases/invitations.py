"""Answering an invitation with the token that was mailed: it proves nothing but that the mail was read."""

from datetime import datetime

from services.outreach.domain.ambassadors import EnterAmbassador
from services.outreach.domain.invitations import Invitation, InvitationNotValid, acts_for
from services.outreach.domain.people import EnterPerson, Person, PersonNotFound, RoleGiven
from services.outreach.store import invitations as stored
from services.outreach.store import people, visits
from services.outreach.store.core import Store
from services.outreach.usecases.ambassadors import enter_for, free_former
from services.outreach.usecases.people import enter_within
from shared.auth import hash_of_key
from shared.identity import Identity
from shared.mongo import AlreadyThere, Session


async def see_invitation(store: Store, token: str, *, now: datetime) -> Invitation:
    """The open invitation with this token. InvitationNotValid."""
    return await _valid(store, token, now)


async def accept_invitation(store: Store, token: str, *, now: datetime, request_id: str) -> Person:
    """The invited address's person, who has the role now; no session begins. A second click finds it done.

    InvitationNotValid, also when whoever invited acts there no longer.
    """

    async def work(session: Session) -> Person:
        known = await stored.by_token(store, hash_of_key(token), session)
        if known and known.state == "accepted" and known.person_id and known.expires_at > now:
            return await _accepted(store, known.person_id, session)
        invitation = await _valid(store, token, now, session)
        role = RoleGiven(kind=invitation.kind, organisation_id=invitation.organisation_id)
        facts = EnterPerson(**invitation.model_dump(include={"name", "email", "language"}), roles=[role])
        before = await people.by_email(store, invitation.email, session)
        person = await enter_within(store, session, facts, now=now, request_id=request_id)
        if invitation.kind == "ambassador":
            await _enter_ambassador(store, invitation, before, person, request_id, session)
        await stored.close(store, invitation.closed("accepted", request_id, person.id), session)
        return person

    asked = await stored.by_token(store, hash_of_key(token))
    if asked and asked.kind == "ambassador" and asked.state == "open":
        await free_former(store, asked.email, now)
    try:
        return await store.transaction(work)
    except AlreadyThere:  # the same address was entered in this very moment: it is found the second time
        return await store.transaction(work)


async def decline_invitation(store: Store, token: str, *, now: datetime, request_id: str) -> None:
    """The answer is no, and name and address are gone. A second click finds it done. InvitationNotValid."""

    async def work(session: Session) -> None:
        known = await stored.by_token(store, hash_of_key(token), session)
        if known and known.state == "declined":
            return
        invitation = await _valid(store, token, now, session)
        await stored.close(store, invitation.closed("declined", request_id), session)

    await store.transaction(work)


async def _valid(store: Store, token: str, now: datetime, session: Session | None = None) -> Invitation:
    invitation = await stored.by_token(store, hash_of_key(token), session)
    if invitation is None:
        raise InvitationNotValid
    invitation.must_be_open(now)
    inviter = await store.get("people", Person, invitation.invited_by, session)
    if inviter is None or not inviter.active:
        raise InvitationNotValid
    if not acts_for(Identity(inviter.id, "person", "", inviter.roles), invitation.organisation_id):
        raise InvitationNotValid
    return invitation


async def _accepted(store: Store, person_id: str, session: Session) -> Person:
    person = await store.get("people", Person, person_id, session)
    if person is None or not person.active:
        raise PersonNotFound
    return person


async def _enter_ambassador(
    store: Store, invitation: Invitation, before: Person | None, person: Person, request_id: str, session: Session
) -> None:
    """With the settings of the invitation, which the person changes on the own page; who is an ambassador already
    visits schools for this company too, as before."""
    company_id = invitation.organisation_id
    held = await visits.ambassador_of(store, person.id, session)
    if held and held.as_person(before).active:
        if company_id not in held.companies:
            await store.save("ambassadors", held.joining(company_id, request_id), session=session)
        return
    said = {"name", "email", "language", "limits", "fields", "home_postal_code"}
    command = EnterAmbassador(**invitation.model_dump(include=said), company_id=company_id)
    await enter_for(store, session, before, person, command, request_id)
