"""What the routes of this service get from the application: its store, the present moment, its pages."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ValidationError

from services.outreach.store.core import Store
from shared.auth import Identity
from shared.errors import Conflict, Invalid, RuleBroken, TooManyRequests
from shared.web.callers import program
from shared.web.pages import Pages, errors_by_field, language_of

Item = TypeVar("Item")


async def _store(request: Request) -> Store:
    return request.app.state.store


async def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the store keeps it, so that a retry equals


async def _pages(request: Request) -> Pages:
    return request.app.state.pages


TheStore = Annotated[Store, Depends(_store)]
Now = Annotated[datetime, Depends(_now)]
ThePages = Annotated[Pages, Depends(_pages)]
Reader = Annotated[Identity, Depends(program("outreach:read"))]
Writer = Annotated[Identity, Depends(program("outreach:write"))]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items")]
After = Annotated[str | None, Query(max_length=500, description="`next` of the answer before")]


class Listed(BaseModel, Generic[Item]):
    """One stretch of a list; `next` goes on with `?after=`, null at the end."""

    items: list[Item]
    next: str | None


async def _zone(request: Request) -> str:
    return request.app.state.settings.zone


Zone = Annotated[str, Depends(_zone)]


def key_for(request: Request, request_id: str) -> str:
    """The text of the API key that this request issues: a retry computes the same, so that it need not be kept."""
    secret = request.app.state.settings.secret_key.get_secret_value().encode()
    digest = hmac.new(secret, f"api-key:{request_id}".encode(), hashlib.sha256).digest()
    return f"psk_{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def wrong(request: Request, error: RuleBroken | ValidationError) -> dict[str, dict[str, str]]:
    """For a form shown again: `errors` by field, in the person's language."""
    return {"errors": errors_by_field(error, language_of(request))}


FORM_ERRORS = (Invalid, Conflict, TooManyRequests, ValidationError)
