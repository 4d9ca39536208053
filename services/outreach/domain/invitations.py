"""Invitations: somebody who acts for a school or company asks a colleague to do so too."""

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import EmailStr, Field

from services.outreach.domain.ambassador_commands import Limits
from services.outreach.domain.common import Aggregate, Command, Line, PostalCode
from shared.errors import Conflict, Invalid, NotFound, TooManyRequests
from shared.identity import Identity
from shared.schemas.outreach import ColleagueInvited, Role, RoleKind

VALID_FOR = timedelta(days=14)
MOST_OPEN = 50


class InvitationNotValid(Invalid):
    """This invitation has been answered, was withdrawn or is too old. Please ask for a new one."""


class InvitationNotFound(NotFound):
    """This invitation is not open (any more)."""


class OrganisationNotFound(NotFound):
    """There is no such school or company."""


class ActsHereAlready(Conflict):
    """Somebody with this address acts for you already."""

    field = "email"


class RoleNotHere(Invalid):
    """There is no such task here."""

    field = "kind"


class TooManyInvitations(TooManyRequests):
    """Too many invitations within an hour. Please wait {minutes} minutes and try again."""


class InvitationsFull(Conflict):
    """There are {count} open invitations. Please withdraw some first."""


class LastOne(Conflict):
    """Nobody else acts here then. Please look at what that means, and confirm it."""


class InviteColleague(Command):
    """Whom to ask, and for what."""

    name: Line
    email: EmailStr
    language: Literal["de", "en"] = "de"
    kind: RoleKind


class InviteAmbassador(InviteColleague):
    """The same for an ambassador, with the settings to begin with, which the invited person sees and can change."""

    kind: Literal["ambassador"] = "ambassador"
    limits: Limits = Limits()
    fields: list[str] = Field([], max_length=16)
    home_postal_code: PostalCode | None = None


class Invitation(Aggregate):
    """An open question to an address; here only the hash of the mailed token is kept. The token itself, name and
    address stay in the mail's message in the outbox, which a broker that lost it is given again, until the answer or
    until the invitation expires. Limits, fields and home are for somebody who becomes an ambassador by it; who is one
    already keeps the own."""

    kind: RoleKind
    organisation_id: str
    organisation_name: str
    name: str
    email: str
    language: Literal["de", "en"]
    limits: Limits = Limits()
    fields: tuple[str, ...] = ()
    home_postal_code: str | None = None
    invited_by: str
    invited_by_name: str
    token_hash: str
    state: Literal["open", "accepted", "declined", "withdrawn"] = "open"
    person_id: str | None = None
    expires_at: datetime

    @property
    def role(self) -> Role:
        """What accepting gives."""
        return Role(kind=self.kind, organisation_id=self.organisation_id)

    def must_be_open(self, now: datetime) -> None:
        """InvitationNotValid unless it can be answered."""
        if self.state != "open" or self.expires_at <= now:
            raise InvitationNotValid

    def closed(
        self, state: Literal["accepted", "declined", "withdrawn"], request_id: str, person_id: str | None = None
    ) -> Self:
        """The next version: answered, and nothing personal left."""
        gone = {"name": "", "email": "", "invited_by_name": "", "home_postal_code": None}
        return self.changed(request_id, state=state, person_id=person_id, **gone)

    def message(self, token: str, now: datetime, correlation_id: str) -> ColleagueInvited:
        """What the mail is made of."""
        said = {"kind", "organisation_name", "email", "name", "language", "expires_at"}
        return ColleagueInvited.about(
            aggregate(self.id), self.version, now=now, correlation_id=correlation_id, invitation_id=self.id,
            token=token, invited_by=self.invited_by_name, **self.model_dump(include=said),
        )  # fmt: skip


def aggregate(invitation_id: str) -> str:
    """What messages about an invitation are about."""
    return f"invitation:{invitation_id}"


def acts_for(identity: Identity, organisation_id: str) -> bool:
    """Whether `identity` looks after the people of this school or company."""
    teaches_or_works_there = any(
        role.kind in ("teacher", "company") and role.organisation_id == organisation_id for role in identity.roles
    )
    return identity.coordinates or teaches_or_works_there
