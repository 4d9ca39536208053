"""What the API's routes share: who calls, the store and the time."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from services.events.store.store import Store
from shared.auth import Identity
from shared.ui.language import Language, preferred
from shared.web.callers import program


async def _store(request: Request) -> Store:
    return request.app.state.store


async def _now(request: Request) -> datetime:
    return request.app.state.clock.now()


async def _language(request: Request) -> Language:
    return preferred(request.headers.get("accept-language"))


Reader = Annotated[Identity, Depends(program("events:read"))]
Writer = Annotated[Identity, Depends(program("events:write"))]
TheStore = Annotated[Store, Depends(_store)]
Now = Annotated[datetime, Depends(_now)]
Lang = Annotated[Language, Depends(_language)]
