"""Pages: suppressed addresses; suppressing by hand, lifting."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.notify.edge import Now, TheContext, ThePages
from services.notify.usecases import suppressing
from services.notify.web.parts import PER_PAGE, common
from shared.errors import NotFound, RuleBroken
from shared.ui.language import sentence
from shared.web.callers import Person
from shared.web.pages import errors_by_field, form_request_id, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter(prefix="/suppressions")
Filter = Annotated[str, Query(max_length=100)]


@router.get("")
async def show_suppressions(
    request: Request, context: TheContext, pages: ThePages, person: Person, lifted: Filter = "", after: Filter = ""
) -> Response:
    """Suppressed addresses, or those that were lifted."""
    return await _list(request, context, pages, person, bool(lifted), after)


@router.post("")
async def suppress_address(
    request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Suppress one by hand."""
    form = await posted(request)
    email, note = str(form.get("email", ""))[:320], str(form.get("note", ""))[:300]
    try:
        request_id = form_request_id(person, form)
        made = await suppressing.suppress_address(context, person, email, note, now=now, request_id=request_id)
    except RuleBroken as error:
        if error.field is None:
            raise
        wrong = {"errors": errors_by_field(error, language_of(request)), "values": {"email": email, "note": note}}
        return await _list(request, context, pages, person, False, "", 422, **wrong)
    return see_other(f"/notify/suppressions/{made.id}")


@router.get("/{suppression_id}")
async def show_suppression(
    suppression_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """One address: why, since when, what is held back; the button that lifts it."""
    return await _page(suppression_id, request, context, pages, person, now)


@router.get("/{suppression_id}/lift")
async def ask_to_lift(
    suppression_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """What lifting causes, and the button for it."""
    return await _page(suppression_id, request, context, pages, person, now, asked=True)


@router.post("/{suppression_id}/lift")
async def lift_suppression(
    suppression_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Write to the address again."""
    form = await posted(request)
    try:
        request_id = form_request_id(person, form)
        _, again = await suppressing.lift_suppression(context, person, suppression_id, now=now, request_id=request_id)
    except NotFound:
        raise
    except RuleBroken as error:
        return await _page(suppression_id, request, context, pages, person, now, error)
    return see_other(f"/notify/suppressions/{suppression_id}?again={again}")


async def _list(
    request: Request, context: TheContext, pages: ThePages, person: Person, lifted: bool, after: str,
    status: int = 200, **more: object,
) -> Response:  # fmt: skip
    found, cursor = await suppressing.list_suppressions(
        context, person, active=not lifted, limit=PER_PAGE, after=after or None
    )
    rest = urlencode({**({"lifted": "yes"} if lifted else {}), "after": cursor}) if cursor else None
    return pages.show(
        request, "suppressions.html", status, suppressions=found, lifted=lifted,
        older=f"/notify/suppressions?{rest}" if rest else None,
        **{**await common(request, context, person), **more},
    )  # fmt: skip


async def _page(
    suppression_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now,
    error: RuleBroken | None = None, asked: bool = False,
) -> Response:  # fmt: skip
    found, held = await suppressing.show_suppression(context, person, suppression_id)
    again = request.query_params.get("again", "")
    return pages.show(
        request, "suppression.html", status_of(error) if error else 200, suppression=found, held=held, asked=asked,
        useful=await suppressing.count_useful(context, held, now),
        again=int(again) if again.isdecimal() and len(again) < 5 else None,
        problem=sentence(error, language_of(request)) if error else "",
        **await common(request, context, person),
    )  # fmt: skip
