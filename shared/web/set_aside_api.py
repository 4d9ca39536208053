"""Messages that a service could not handle, for programs and commands: the same that its pages do."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from shared import set_aside
from shared.auth import Identity
from shared.web.callers import RequestId, program


class SetAsideOut(BaseModel):
    """One message; persons in its error are hidden, and its content is shown on the page only."""

    id: str
    type: str = Field(description="For example RegistrationConfirmed.v1")
    about: str = Field(description="For example registration:<id>")
    error: str
    attempts: int
    set_aside_at: datetime


class SetAsideList(BaseModel):
    """The oldest ones, at most 100, and how many there are."""

    items: list[SetAsideOut]
    total: int


class ReplayedOut(BaseModel):
    """How many messages took effect now, and how many failed again and stay, with their new error."""

    worked: int
    failed: int


def set_aside_api(service: str) -> APIRouter:
    """The routes of one service; the key's role must be operator or coordinator."""
    router = APIRouter(tags=["messages"])
    reader = Annotated[Identity, Depends(program(f"{service}:read"))]
    writer = Annotated[Identity, Depends(program(f"{service}:write"))]

    @router.get("/messages")
    async def list_messages(request: Request, identity: reader) -> SetAsideList:
        """Messages that could not be handled and are set aside, the oldest first."""
        db = request.app.state.db
        found = await set_aside.list_set_aside(db, identity)
        return SetAsideList(
            items=[_out(message) for message in found], total=await set_aside.count_set_aside(db, identity)
        )

    @router.post("/messages/replay")
    async def replay_messages(request: Request, identity: writer, request_id: RequestId) -> ReplayedOut:
        """Handle the oldest again, at most 200. Whatever takes effect is forgotten here; repeating it does no harm."""
        state = request.app.state
        worked, failed = await set_aside.replay_all(state.db, identity, state.dispatcher)
        return ReplayedOut(worked=worked, failed=failed)

    @router.post("/messages/{message_id}/replay")
    async def replay_message(message_id: str, request: Request, identity: writer, request_id: RequestId) -> ReplayedOut:
        """Handle one again."""
        state = request.app.state
        worked = await set_aside.replay_message(state.db, identity, state.dispatcher, message_id)
        return ReplayedOut(worked=int(worked), failed=int(not worked))

    return router


def _out(message: set_aside.SetAsideMessage) -> SetAsideOut:
    return SetAsideOut(
        id=message.id, type=message.type, about=str(message.wire.get("subject", "")),
        error=set_aside.masked_error(message.error), attempts=message.attempts, set_aside_at=message.set_aside_at,
    )  # fmt: skip
