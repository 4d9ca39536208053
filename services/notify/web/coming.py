"""Pages: what goes out in the next days, and every kind of mail with its preview."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.notify.edge import Now, TheContext, ThePages
from services.notify.samples import Language
from services.notify.usecases import coming
from services.notify.web.parts import PER_PAGE, WITH_FRAME, common, framed, zone_of
from services.notify.web.pictures import stacked
from shared.web.callers import Person
from shared.web.pages import language_of

router = APIRouter()
Filter = Annotated[str, Query(max_length=200)]


@router.get("/upcoming")
async def show_upcoming(
    request: Request, context: TheContext, pages: ThePages, person: Person, now: Now, after: Filter = ""
) -> Response:
    """How many mails of which kind on which day, and the list."""
    (found, cursor), (days, tallies) = await asyncio.gather(
        coming.list_coming(context, person, now=now, limit=PER_PAGE, after=after or None),
        coming.tally_coming(context, person, now=now, zone=zone_of(request)),
    )
    return pages.show(
        request, "upcoming.html", deliveries=found, picture=stacked(days, tallies, ()), days=coming.DAYS,
        later=f"/notify/upcoming?{urlencode({'after': cursor})}" if cursor else None,
        **await common(request, context, person),
    )  # fmt: skip


@router.get("/templates")
async def show_templates(request: Request, context: TheContext, pages: ThePages, person: Person, now: Now) -> Response:
    """Every kind of mail: when, to whom, keyed by what."""
    samples = coming.list_samples(person, language_of(request), now=now)
    return pages.show(request, "templates.html", samples=samples, **await common(request, context, person))


@router.get("/templates/{kind}")
async def show_template(
    kind: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now,
    language: Language = "de", to: Filter = "",
) -> Response:  # fmt: skip
    """One kind in one language: subject, text, HTML and calendar part."""
    chosen, content, calendar, variants = coming.show_sample(context, person, kind, to, language, now=now)
    answer = pages.show(
        request, "template.html", kind=kind, language=language, chosen=chosen, content=content, calendar=calendar,
        variants=variants, **await common(request, context, person),
    )  # fmt: skip
    answer.headers.update(WITH_FRAME)
    return answer


@router.get("/templates/{kind}/preview")
async def preview_template(
    kind: str, context: TheContext, person: Person, now: Now, language: Language = "de", to: Filter = ""
) -> Response:
    """The HTML part, for a frame."""
    _, content, _, _ = coming.show_sample(context, person, kind, to, language, now=now)
    return framed(content.html)
