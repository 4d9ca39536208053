"""Pages of the own account: facts, roles, as whom to act, what is stored."""

from typing import Any

from fastapi import APIRouter, Request, Response

from services.outreach.domain.people import ChangeOwnFacts, RoleNotHeld
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import account, people
from shared.auth import SESSION_SECONDS, Sessions
from shared.ui.menu import home_of
from shared.ui.switch import ALL, value_of
from shared.web.callers import ACTING_COOKIE, Person
from shared.web.pages import LANGUAGE_COOKIE, form_request_id, nested, posted, see_other, validated

router = APIRouter()
LANGUAGE_SECONDS = 365 * 86400


@router.get("/account")
async def show(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """What is stored about the signed-in person, what may be changed, and the way to end all sessions."""
    return await _page(request, pages, store, person)


@router.post("/account")
async def change(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Another name, telephone or language; pages are shown in that language too."""
    form = await posted(request)
    try:
        command = validated(ChangeOwnFacts, nested(form))
        await account.change_own_facts(store, person, command, now=now, request_id=form_request_id(person, form))
    except FORM_ERRORS as error:
        return await _page(request, pages, store, person, 422, values=dict(form), **wrong(request, error))
    answer = see_other("/outreach/account?saved=yes")
    _keep(request, answer, LANGUAGE_COOKIE, command.language, LANGUAGE_SECONDS)
    return answer


@router.post("/act-as")
async def act_as(request: Request, person: Person) -> Response:
    """From now on only one of the held roles counts in this browser, or all of them again. RoleNotHeld."""
    form = await posted(request)
    sessions: Sessions = request.app.state.sessions
    wanted = str(form.get("role", ALL))
    if wanted == ALL:
        answer = see_other(home_of(person.held))
        answer.delete_cookie(ACTING_COOKIE, path="/")
        return answer
    role = next((held for held in person.held if value_of(held) == wanted), None)
    if role is None:
        raise RoleNotHeld
    answer = see_other(home_of([role]))
    _keep(request, answer, ACTING_COOKIE, sessions.choose(person, role), SESSION_SECONDS)
    return answer


def _keep(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = request.app.state.public_url.startswith("https")
    answer.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure)


async def _page(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    status: int = 200,
    values: dict[str, Any] | None = None,
    **more: Any,
) -> Response:
    me = await people.get_person(store, person, person.id)
    typed = values or me.model_dump(include={"name", "phone", "language", "reminders"})
    saved = request.query_params.get("saved") == "yes"
    return pages.show(request, "account.html", status, me=me, values=typed, saved=saved, **more)
