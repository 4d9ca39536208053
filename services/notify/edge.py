"""What the routes of this service get from the application: its context, the present moment, its pages."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from services.notify.usecases.context import Context
from services.notify.webhooks.addresses import Guard
from shared.auth import Identity
from shared.web.callers import program
from shared.web.pages import Pages


def _context(request: Request) -> Context:
    return request.app.state.context


def _now(request: Request) -> datetime:
    return request.app.state.clock.now()


def _pages(request: Request) -> Pages:
    return request.app.state.pages


def _guard(request: Request) -> Guard:
    return request.app.state.guard


TheContext = Annotated[Context, Depends(_context)]
Now = Annotated[datetime, Depends(_now)]
TheGuard = Annotated[Guard, Depends(_guard)]
ThePages = Annotated[Pages, Depends(_pages)]
Reader = Annotated[Identity, Depends(program("notify:read"))]
Writer = Annotated[Identity, Depends(program("notify:write"))]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items")]
After = Annotated[str | None, Query(max_length=100, description="`next` of the answer before")]
