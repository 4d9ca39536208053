"""The accessibility statement with its form for feedback, and the coordinator's list of what was told."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.feedback import SendFeedback
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, wrong
from services.outreach.usecases import feedback
from services.outreach.web.addresses import with_query
from services.outreach.web.public import shown_text
from shared.errors import TooManyRequests
from shared.web.callers import Person, Visitor, client_of
from shared.web.pages import form_request_id, language_of, posted, see_other, validated

router = APIRouter()
TRAP = "homepage"  # a field that people do not see: who fills it in is a program


@router.get("/accessibility")
async def accessibility(request: Request, pages: ThePages, person: Visitor) -> Response:
    """How usable this is for everybody, and the form for what is not."""
    values = {"name": person.name, "email": person.email} if person else {}
    return pages.show(request, "accessibility.html", values=values, **shown_text(request, "accessibility"))


@router.post("/accessibility")
async def send(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Keep the feedback; a program that fills in everything is thanked, and nothing is kept."""
    form = await posted(request)
    fields = {name: str(form.get(name, "")) for name in ("text", "name", "email")}
    if form.get(TRAP):
        return see_other("/outreach/accessibility/thanks")
    try:
        await feedback.send_feedback(
            store, validated(SendFeedback, fields), client=client_of(request),
            language=language_of(request), now=now, request_id=str(form.get("request_id", ""))[:100],
        )  # fmt: skip
    except FORM_ERRORS as error:
        status = 429 if isinstance(error, TooManyRequests) else 422
        told = {**shown_text(request, "accessibility"), **wrong(request, error)}
        return pages.show(request, "accessibility.html", status, values=fields, **told)
    return see_other("/outreach/accessibility/thanks")


@router.get("/accessibility/thanks")
async def thanks(request: Request, pages: ThePages, person: Visitor) -> Response:
    """It has arrived."""
    return pages.show(request, "feedback_thanks.html")


@router.get("/feedback")
async def show(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    done: bool = False,
    after: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """What was told: open first, or what is done."""
    found, cursor = await feedback.list_feedback(store, person, done=done, after=after or None)
    rest = with_query("/outreach/feedback", done="true" if done else "", after=cursor) if cursor else None
    return pages.show(request, "feedback.html", found=found, rest=rest, done=done)


@router.post("/feedback/{feedback_id}/done")
async def finish(feedback_id: str, request: Request, store: TheStore, person: Person) -> Response:
    """Somebody has seen to it."""
    form = await posted(request)
    await feedback.finish_feedback(store, person, feedback_id, request_id=form_request_id(person, form))
    return see_other("/outreach/feedback")
