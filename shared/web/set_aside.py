"""Pages that every service has for messages that it could not handle: why, and handling them again."""

import json

from fastapi import APIRouter, Request, Response

from shared import set_aside
from shared.web.callers import Person
from shared.web.pages import posted, see_other

router = APIRouter(include_in_schema=False)


@router.get("/messages")
async def show_all(request: Request, person: Person) -> Response:
    """What is set aside, the oldest first."""
    return await _list(request, person, None)


@router.post("/messages/replay")
async def replay_all(request: Request, person: Person) -> Response:
    """Handle everything again."""
    await posted(request)
    state = request.app.state
    return await _list(request, person, await set_aside.replay_all(state.db, person, state.dispatcher))


@router.get("/messages/{message_id}")
async def show(message_id: str, request: Request, person: Person) -> Response:
    """One message with its error and its whole content."""
    found = await set_aside.get_set_aside(request.app.state.db, person, message_id)
    payload = json.dumps(found.wire, indent=2, ensure_ascii=False)
    return request.app.state.pages.show(request, "message.html", message=found, payload=payload)


@router.post("/messages/{message_id}/replay")
async def replay(message_id: str, request: Request, person: Person) -> Response:
    """Handle one again: back to the list when that worked, else to its new error."""
    await posted(request)
    state = request.app.state
    worked = await set_aside.replay_message(state.db, person, state.dispatcher, message_id)
    return see_other(f"/{state.pages.service}/messages" + ("" if worked else f"/{message_id}"))


async def _list(request: Request, person: Person, done: tuple[int, int] | None) -> Response:
    messages = await set_aside.list_set_aside(request.app.state.db, person)
    return request.app.state.pages.show(request, "messages.html", messages=messages, done=done)
