"""The page of API keys: issue (the key is shown once), revoke."""

from typing import get_args

from fastapi import APIRouter, Request, Response

from services.outreach.domain.api_keys import IssueApiKey, Scope
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, key_for, wrong
from services.outreach.usecases import api_keys
from shared.errors import Conflict
from shared.web.callers import Person
from shared.web.pages import form_request_id, nested, posted, see_other, validated

router = APIRouter()


@router.get("/api-keys")
async def show_all(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """All keys, and the form for another one."""
    return await _page(request, pages, store, person)


@router.post("/api-keys")
async def issue(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Issue a key and show it, this once; the same form sent again shows the same key."""
    form = await posted(request)
    request_id = form_request_id(person, form)
    key = key_for(request, request_id)
    try:
        command = validated(IssueApiKey, nested(form, lists=("scopes",)))
        issued = await api_keys.issue_api_key(store, person, command, key, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        typed = {**form, "scopes": form.getlist("scopes")}
        return await _page(request, pages, store, person, 422, values=typed, **wrong(request, error))
    answer = pages.show(request, "api_key.html", 201, issued=issued, key=key)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/api-keys/{key_id}/revoke")
async def ask_to_revoke(key_id: str, request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """Says what revoking means, and asks."""
    return pages.show(request, "api_key_revoke.html", key=await api_keys.get_api_key(store, person, key_id))


@router.post("/api-keys/{key_id}/revoke")
async def revoke(key_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Let a key open nothing any more."""
    form = await posted(request)
    try:
        await api_keys.revoke_api_key(store, person, key_id, now=now, request_id=form_request_id(person, form))
    except Conflict as error:
        return await _page(request, pages, store, person, 409, **wrong(request, error))
    return see_other("/outreach/api-keys")


async def _page(
    request: Request, pages: ThePages, store: TheStore, person: Person, status: int = 200, **more: object
) -> Response:
    keys, _ = await api_keys.list_api_keys(store, person, limit=200)
    return pages.show(request, "api_keys.html", status, keys=keys, scopes=get_args(Scope), **more)
