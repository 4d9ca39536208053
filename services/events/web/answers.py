"""Pages behind the links in mails by which a school answers for a group without signing in. Looking changes nothing,
every answer is a button of a form; a link that is no longer valid says where to look instead."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.domain.errors import AnsweredTooLate, AnswerLinkIsOver, SlotHasStarted, SlotIsCancelled
from services.events.usecases import answers
from services.events.web.parts import ThePages
from shared.answer_links import Action, AnswerLinks, AnswerLinkUnknown
from shared.errors import RuleBroken
from shared.ui.language import sentence
from shared.web.callers import Visitor
from shared.web.pages import language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter()
DEAD_END = (AnswerLinkUnknown, AnswerLinkIsOver, AnsweredTooLate, SlotHasStarted, SlotIsCancelled)


async def _links(request: Request) -> AnswerLinks:
    return request.app.state.answer_links


TheLinks = Annotated[AnswerLinks, Depends(_links)]


@router.get("/cannot-come/{token}")
async def show_cannot_come(
    token: str, request: Request, pages: ThePages, store: TheStore, links: TheLinks, now: Now, person: Visitor
) -> Response:
    """What cancelling causes, and the button for it."""
    try:
        asked = await answers.show_cannot_come(store, links, token, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, links, "cannot-come", token, error)
    return _private(pages.show(request, "cannot_come.html", asked=asked, slot=asked.slot, token=token))


@router.post("/cannot-come/{token}")
async def say_cannot_come(
    token: str, request: Request, pages: ThePages, store: TheStore, links: TheLinks, now: Now, person: Visitor
) -> Response:
    """Call the registration off."""
    await posted(request)
    try:
        await answers.say_cannot_come(store, links, token, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, links, "cannot-come", token, error)
    return see_other(f"/events/cannot-come/{token}")


@router.get("/confirm-again/{token}")
async def show_question(
    token: str, request: Request, pages: ThePages, store: TheStore, links: TheLinks, now: Now, person: Visitor
) -> Response:
    """Do you still come? Two buttons."""
    try:
        asked = await answers.show_question(store, links, token, now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, links, "confirm-again", token, error)
    return _private(pages.show(request, "confirm_again.html", asked=asked, slot=asked.slot, token=token))


@router.post("/confirm-again/{token}")
async def answer_question(
    token: str, request: Request, pages: ThePages, store: TheStore, links: TheLinks, now: Now, person: Visitor
) -> Response:
    """We come, or we cannot come."""
    said = (await posted(request)).get("answer")
    try:
        if said in ("yes", "no"):
            await answers.answer_question(store, links, token, said == "yes", now=now)
    except DEAD_END as error:
        return _dead_end(request, pages, links, "confirm-again", token, error)
    return see_other(f"/events/confirm-again/{token}")


def _dead_end(
    request: Request, pages: Any, links: AnswerLinks, action: Action, token: str, error: RuleBroken
) -> Response:
    reason = sentence(error, language_of(request))
    where = "" if isinstance(error, AnswerLinkUnknown) else links.read(action, token).registration_id
    return _private(pages.show(request, "answer_over.html", status_of(error), reason=reason, registration_id=where))


def _private(page: Response) -> Response:
    """Pages behind a secret are kept by no cache and found by no search engine."""
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Robots-Tag"] = "noindex"
    return page
