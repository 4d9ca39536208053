"""Pages that every service has for messages that it could not handle: why, handling them again, throwing them away."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from shared import set_aside
from shared.errors import Invalid
from shared.web.callers import Person
from shared.web.pages import errors_by_field, language_of, posted, see_other

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/messages")
async def show_all(
    request: Request, person: Person, worked: Number | None = None, failed: Number = 0, discarded: Number = 0
) -> Response:
    """What is set aside, the oldest first, and what was thrown away lately."""
    state = request.app.state
    messages = await set_aside.list_set_aside(state.db, person)
    return state.pages.show(
        request, "messages.html", messages=messages, masked_error=set_aside.masked_error,
        count=await set_aside.count_set_aside(state.db, person), thrown=discarded,
        done=None if worked is None else (worked, failed), records=await set_aside.list_discarded(state.db, person),
    )  # fmt: skip


@router.get("/messages/count")
async def show_count(request: Request, person: Person) -> Response:
    """One line with the number of messages set aside, for other pages to take in; empty when there is none."""
    state = request.app.state
    count = await set_aside.count_set_aside(state.db, person)
    return state.pages.show(request, "messages_count.html", count=count)


@router.get("/messages/replay")
async def ask_to_replay_all(request: Request, person: Person) -> Response:
    """What handling everything again causes, and the button for it."""
    state = request.app.state
    count = await set_aside.count_set_aside(state.db, person)
    return state.pages.show(request, "messages_replay.html", count=count, most=set_aside.REPLAYED_AT_ONCE)


@router.post("/messages/replay")
async def replay_all(request: Request, person: Person) -> Response:
    """Handle everything again."""
    await posted(request)
    state = request.app.state
    worked, failed = await set_aside.replay_all(state.db, person, state.dispatcher)
    return see_other(f"/{state.pages.service}/messages?worked={worked}&failed={failed}")


@router.get("/messages/{message_id}")
async def show(message_id: str, request: Request, person: Person) -> Response:
    """One message with its error and its content, persons hidden."""
    return await _one(message_id, request, person, "message.html")


@router.post("/messages/{message_id}/replay")
async def replay(message_id: str, request: Request, person: Person) -> Response:
    """Handle one again: back to the list when that worked, else to its new error."""
    await posted(request)
    state = request.app.state
    worked = await set_aside.replay_message(state.db, person, state.dispatcher, message_id)
    return see_other(f"/{state.pages.service}/messages" + ("?worked=1" if worked else f"/{message_id}"))


@router.get("/messages/{message_id}/discard")
async def ask_to_discard(message_id: str, request: Request, person: Person) -> Response:
    """What is lost, and the form that asks for the reason."""
    return await _one(message_id, request, person, "message_discard.html")


@router.post("/messages/{message_id}/discard")
async def discard(message_id: str, request: Request, person: Person) -> Response:
    """Throw one away."""
    form = await posted(request)
    state, reason = request.app.state, str(form.get("reason", ""))
    try:
        await set_aside.discard_message(state.db, person, message_id, reason, now=state.clock.now())
    except Invalid as error:
        wrong = errors_by_field(error, language_of(request))
        return await _one(message_id, request, person, "message_discard.html", 422, errors=wrong)
    return see_other(f"/{state.pages.service}/messages?discarded=1")


async def _one(
    message_id: str, request: Request, person: Person, template: str, status: int = 200, **more: object
) -> Response:
    state = request.app.state
    found = await set_aside.get_set_aside(state.db, person, message_id)
    payload = json.dumps(set_aside.masked_payload(found.wire), indent=2, ensure_ascii=False)
    error = set_aside.masked_error(found.error)
    return state.pages.show(
        request, template, status, message=found, payload=payload, error=error, happened_at=_moment(found.wire), **more
    )


def _moment(wire: dict[str, object]) -> datetime | None:
    """When what the message tells happened; none when it does not say so in a way that can be read."""
    try:
        return datetime.fromisoformat(str(wire.get("time", "")))
    except ValueError:
        return None
