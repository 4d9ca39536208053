"""Pages of a school's or company's own people: who acts here, inviting, removing; and answering an invitation."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.invitations import InviteColleague, LastOne, RoleNotHere
from services.outreach.domain.people import PersonNotFound
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import colleagues, invitations, sign_in
from services.outreach.usecases.colleagues import Team
from services.outreach.usecases.sign_in import AskForSignIn
from services.outreach.web.sign_in import status_of_form
from shared import region
from shared.auth import hash_of_key
from shared.errors import RuleBroken
from shared.ids import derived_id
from shared.schemas.outreach import RoleKind
from shared.web.callers import Person, Visitor, client_of
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
MINE = "/outreach/my-organisation"
MY_VISITS = "/outreach/my-visits"
Id = Annotated[str, Query(max_length=64)]
Text = Annotated[str, Query(max_length=500)]


@router.get("/my-organisation")
async def mine(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The school or company for which the signed-in person acts; with several: which one?"""
    own = await colleagues.own_organisations(store, person)
    if len(own) > 1:
        return pages.show(request, "my_organisations.html", own=own)
    return await _page(own[0][0], request, pages, store, now, person)


@router.get("/my-organisation/{organisation_id}")
async def show(
    organisation_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person, done: Id = ""
) -> Response:
    """Who acts here, who has been invited, and the form to invite somebody."""
    return await _page(organisation_id, request, pages, store, now, person, done=done)


@router.post("/my-organisation/{organisation_id}/invite")
async def invite(
    organisation_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Mail a colleague an invitation."""
    form = await posted(request)
    try:
        command = validated(InviteColleague, nested(form))
        await colleagues.invite_colleague(
            store, person, organisation_id, command, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        typed, reasons = dict(form), wrong(request, error)
        return await _page(organisation_id, request, pages, store, now, person, status_of_form(error), typed, **reasons)
    return see_other(f"{MINE}/{organisation_id}?done=invited")


@router.post("/my-organisation/{organisation_id}/invitations/{invitation_id}/withdraw")
async def withdraw(
    organisation_id: str, invitation_id: str, request: Request, store: TheStore, now: Now, person: Person
) -> Response:
    """Let an invitation lead nowhere any more."""
    form = await posted(request)
    await colleagues.withdraw_invitation(
        store, person, organisation_id, invitation_id, now=now, request_id=form_request_id(person, form)
    )
    return see_other(f"{MINE}/{organisation_id}?done=withdrawn")


@router.get("/my-organisation/{organisation_id}/people/{person_id}/remove")
async def ask_to_remove(
    organisation_id: str,
    person_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    now: Now,
    person: Person,
    kind: Id = "",
) -> Response:
    """Says what removing means, and asks."""
    return await _asking(organisation_id, person_id, kind, request, pages, store, now, person)


@router.post("/my-organisation/{organisation_id}/people/{person_id}/remove")
async def remove(
    organisation_id: str, person_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Take a colleague's, or the own, task here away."""
    form = await posted(request)
    kind = str(form.get("kind", ""))
    try:
        await colleagues.remove_colleague(
            store, person, organisation_id, person_id, _kind(kind), even_the_last=form.get("last") == "yes",
            now=now, request_id=form_request_id(person, form),
        )  # fmt: skip
    except LastOne as error:
        reasons = wrong(request, error)
        return await _asking(organisation_id, person_id, kind, request, pages, store, now, person, 409, **reasons)
    if person_id == person.id and not person.coordinates:
        return see_other("/outreach/account")
    return see_other(f"{MINE}/{organisation_id}?done=removed")


@router.get("/invitations/link")
async def invitation(
    request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor, token: Text = ""
) -> Response:
    """The mailed link: says who asks what, and shows two buttons."""
    try:
        asked = await invitations.see_invitation(store, token, now=now)
    except RuleBroken as error:
        return pages.show(request, "invitation.html", 404, asked=None, token="", **wrong(request, error))
    field_names = region.career_fields(language_of(request))
    return pages.show(request, "invitation.html", asked=asked, token=token, field_names=field_names)


@router.post("/invitations/accept")
async def accept(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Take the task on; whoever is not signed in gets a sign-in mail."""
    form = await posted(request)
    token = str(form.get("token", ""))[:500]
    request_id = derived_id("answer", hash_of_key(token))
    try:
        accepted = await invitations.accept_invitation(store, token, now=now, request_id=request_id)
        if person and person.id == accepted.id:
            acts = any(role.kind in ("teacher", "company") for role in accepted.roles)
            return see_other(MINE if acts else MY_VISITS)
        command = AskForSignIn(email=accepted.email, back_to="/outreach/account")
        handle = await sign_in.ask_for_sign_in(
            store, command, client=client_of(request), now=now, request_id=request_id
        )
    except FORM_ERRORS as error:
        return pages.show(
            request, "invitation.html", status_of_form(error), asked=None, token="", **wrong(request, error)
        )
    return see_other(f"/outreach/sign-in/sent?request={handle}")


@router.post("/invitations/decline")
async def decline(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Say no; name and address are forgotten."""
    form = await posted(request)
    token = str(form.get("token", ""))[:500]
    request_id = derived_id("answer", hash_of_key(token))
    try:
        await invitations.decline_invitation(store, token, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        return pages.show(
            request, "invitation.html", status_of_form(error), asked=None, token="", **wrong(request, error)
        )
    return pages.show(request, "invitation_declined.html")


def _kind(text: str) -> RoleKind:
    """RoleNotHere for what is no kind of role."""
    if text not in get_args(RoleKind):
        raise RoleNotHere
    return text  # type: ignore[return-value]


async def _page(
    organisation_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    now: Now,
    person: Person,
    status: int = 200,
    values: dict[str, Any] | None = None,
    done: str = "",
    **more: Any,
) -> Response:
    team = await colleagues.get_team(store, person, organisation_id, now=now)
    typed = values or {"language": person.language, "kind": team.organisation.kinds[0]}
    return pages.show(request, "my_organisation.html", status, team=team, values=typed, done=done, **more)


async def _asking(
    organisation_id: str,
    person_id: str,
    kind: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    now: Now,
    person: Person,
    status: int = 200,
    **more: Any,
) -> Response:
    team: Team = await colleagues.get_team(store, person, organisation_id, now=now)
    leaving = next((member for member in team.people if member.id == person_id), None)
    if leaving is None or not any(role.kind == kind for role in leaving.roles):
        raise PersonNotFound
    last = team.last_one(person_id, _kind(kind))
    return pages.show(
        request, "colleague_remove.html", status, team=team, leaving=leaving, kind=kind, last=last, **more
    )
