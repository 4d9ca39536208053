"""Pages: programs that are told by webhooks, and the log of what they were told."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.notify.edge import Now, TheContext, TheGuard, ThePages
from services.notify.usecases import webhooks
from services.notify.usecases.context import Context
from services.notify.usecases.webhooks import Issued, WebhookIn
from services.notify.web.parts import PER_PAGE, common, zone_of
from services.notify.webhooks.rules import STATES, TYPES, WebhookUnknown
from shared.auth import Identity
from shared.errors import NotAllowed, NotFound, RuleBroken
from shared.ui.language import sentence, translate
from shared.web.callers import Person
from shared.web.pages import Pages, errors_by_field, form_request_id, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter(prefix="/webhooks")
HERE = "/notify/webhooks"
Filter = Annotated[str, Query(max_length=100)]
DONE = ("changed", "paused", "resumed", "deleted", "replayed")


@router.get("")
async def show_webhooks(
    request: Request, context: TheContext, pages: ThePages, person: Person, done: Filter = ""
) -> Response:
    """Every program that is told."""
    found = await webhooks.list_webhooks(context, person)
    return pages.show(request, "webhooks.html", webhooks=found, done=done, **await common(request, context, person))


@router.get("/new")
async def ask_for_webhook(request: Request, context: TheContext, pages: ThePages, person: Person) -> Response:
    """The form for another one."""
    person.must_coordinate()
    return _form(request, pages, None, {"types": []})


@router.post("/new")
async def add_webhook(
    request: Request, context: TheContext, pages: ThePages, guard: TheGuard, person: Person, now: Now
) -> Response:
    """Tell a program from now on, and show the secret, this once; the same form sent again shows the same."""
    form = await posted(request)
    request_id = form_request_id(person, form)
    try:
        command = _command(form)
        issued = await webhooks.add_webhook(context, guard, person, command, now=now, request_id=request_id)
    except (NotFound, NotAllowed):
        raise
    except (RuleBroken, ValidationError) as error:
        return _form(request, pages, None, _typed(form), error)
    return _secret(request, pages, issued, new=True)


@router.get("/{webhook_id}")
async def show_webhook(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, state: Filter = "",
    after: Filter = "", done: Filter = "", count: Filter = "",
) -> Response:  # fmt: skip
    """One program: what it is told, whether it works, and the log."""
    told = {"done": done if done in DONE else "", "count": int(count) if count.isdecimal() and len(count) < 7 else 0}
    return await _page(webhook_id, request, context, pages, person, state, after, **told)


@router.get("/{webhook_id}/change")
async def ask_to_change(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person
) -> Response:
    """The form with what is there."""
    found = await webhooks.show_webhook(context, person, webhook_id)
    return _form(request, pages, webhook_id, {"name": found.name, "address": found.address, "types": found.types})


@router.post("/{webhook_id}/change")
async def change_webhook(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, guard: TheGuard, person: Person
) -> Response:
    """Another name, address or choice."""
    form = await posted(request)
    request_id = form_request_id(person, form)
    try:
        await webhooks.change_webhook(context, guard, person, webhook_id, _command(form), request_id=request_id)
    except (NotFound, NotAllowed):
        raise
    except (RuleBroken, ValidationError) as error:
        return _form(request, pages, webhook_id, _typed(form), error)
    return see_other(f"{HERE}/{webhook_id}?done=changed")


@router.get("/{webhook_id}/delete")
async def ask_to_delete(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person
) -> Response:
    """What deleting means, and the button for it."""
    found = await webhooks.show_webhook(context, person, webhook_id)
    return pages.show(request, "webhook_sure.html", webhook=found, action="delete")


@router.post("/{webhook_id}/delete")
async def delete_webhook(webhook_id: str, request: Request, context: TheContext, person: Person) -> Response:
    """Forget it with its log; a second click finds it gone."""
    await posted(request)
    person.must_coordinate()
    with suppress(WebhookUnknown):
        await webhooks.delete_webhook(context, person, webhook_id)
    return see_other(f"{HERE}?done=deleted")


@router.get("/{webhook_id}/rotate")
async def ask_to_rotate(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person
) -> Response:
    """What a new secret means, and the button for it."""
    found = await webhooks.show_webhook(context, person, webhook_id)
    return pages.show(request, "webhook_sure.html", webhook=found, action="rotate")


@router.post("/{webhook_id}/rotate")
async def rotate_secret(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Make a new secret, and show it, this once."""
    request_id = form_request_id(person, await posted(request))
    issued = await webhooks.rotate_secret(context, person, webhook_id, now=now, request_id=request_id)
    return _secret(request, pages, issued, new=False)


