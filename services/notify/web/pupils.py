"""Pages for pupils and parents. Nobody signs in; looking changes nothing, every answer is a button of a form."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, ValidationError

from services.notify import words
from services.notify.consent import (
    PARENT_QUESTION,
    PUPIL_STATEMENT,
    Asking,
    ClassLinkUnknown,
    LinkIsOver,
    NoRoomLeft,
    ParentNotAskedAnyMore,
    TooManyAsked,
    VisitIsOver,
)
from services.notify.edge import Now, TheContext, ThePages
from services.notify.usecases import participants
from services.notify.usecases.participants import OwnPage
from shared.errors import Invalid, RuleBroken
from shared.texts import one_line
from shared.ui.language import sentence
from shared.web.callers import Visitor, client_of
from shared.web.pages import Pages, errors_by_field, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter()
DEAD_END = (ClassLinkUnknown, VisitIsOver, LinkIsOver, ParentNotAskedAnyMore)
SAID = {"yes": True, "no": False, "open": None}
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40), one_line]


class AskForm(BaseModel):
    """The form of the class link's page."""

    model_config = ConfigDict(extra="ignore")
    first_name: Name
    email: Annotated[EmailStr, Field(max_length=254)]
    under_16: bool
    parent_email: Annotated[EmailStr, Field(max_length=254)] | None = None


@router.get("/class/{secret}")
async def show_class(
    secret: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """What the class link is for, the visit's facts, and the form."""
    return await _class_page(secret, request, context, pages, now)


@router.post("/class/{secret}")
async def ask(
    secret: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """Somebody wants to be reminded."""
    form = await posted(request)
    values = {name: str(value)[:300] for name, value in form.items()}
    try:
        asked = AskForm.model_validate({name: value for name, value in values.items() if value.strip()})
        asking = Asking(asked.first_name, asked.email, asked.under_16, asked.parent_email or "", language_of(request))
        await participants.ask_for_reminders(context, secret, asking, client=client_of(request), now=now)
    except (ValidationError, Invalid, NoRoomLeft, TooManyAsked) as error:
        errors = errors_by_field(error, language_of(request))
        status = 422 if isinstance(error, ValidationError) else status_of(error)
        return await _class_page(secret, request, context, pages, now, status, errors=errors, values=values)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    return see_other(f"/notify/class/{secret}/sent?to={'parent' if asked.under_16 else 'pupil'}")


@router.get("/class/{secret}/sent")
async def sent(secret: str, request: Request, pages: ThePages, person: Visitor, to: str = "") -> Response:
    """A mail is on its way."""
    return _private(pages.show(request, "pupil_sent.html", to_parent=to == "parent", secret=secret))


@router.get("/parent/{token}")
async def show_question(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """One question, two buttons."""
    try:
        page = await participants.show_question(context, token, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error, "parent")
    return _own(request, pages, "parent.html", page, token, PARENT_QUESTION)


@router.post("/parent/{token}")
async def answer(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """A parent's yes, no, or withdrawal."""
    said, language = str((await posted(request)).get("answer", "")), language_of(request)
    try:
        if said == "withdraw":
            await participants.withdraw(context, "parent", token, language=language, now=now)
        elif said in ("yes", "no"):
            await participants.answer_as_parent(context, token, said == "yes", language=language, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error, "parent")
    if said in ("no", "withdraw"):
        return see_other(f"/notify/erased?by=parent&after={said}")
    return see_other(f"/notify/parent/{token}")


@router.get("/confirm/{token}")
async def show_confirmation(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """One button: yes, remind me."""
    try:
        page = await participants.show_confirmation(context, token, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    return _own(request, pages, "pupil_confirm.html", page, token, PUPIL_STATEMENT)


@router.post("/confirm/{token}")
async def confirm(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """The pupil wants the reminders."""
    await posted(request)
    try:
        own = await participants.confirm(context, token, language=language_of(request), now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    return see_other(f"/notify/mine/{own}?done=confirmed")


@router.get("/mine/{token}")
async def show_own(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now, done: str = ""
) -> Response:
    """The pupil's own page."""
    try:
        page = await participants.show_own(context, token, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    return _own(request, pages, "pupil.html", page, token, done=done)


@router.post("/mine/{token}/coming")
async def say_coming(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """I am coming; I cannot come; or neither is said any more."""
    said = str((await posted(request)).get("coming", ""))
    try:
        if said in SAID:
            await participants.say_coming(context, token, SAID[said], now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    return see_other(f"/notify/mine/{token}")


@router.post("/mine/{token}/withdraw")
async def withdraw(
    token: str, request: Request, context: TheContext, pages: ThePages, person: Visitor, now: Now
) -> Response:
    """No reminders any more; everything is erased."""
    await posted(request)
    try:
        await participants.withdraw(context, "mine", token, language=language_of(request), now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    return see_other("/notify/erased?by=pupil&after=withdraw")


@router.get("/erased")
async def erased(request: Request, pages: ThePages, person: Visitor, by: str = "", after: str = "") -> Response:
    """Everything is erased."""
    return pages.show(request, "pupil_erased.html", parent=by == "parent", refused=after == "no")


async def _class_page(
    secret: str, request: Request, context: TheContext, pages: Pages, now: Now, status: int = 200, **values: Any
) -> Response:
    try:
        visit = await participants.show_class(context, secret, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, error)
    slot = visit.facts.slot
    gone_at = context.store.pupils_gone_at(slot.ends_local, slot.zone).astimezone(ZoneInfo(slot.zone)).date()
    return _private(
        pages.show(request, "class.html", status, secret=secret, gone_at=gone_at, **_facts(visit), **values)
    )


def _own(
    request: Request, pages: Pages, template: str, page: OwnPage, token: str, text: str = "", **values: str
) -> Response:
    participant, language = page.participant, language_of(request)
    shown = words.consent_text(text, page.visit.facts, language, participant.first_name) if text else ""
    return _private(
        pages.show(request, template, participant=participant, token=token, shown=shown, **_facts(page.visit), **values)
    )


def _facts(visit: participants.Visit) -> dict[str, Any]:
    facts = visit.facts
    return {"visit": visit, "slot": facts.slot, "offer": facts.slot.offer, "group": facts.group, "facts": facts}


def _dead_end(request: Request, pages: Pages, error: RuleBroken, whom: str = "pupil") -> Response:
    reason = sentence(error, language_of(request))
    over = isinstance(error, VisitIsOver)  # then nobody takes part in it any more
    parent = whom == "parent"
    return _private(
        pages.show(request, "pupil_dead_end.html", status_of(error), reason=reason, parent=parent, over=over)
    )


def _private(page: Response) -> Response:
    """Pages behind a secret are kept by no cache and found by no search engine."""
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Robots-Tag"] = "noindex"
    return page
