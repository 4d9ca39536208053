"""API keys: programs that act for the agency, each with its scopes."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from services.outreach.domain.common import Aggregate, Command, Line
from services.outreach.domain.people import AGENCY
from shared.errors import Conflict, NotAllowed, NotFound
from shared.schemas.outreach import ApiKeyChanged, Role

Scope = Literal["outreach:read", "outreach:write", "events:read", "events:write", "notify:read", "notify:write"]
ROLES = (Role(kind="coordinator", organisation_id=AGENCY),)


class ApiKeyNotFound(NotFound):
    """There is no API key with this id."""


class AlreadyRevoked(Conflict):
    """This API key is already revoked."""


class ScopeNotHeld(NotAllowed):
    """A program may only give scopes that it has itself."""


class IssueApiKey(Command):
    """A key for the program `name`."""

    name: Line
    scopes: list[Scope] = Field(min_length=1, max_length=6)


class ApiKey(Aggregate):
    """A program's key, known here by its SHA-256 (`key_hash`) only."""

    key_hash: str
    name: str
    scopes: tuple[str, ...]
    roles: tuple[Role, ...] = ROLES
    revoked: bool = False
    issued_at: datetime

    def revoked_now(self, request_id: str) -> Self:
        """The next version, which opens nothing; AlreadyRevoked."""
        if self.revoked:
            raise AlreadyRevoked
        return self.changed(request_id, revoked=True)

    def message(self, now: datetime, correlation_id: str) -> ApiKeyChanged:
        """What the other services are told."""
        facts = self.model_dump(include={"key_hash", "name", "scopes", "roles", "revoked"})
        return ApiKeyChanged.about(
            f"api_key:{self.id}", self.version, now=now, correlation_id=correlation_id, key_id=self.id, **facts
        )
