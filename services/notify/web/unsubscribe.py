"""Pages: no more reminders. Looking changes nothing; the button does, and so does a mail program's one click."""

from fastapi import APIRouter, Request, Response

from services.notify.consent import LinkIsOver
from services.notify.edge import Now, TheContext, ThePages
from services.notify.usecases import unsubscribing
from shared.ui.language import sentence
from shared.web.callers import Visitor
from shared.web.pages import Pages, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter(prefix="/unsubscribe")
LARGEST_CLICK = 1000  # bytes


@router.get("/{token}")
async def show_choice(token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor) -> Response:
    """Whether reminders come, and the button that changes it."""
    try:
        choice = await unsubscribing.show_choice(context, token)
    except LinkIsOver as error:
        return _dead_end(request, pages, error)
    return _private(pages.show(request, "unsubscribe.html", choice=choice, token=token))


@router.post("/{token}")
async def change_choice(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """Stop, or take it back. A mail program sends neither session nor origin: the secret in the link stands for both.

    It gets no redirect, as RFC 8058 wants it."""
    one_click = await _is_one_click(request)
    again = not one_click and (await posted(request)).get("reminders") == "again"
    try:
        if again:
            await unsubscribing.resume_reminders(context, token)
            return see_other(f"/notify/unsubscribe/{token}")
        choice = await unsubscribing.stop_reminders(context, token, now=now)
    except LinkIsOver as error:
        return Response(status_code=status_of(error)) if one_click else _dead_end(request, pages, error)
    if one_click:
        return Response(status_code=200)
    return see_other("/notify/erased?by=pupil&after=withdraw" if choice.of_a_pupil else f"/notify/unsubscribe/{token}")


async def _is_one_click(request: Request) -> bool:
    size = request.headers.get("content-length", "")
    if not (size.isascii() and size.isdigit() and int(size[:9]) <= LARGEST_CLICK):
        return False
    form = await request.form(max_files=0, max_fields=5)
    return form.get("List-Unsubscribe") == "One-Click"


def _dead_end(request: Request, pages: Pages, error: LinkIsOver) -> Response:
    reason = sentence(error, language_of(request))
    return _private(pages.show(request, "unsubscribe.html", status_of(error), choice=None, reason=reason))


def _private(page: Response) -> Response:
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Robots-Tag"] = "noindex"
    return page
