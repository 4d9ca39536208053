"""Pages for messages that could not be handled: why, and handling them again."""

import json

from fastapi import APIRouter, Request, Response

from services.events.api.parts import TheStore
from services.events.usecases import messages
from services.events.web.parts import ThePages
from shared.web.callers import Person
from shared.web.pages import posted, see_other

router = APIRouter()


@router.get("/messages")
async def show_all(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """What is set aside, the oldest first."""
    return pages.show(request, "messages.html", messages=await messages.list_set_aside(store, person), done=None)


@router.post("/messages/replay")
async def replay_all(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """Handle everything again."""
    await posted(request)
    done = await messages.replay_all(store, person, request.app.state.dispatcher)
    return pages.show(request, "messages.html", messages=await messages.list_set_aside(store, person), done=done)


@router.get("/messages/{message_id}")
async def show(message_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """One message with its error and its whole content."""
    found = await messages.get_set_aside(store, person, message_id)
    payload = json.dumps(found.wire, indent=2, ensure_ascii=False)
    return pages.show(request, "message.html", message=found, payload=payload)


@router.post("/messages/{message_id}/replay")
async def replay(message_id: str, request: Request, store: TheStore, person: Person) -> Response:
    """Handle one again: back to the list when that worked, else to its new error."""
    await posted(request)
    worked = await messages.replay_message(store, person, request.app.state.dispatcher, message_id)
    return see_other("/events/messages" if worked else f"/events/messages/{message_id}")
