"""Pages for signing in and out. The links in mails only show a button: nothing changes on GET."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import account, sign_in
from services.outreach.usecases.sign_in import AskForSignIn, SignedIn
from services.outreach.web.addresses import with_query
from shared.auth import SESSION_SECONDS, Identity, Sessions
from shared.errors import Invalid, TooManyRequests
from shared.ui.menu import home_of
from shared.web.callers import ACTING_COOKIE, SESSION_COOKIE, Person, Visitor, client_of, own_path
from shared.web.pages import Pages, form_request_id, posted, see_other, validated

router = APIRouter()
Text = Annotated[str, Query(max_length=500)]


@router.get("/sign-in")
async def ask(request: Request, pages: ThePages, person: Visitor, next: Text = "/", unsent: Text = "") -> Response:
    """Where the address is typed in; `unsent`: after a form that came when the sign-in had ended."""
    return ask_page(request, pages, next=own_path(next), unsent=bool(unsent))


@router.post("/sign-in")
async def send_mail(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Have a mail sent, if the address is known; the answer is the same when it is not."""
    form = await posted(request)
    next_page = own_path(str(form.get("next", "/")))
    try:
        command = validated(AskForSignIn, {"email": form.get("email", ""), "back_to": next_page})
        handle = await sign_in.ask_for_sign_in(
            store, command, client=client_of(request), now=now, request_id=str(form.get("request_id", ""))
        )
    except FORM_ERRORS as error:
        return ask_page(request, pages, status_of_form(error), values=form, next=next_page, **wrong(request, error))
    return see_other(_code_page(handle)["this_page"])


@router.get("/sign-in/sent")
async def sent(
    request: Request, pages: ThePages, person: Visitor, handle: Annotated[str, Query(alias="request")] = ""
) -> Response:
    """Says that a mail is on its way, and takes the code."""
    return pages.show(request, "sign_in_sent.html", **_code_page(handle))


@router.post("/sign-in/code")
async def use_code(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Sign in with the mailed code, in the browser that asked for it."""
    form = await posted(request)
    handle, code = str(form.get("handle", ""))[:100], str(form.get("code", ""))[:20]
    try:
        signed_in = await sign_in.sign_in_by_code(store, handle, code, client=client_of(request), now=now)
    except FORM_ERRORS as error:
        shown = {**_code_page(handle), **wrong(request, error)}
        return pages.show(request, "sign_in_sent.html", status_of_form(error), **shown)
    return await with_session(request, store, signed_in, person, now)


@router.get("/sign-in/link")
async def link(request: Request, pages: ThePages, person: Visitor, token: Text = "") -> Response:
    """The mailed link: shows a button that signs in."""
    return pages.show(request, "sign_in_link.html", token=token)


@router.post("/sign-in/link")
async def use_link(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Sign in with the mailed link's token."""
    form = await posted(request)
    try:
        signed_in = await sign_in.sign_in_by_link(store, str(form.get("token", ""))[:500], now=now)
    except Invalid as error:
        return ask_page(request, pages, 422, **wrong(request, error))
    return await with_session(request, store, signed_in, person, now)


@router.post("/sign-out")
async def sign_out(request: Request, store: TheStore, now: Now, person: Visitor) -> Response:
    """End this browser's session, on the server too: a copy of its cookie opens nothing any more."""
    await posted(request)
    if person:
        await account.sign_out(store, person, now=now)
    return _without_session()


@router.post("/sign-out-everywhere")
async def sign_out_everywhere(request: Request, store: TheStore, now: Now, person: Person) -> Response:
    """End all sessions of the signed-in person, on every machine."""
    form = await posted(request)
    await account.sign_out_everywhere(store, person, now=now, request_id=form_request_id(person, form))
    return _without_session()


def _code_page(handle: str) -> dict[str, str]:
    return {"handle": handle, "this_page": f"/outreach/sign-in/sent?request={quote(handle)}"}


def ask_page(request: Request, pages: Pages, status: int = 200, next: str = "/", **more: Any) -> Response:
    """The sign-in page, with the provider's button when there is one."""
    provider = request.app.state.settings.oidc_label if request.app.state.oidc else ""
    oidc = with_query("/outreach/sign-in/oidc", next=next)
    shown = {"unsent": False, "next": next, "provider": provider, "oidc": oidc, **more}
    return pages.show(request, "sign_in.html", status, **shown)


def status_of_form(error: Exception) -> int:
    """429 when something was asked for too often, else 422."""
    return 429 if isinstance(error, TooManyRequests) else 422


def _without_session() -> Response:
    answer = see_other("/outreach/sign-in")
    for name in (SESSION_COOKIE, ACTING_COOKIE):
        answer.delete_cookie(name, path="/")
    return answer


async def with_session(
    request: Request, store: TheStore, signed_in: SignedIn, before: Identity | None, now: datetime
) -> Response:
    """Leads to the first page of who has signed in, with a new session. That of somebody else, who was signed in
    `before` in this browser, ends on the server too."""
    sessions: Sessions = request.app.state.sessions
    person = signed_in.person
    if before and before.id != person.id:
        await account.sign_out(store, before, now=now)
    answer = see_other(_first_page(signed_in))
    answer.delete_cookie(ACTING_COOKIE, path="/")
    answer.set_cookie(
        SESSION_COOKIE,
        sessions.open(person.id, person.session_epoch),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.app.state.public_url.startswith("https"),
    )
    return answer


def _first_page(signed_in: SignedIn) -> str:
    if signed_in.back_to not in ("/", ""):
        return own_path(signed_in.back_to)
    return home_of(signed_in.person.roles)