@router.post("/{webhook_id}/pause")
async def pause_webhook(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Call it no more for now."""
    request_id = form_request_id(person, await posted(request))
    try:
        await webhooks.pause_webhook(context, person, webhook_id, now=now, request_id=request_id)
    except (NotFound, NotAllowed):
        raise
    except RuleBroken as error:
        return await _page(webhook_id, request, context, pages, person, error=error)
    return see_other(f"{HERE}/{webhook_id}?done=paused")


@router.post("/{webhook_id}/resume")
async def resume_webhook(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person
) -> Response:
    """Call it again."""
    request_id = form_request_id(person, await posted(request))
    try:
        await webhooks.resume_webhook(context, person, webhook_id, request_id=request_id)
    except (NotFound, NotAllowed):
        raise
    except RuleBroken as error:
        return await _page(webhook_id, request, context, pages, person, error=error)
    return see_other(f"{HERE}/{webhook_id}?done=resumed")


@router.post("/{webhook_id}/test")
async def send_test(webhook_id: str, request: Request, context: TheContext, person: Person, now: Now) -> Response:
    """Call the program once; the page of the call tells what came of it."""
    request_id = form_request_id(person, await posted(request))
    call = await webhooks.send_test(context, person, webhook_id, now=now, request_id=request_id)
    return see_other(f"{HERE}/{webhook_id}/calls/{call.id}")


@router.post("/{webhook_id}/replay")
async def replay_failed(
    webhook_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Call again with everything since a moment that was given up."""
    form = await posted(request)
    typed = str(form.get("since", ""))[:40]
    try:
        count = await webhooks.replay_failed(
            context, person, webhook_id, _moment(request, typed), now=now, request_id=form_request_id(person, form)
        )
    except (NotFound, NotAllowed):
        raise
    except RuleBroken as error:
        wrong = {"errors": errors_by_field(error, language_of(request)), "values": {"since": typed}}
        return await _page(webhook_id, request, context, pages, person, error=error, **wrong)
    return see_other(f"{HERE}/{webhook_id}?done=replayed&count={count}")


@router.get("/{webhook_id}/calls/{call_id}")
async def show_call(
    webhook_id: str, call_id: str, request: Request, context: TheContext, pages: ThePages, person: Person
) -> Response:
    """One call: what was told, and each attempt."""
    return await _call(webhook_id, call_id, request, context, pages, person)


@router.post("/{webhook_id}/calls/{call_id}/replay")
async def replay_call(
    webhook_id: str, call_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Call again with the same id, now."""
    request_id = form_request_id(person, await posted(request))
    try:
        await webhooks.replay_call(context, person, webhook_id, call_id, now=now, request_id=request_id)
    except (NotFound, NotAllowed):
        raise
    except RuleBroken as error:
        return await _call(webhook_id, call_id, request, context, pages, person, error)
    return see_other(f"{HERE}/{webhook_id}/calls/{call_id}")


async def _page(
    webhook_id: str, request: Request, context: Context, pages: Pages, person: Identity, state: str = "",
    after: str = "", error: RuleBroken | None = None, **more: Any,
) -> Response:  # fmt: skip
    found = await webhooks.show_webhook(context, person, webhook_id)
    state = state if state in STATES else ""
    calls, cursor = await webhooks.list_calls(context, person, webhook_id, state, limit=PER_PAGE, after=after or None)
    older = f"{HERE}/{webhook_id}?{f'state={state}&' if state else ''}after={cursor}" if cursor else None
    shown = {
        "done": "", "count": 0, "webhook": found, "calls": calls, "state": state, "older": older, "states": STATES,
        "counts": await webhooks.count_calls(context, person, webhook_id),
        "problem": sentence(error, language_of(request)) if error and not error.field else "",
    }  # fmt: skip
    return pages.show(
        request, "webhook.html", status_of(error) if error else 200,
        **{**await common(request, context, person), **shown, **more},
    )  # fmt: skip


async def _call(
    webhook_id: str, call_id: str, request: Request, context: Context, pages: Pages, person: Identity,
    error: RuleBroken | None = None,
) -> Response:  # fmt: skip
    found = await webhooks.show_webhook(context, person, webhook_id)
    call = await webhooks.show_call(context, person, webhook_id, call_id)
    problem = sentence(error, language_of(request)) if error else ""
    return pages.show(
        request, "webhook_call.html", status_of(error) if error else 200, webhook=found, call=call, problem=problem,
        **await common(request, context, person),
    )  # fmt: skip


def _form(
    request: Request, pages: Pages, webhook_id: str | None, values: dict[str, Any],
    error: RuleBroken | ValidationError | None = None,
) -> Response:  # fmt: skip
    language = language_of(request)
    types = [(kind, translate(meaning, language), kind) for kind, meaning in TYPES.items()]
    status = 200 if error is None else 422 if isinstance(error, ValidationError) else status_of(error)
    errors = errors_by_field(error, language) if error else {}
    return pages.show(
        request, "webhook_form.html", status, types=types, values=values, errors=errors, webhook_id=webhook_id
    )


def _secret(request: Request, pages: Pages, issued: Issued, new: bool) -> Response:
    answer = pages.show(
        request, "webhook_secret.html", 201 if new else 200, webhook=issued.webhook, secret=issued.secret, new=new
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _command(form: FormData) -> WebhookIn:
    return WebhookIn(**_typed(form))


def _typed(form: FormData) -> dict[str, Any]:
    texts = {name: str(form.get(name, ""))[:2000] for name in ("name", "address")}
    return {**texts, "types": [str(each) for each in form.getlist("types")][:100]}


def _moment(request: Request, text: str) -> datetime | None:
    """A wall time of the region; None when it is unclear."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local.replace(tzinfo=local.tzinfo or ZoneInfo(zone_of(request))).astimezone(UTC)
