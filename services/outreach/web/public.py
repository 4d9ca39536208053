"""Pages for anybody: what this is, who runs it, what is kept of people, and how usable it is."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from services.outreach.domain.personal_data import KEPT
from services.outreach.edge import ThePages
from services.outreach.settings import Settings
from services.outreach.web.texts import text
from shared.errors import NotFound
from shared.ui.language import translate
from shared.web.callers import Visitor
from shared.web.pages import language_of

router = APIRouter()


@router.get("/start")
async def start(request: Request, pages: ThePages, person: Visitor) -> Response:
    """What this is, for whom, and the first step for each."""
    settings: Settings = request.app.state.settings
    funder = settings.funder_text_de if language_of(request) == "de" else settings.funder_text_en
    return pages.show(request, "start.html", funder=funder, logo=_logo(settings) is not None)


@router.get("/funder-logo")
async def funder_logo(request: Request) -> Response:
    """The funder's logo, when the operator has named one."""
    logo = _logo(request.app.state.settings)
    if logo is None:
        raise NotFound
    return FileResponse(logo)


@router.get("/imprint")
async def imprint(request: Request, pages: ThePages, person: Visitor) -> Response:
    """Who runs this."""
    return pages.show(request, "text.html", title=_said(request, "Imprint"), **shown_text(request, "imprint"))


@router.get("/privacy")
async def privacy(request: Request, pages: ThePages, person: Visitor) -> Response:
    """What is kept of people, what for, by what right, and until when."""
    settings = request.app.state.settings
    once = {(kept.what, kept.until): kept for kept in KEPT}  # the same in two services is one to people
    rows = [(kept, getattr(settings, kept.days, None) if kept.days else None) for kept in once.values()]
    kept = [
        {
            "what": _said(request, each.what), "purpose": _said(request, each.purpose),
            "basis": _said(request, each.basis), "until": _said(request, each.until, days=days),
        }
        for each, days in rows
    ]  # fmt: skip
    return pages.show(request, "privacy.html", kept=kept, **shown_text(request, "privacy"))


def shown_text(request: Request, name: str) -> dict[str, Any]:
    """For a page: the operator's text, and for the coordinator the settings that it lacks."""
    found = text(request.app.state.settings, name, language_of(request))
    person = getattr(request.state, "person", None)
    return {"text": found.html, "missing": found.missing if person and person.coordinates else ()}


def _logo(settings: Settings) -> Any:
    return settings.funder_logo if settings.funder_logo and settings.funder_logo.is_file() else None


def _said(request: Request, words: str, **values: object) -> str:
    return translate(words, language_of(request), **values)
