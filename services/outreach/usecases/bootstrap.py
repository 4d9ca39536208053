"""The first coordinator and her API key, made in the process that sets the system up: there is nobody to ask yet."""

import secrets
from datetime import datetime
from typing import get_args

from services.outreach.domain.api_keys import ApiKey, IssueApiKey, Scope
from services.outreach.domain.people import AGENCY, SET_UP, EnterPerson, RoleGiven
from services.outreach.store.core import Store, from_document
from services.outreach.usecases.api_keys import issue_api_key, revoke_api_key
from services.outreach.usecases.people import enter_person
from shared.auth import Identity
from shared.ids import derived_id, random_id
from shared.schemas.outreach import Role

_SCOPES: tuple[Scope, ...] = get_args(Scope)
_SET_UP = Identity(SET_UP, "program", SET_UP, (Role(kind="coordinator", organisation_id=AGENCY),), frozenset(_SCOPES))


async def ensure_coordinator(store: Store, email: str, name: str, now: datetime) -> str:
    """The id of the person with this address, who is a coordinator afterwards."""
    command = EnterPerson(name=name, email=email, roles=[RoleGiven(kind="coordinator")])
    request_id = derived_id("bootstrap", email.casefold(), now.isoformat())
    return (await enter_person(store, _SET_UP, command, now=now, request_id=request_id)).id


async def ensure_api_key(store: Store, name: str, now: datetime, replace: bool = False) -> str | None:
    """A new key with all scopes for the program `name`; None when it has one already.

    With `replace` the one it had is revoked and a new one is made: the way out when the key's text is lost.
    """
    rows = await store.db.api_keys.find({"name": name, "revoked": False}).to_list(None)
    if rows and not replace:
        return None
    for row in rows:
        held = from_document(ApiKey, row)
        await revoke_api_key(store, _SET_UP, held.id, now=now, request_id=random_id())
    key = new_key()
    command = IssueApiKey(name=name, scopes=list(_SCOPES))
    await issue_api_key(store, _SET_UP, command, key, now=now, request_id=random_id())
    return key


def new_key() -> str:
    """A key's text: 256 random bits."""
    return f"psk_{secrets.token_urlsafe(32)}"
