"""JSON in, JSON out: API keys. A key's text is in the answer that issues it, and nowhere else."""

from datetime import datetime
from typing import Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from services.outreach.domain.api_keys import ApiKey, IssueApiKey
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer, key_for
from services.outreach.usecases import api_keys
from shared.web.callers import RequestId
from shared.web.idempotency import NOT_KEPT

router = APIRouter(tags=["API keys"])


class ApiKeyOut(BaseModel):
    """A key without its text."""

    id: str
    name: str
    scopes: list[str]
    revoked: bool
    issued_at: datetime
    version: int

    @classmethod
    def of(cls, issued: ApiKey, **more: str) -> Self:
        """As the API shows it."""
        return cls.model_validate({**issued.model_dump(), **more})


class ApiKeyIssued(ApiKeyOut):
    """A new key, with its text."""

    key: str


@router.post("/api-keys", status_code=201)
async def issue_api_key(
    command: IssueApiKey,
    request: Request,
    response: Response,
    store: TheStore,
    who: Writer,
    now: Now,
    request_id: RequestId,
) -> ApiKeyIssued:
    """Issue a key; a repeated request shows the same one."""
    key = key_for(request, request_id)
    issued = await api_keys.issue_api_key(store, who, command, key, now=now, request_id=request_id)
    response.headers[NOT_KEPT] = "yes"
    return ApiKeyIssued.of(issued, key=key)


@router.get("/api-keys")
async def list_api_keys(store: TheStore, who: Reader, limit: Limit = 50, after: After = None) -> Listed[ApiKeyOut]:
    """All keys by name, the revoked ones too."""
    found, cursor = await api_keys.list_api_keys(store, who, limit=limit, after=after)
    return Listed(items=[ApiKeyOut.of(key) for key in found], next=cursor)


@router.post("/api-keys/{key_id}/revoke")
async def revoke_api_key(key_id: str, store: TheStore, who: Writer, now: Now, request_id: RequestId) -> ApiKeyOut:
    """Let a key open nothing any more, everywhere within seconds."""
    return ApiKeyOut.of(await api_keys.revoke_api_key(store, who, key_id, now=now, request_id=request_id))
