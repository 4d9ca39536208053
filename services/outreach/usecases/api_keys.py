"""Issuing and revoking API keys. The key's text is made by the caller and shown once; only its SHA-256 is kept."""

from datetime import datetime

from services.outreach.domain.api_keys import ApiKey, ApiKeyNotFound, IssueApiKey, ScopeNotHeld
from services.outreach.store.core import Store
from shared.auth import Identity, hash_of_key
from shared.ids import derived_id
from shared.log import correlation_id


async def issue_api_key(
    store: Store, identity: Identity, command: IssueApiKey, key: str, *, now: datetime, request_id: str
) -> ApiKey:
    """Let `key` open the API within its scopes. A retry must bring the same key.

    ScopeNotHeld when a program gives more than it has.
    """
    identity.must_coordinate()
    if identity.kind == "program" and not identity.scopes.issuperset(command.scopes):
        raise ScopeNotHeld
    issued = ApiKey(
        id=derived_id(request_id, "api_key"),
        last_request_id=request_id,
        key_hash=hash_of_key(key),
        name=command.name,
        scopes=tuple(sorted(set(command.scopes))),
        issued_at=now,
    )
    return await store.insert_once("api_keys", issued, [issued.message(now, correlation_id.get())])


async def revoke_api_key(store: Store, identity: Identity, key_id: str, *, now: datetime, request_id: str) -> ApiKey:
    """The key opens nothing any more, here within two seconds. ApiKeyNotFound, AlreadyRevoked."""
    identity.must_coordinate()
    found = await store.get("api_keys", ApiKey, key_id)
    if found is None:
        raise ApiKeyNotFound
    if found.last_request_id == request_id:
        return found
    revoked = found.revoked_now(request_id)
    await store.save("api_keys", revoked, [revoked.message(now, correlation_id.get())])
    return revoked


async def get_api_key(store: Store, identity: Identity, key_id: str) -> ApiKey:
    """One key, without its text. ApiKeyNotFound."""
    identity.must_coordinate()
    found = await store.get("api_keys", ApiKey, key_id)
    if found is None:
        raise ApiKeyNotFound
    return found


async def list_api_keys(
    store: Store, identity: Identity, *, limit: int = 50, after: str | None = None
) -> tuple[list[ApiKey], str | None]:
    """All keys by name, the revoked ones too; never the keys themselves."""
    identity.must_coordinate()
    return await store.page("api_keys", ApiKey, {}, "name", limit, after)
