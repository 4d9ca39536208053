"""Pages: the words of a campaign's mails, changed, tried out, taken back."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.notify.edge import Now, TheContext, ThePages
from services.notify.preview import preview_of
from services.notify.rendering import Content
from services.notify.usecases import wordings
from services.notify.usecases.wordings import WordingPage
from services.notify.web.parts import common, number_of
from services.notify.wording import LONGEST, PARTS, Parts, WordingKey
from services.notify.wording_fields import MAY_BE_EMPTY
from shared.errors import NotFound, RuleBroken
from shared.ui.language import sentence, translate
from shared.web.callers import Person
from shared.web.edge import POLICY
from shared.web.pages import form_request_id, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter(prefix="/wordings")
Filter = Annotated[str, Query(max_length=100)]
ONE = "/{campaign_id}/{kind}/{role}/{language}"


@router.get("")
async def show_wordings(
    request: Request, context: TheContext, pages: ThePages, person: Person, now: Now, campaign: Filter = ""
) -> Response:
    """Every kind of mail of a campaign, and whether its words were changed."""
    campaigns = await wordings.list_campaigns(context, person)
    chosen = campaign or (campaigns[0][0] if campaigns else "")
    lines = await wordings.list_wordings(context, person, chosen, now=now) if chosen else []
    return pages.show(
        request, "wordings.html", campaigns=campaigns, chosen=chosen, lines=lines,
        **await common(request, context, person),
    )  # fmt: skip


@router.get(ONE)
async def show_wording(
    campaign_id: str, kind: str, role: str, language: str, request: Request, context: TheContext, pages: ThePages,
    person: Person, now: Now, done: Filter = "",
) -> Response:  # fmt: skip
    """The words of one mail: to change, with the fields that they may name, and their history."""
    key = WordingKey(campaign_id, kind, role, language)
    page = await wordings.show_wording(context, person, key, now=now)
    _, content = wordings.try_wording(context, person, key, page.parts, now=now)
    return await _page(request, context, pages, person, page, content, page.parts, done=done)


@router.post(ONE)
async def change_wording(
    campaign_id: str, kind: str, role: str, language: str, request: Request, context: TheContext, pages: ThePages,
    person: Person, now: Now,
) -> Response:  # fmt: skip
    """Look at what was typed, send it to oneself, or save it."""
    key, form = WordingKey(campaign_id, kind, role, language), await posted(request)
    page = await wordings.show_wording(context, person, key, now=now)
    typed = Parts(**{part: str(form.get(part, ""))[: LONGEST[part] * 2] for part in PARTS})
    faults, content = wordings.try_wording(context, person, key, typed, now=now)
    action, request_id = form.get("action"), form_request_id(person, form)
    problem: RuleBroken | None = None
    try:
        if action == "save" and not faults:
            version = number_of(form.get("version", "")) or 0
            await wordings.save_wording(context, person, key, typed, version, now=now, request_id=request_id)
            return see_other(f"{_address(key)}?done=saved")
        if action == "test" and not faults:
            await wordings.send_test(context, person, key, typed, now=now, request_id=request_id)
    except NotFound:
        raise
    except RuleBroken as error:
        problem = error
    done = "test" if action == "test" and not faults and not problem else ""
    return await _page(request, context, pages, person, page, content, typed, faults, problem, done)


@router.post(ONE + "/take-back")
async def take_back(
    campaign_id: str, kind: str, role: str, language: str, request: Request, context: TheContext, pages: ThePages,
    person: Person, now: Now,
) -> Response:  # fmt: skip
    """Use an earlier version again, or the standard words."""
    key, form = WordingKey(campaign_id, kind, role, language), await posted(request)
    version, request_id = number_of(form.get("version", "")), form_request_id(person, form)
    version = -1 if version is None else version
    try:
        await wordings.take_back(context, person, key, version, now=now, request_id=request_id)
    except NotFound:
        raise
    except RuleBroken as error:
        page = await wordings.show_wording(context, person, key, now=now)
        _, content = wordings.try_wording(context, person, key, page.parts, now=now)
        return await _page(request, context, pages, person, page, content, page.parts, problem=error)
    return see_other(f"{_address(key)}?done=back")


async def _page(
    request: Request, context: TheContext, pages: ThePages, person: Person, page: WordingPage, content: Content | None,
    parts: Parts, faults: dict[str, RuleBroken] | None = None, problem: RuleBroken | None = None, done: str = "",
) -> Response:  # fmt: skip
    language, preview = language_of(request), preview_of(content.html) if content else None
    fields = [(name, translate(field.meaning, language), example) for name, field, example in page.fields]
    optional = next((name for name, _, _ in fields if name in MAY_BE_EMPTY), "")
    status = 422 if faults else status_of(problem) if problem else 200
    answer = pages.show(
        request, "wording.html", status, page=page, fields=fields, optional=optional, key=page.key,
        address=_address(page.key),
        content=content,
        preview=preview.html if preview else "", errors={p: sentence(e, language) for p, e in (faults or {}).items()},
        values={part: getattr(parts, part) for part in PARTS}, problem=sentence(problem, language) if problem else "",
        done=done, back=f"/notify/wordings?{urlencode({'campaign': page.key.campaign_id})}",
        **await common(request, context, person),
    )  # fmt: skip
    if preview:  # the frame stands within this page, and keeps to its policy
        policy = POLICY.replace("style-src 'self'", f"style-src 'self' {' '.join(preview.hashes)}")
        answer.headers["Content-Security-Policy"] = policy
    return answer


def _address(key: WordingKey) -> str:
    return f"/notify/wordings/{key.campaign_id}/{key.kind}/{key.role}/{key.language}"
