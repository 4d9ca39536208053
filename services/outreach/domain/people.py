"""People and their roles per organisation."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import EmailStr, Field

from services.outreach.domain.common import Aggregate, Command, Line, OptionalLine
from shared.errors import Conflict, Invalid, NotAllowed, NotFound
from shared.identity import Identity
from shared.schemas.outreach import PersonChanged, Reminders, Role, RoleKind

AGENCY = "agency"
AGENCY_ROLES = ("coordinator", "operator")
SET_UP = "set-up"
KEPT_WITHOUT_ROLE = timedelta(days=30)


class PersonNotFound(NotFound):
    """There is no person with this id."""


class OrganisationUnknown(Invalid):
    """There is no such organisation for the role {kind}."""

    field = "roles"


class AlreadyErased(Conflict):
    """This person is already erased."""


class OnlyPeopleGiveAgencyRoles(NotAllowed):
    """A program cannot make anybody a coordinator or operator. Please do that signed in, on the pages."""


class LastCoordinator(Conflict):
    """This is the last coordinator. Please enter another one first."""


class RoleNotHeld(Conflict):
    """This person does not have this role (any more)."""


class RoleGiven(Command):
    """A role in an organisation: a school (teacher), a company (company, ambassador) or the agency itself."""

    kind: RoleKind
    organisation_id: str = Field(AGENCY, max_length=64)

    def role(self) -> Role:
        """The role; those of the agency belong to the agency, whatever was named."""
        return Role(kind=self.kind, organisation_id=AGENCY if self.kind in AGENCY_ROLES else self.organisation_id)


class EnterPerson(Command):
    """A person with roles. When the address is known already, that person gets the roles."""

    name: Line
    email: EmailStr
    phone: OptionalLine = ""
    language: Literal["de", "en"] = "de"
    roles: list[RoleGiven] = Field(min_length=1, max_length=20)


class ChangeOwnFacts(Command):
    """What a person may change of herself; the address is what she signs in with, and stays."""

    name: Line
    phone: OptionalLine = ""
    language: Literal["de", "en"]
    reminders: Reminders = "all"


class AddRoles(Command):
    """More roles for a person."""

    roles: list[RoleGiven] = Field(min_length=1, max_length=20)


def must_give(identity: Identity, roles: Sequence[RoleGiven]) -> None:
    """OnlyPeopleGiveAgencyRoles when a program, other than the one that sets the system up, gives an agency role."""
    trusted = identity.kind == "person" or identity.id == SET_UP
    if not trusted and any(role.kind in AGENCY_ROLES for role in roles):
        raise OnlyPeopleGiveAgencyRoles


class Person(Aggregate):
    """Somebody with an address and roles. `session_epoch` ends all sessions when it rises; `ended_sessions` are single
    ones, each with the moment from which its cookie is too old anyway.

    `erase_after` is the day on which name and address go, moved on by each sign-in of somebody who has a role.
    """

    name: str
    email: str
    phone: str = ""
    language: Literal["de", "en"] = "de"
    roles: tuple[Role, ...] = ()
    organisation_names: dict[str, str] = {}
    session_epoch: int = 1
    ended_sessions: dict[str, datetime] = {}
    active: bool = True
    reminders: Reminders = "all"
    erase_after: datetime | None = None

    def with_roles(
        self, roles: Sequence[Role], names: Mapping[str, str], request_id: str, erase_after: datetime | None
    ) -> Self:
        """The next version with `roles` added, whose organisations have `names`; the same person when there is
        nothing to add. Whoever had no role is kept until `erase_after` again."""
        new = [role for role in dict.fromkeys(roles) if role not in self.roles]
        if not new:
            return self
        kept = self.erase_after if self.roles else erase_after
        names = {**self.organisation_names, **names}
        return self.changed(request_id, roles=(*self.roles, *new), organisation_names=names, erase_after=kept)

    def without_role(self, role: Role, request_id: str, now: datetime) -> Self:
        """The next version without `role`; without any, name and address go soon. RoleNotHeld."""
        if role not in self.roles:
            raise RoleNotHeld
        left = tuple(held for held in self.roles if held != role)
        ids = {held.organisation_id for held in left}
        names = {id: name for id, name in self.organisation_names.items() if id in ids}
        soon = now + KEPT_WITHOUT_ROLE
        kept = self.erase_after if left else min(self.erase_after or soon, soon)
        return self.changed(request_id, roles=left, organisation_names=names, erase_after=kept)

    def named(self, names: Mapping[str, str], request_id: str) -> Self:
        """The next version with the present `names` of the organisations; the same person when nothing differs."""
        same = dict(names) == self.organisation_names
        return self if same else self.changed(request_id, organisation_names=dict(names))

    def signed_out(self, session: str, until: datetime, now: datetime, request_id: str) -> Self:
        """The next version, in which the one `session` has ended, whose cookie would be valid `until`."""
        ended = {id: moment for id, moment in self.ended_sessions.items() if moment > now}
        return self.changed(request_id, ended_sessions={**ended, session: until})

    def signed_out_everywhere(self, request_id: str) -> Self:
        """The next version, in which every session so far has ended."""
        return self.changed(request_id, session_epoch=self.session_epoch + 1, ended_sessions={})

    def erased(self, request_id: str) -> Self:
        """The next version: nothing personal is left, and no session; AlreadyErased."""
        if not self.active:
            raise AlreadyErased
        gone = {"name": "", "email": "", "phone": "", "roles": (), "organisation_names": {}, "ended_sessions": {}}
        ended = {"session_epoch": self.session_epoch + 1, "active": False, "erase_after": None}
        return self.changed(request_id, **gone, **ended)

    @property
    def coordinates(self) -> bool:
        """Whether this is an active coordinator."""
        return self.active and any(role.kind == "coordinator" for role in self.roles)

    def message(self, now: datetime, correlation_id: str) -> PersonChanged:
        """What the other services are told."""
        said = {"name", "email", "language", "roles", "organisation_names", "session_epoch", "active", "reminders"}
        facts = {**self.model_dump(include=said), "ended_sessions": sorted(self.ended_sessions)}
        return PersonChanged.about(
            aggregate(self.id), self.version, now=now, correlation_id=correlation_id, person_id=self.id, **facts
        )


def aggregate(person_id: str) -> str:
    """What messages about a person are about."""
    return f"person:{person_id}"


def email_key(email: str) -> str:
    """What makes an address unique: its letters without their case."""
    return email.strip().casefold()
