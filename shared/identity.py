"""Who is asking, and what they may do: pure, for rules and use cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from shared.errors import NotAllowed
from shared.schemas.outreach import Role, RoleKind


@dataclass(frozen=True)
class Identity:
    """A person with a session or a program with a key. Use cases ask it; nobody is allowed anything by default.

    `roles` are those that count now: all, or the one as which somebody who holds several (`held`) is `acting`.
    """

    id: str
    kind: Literal["person", "program"]
    name: str
    roles: tuple[Role, ...] = ()
    scopes: frozenset[str] = field(default_factory=frozenset)
    email: str = ""
    language: Literal["de", "en"] = "de"
    csrf: str = ""
    held: tuple[Role, ...] = ()
    acting: Role | None = None
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    def acting_as(self, role: Role) -> Self:
        """The same person with the rights of `role` alone; unchanged when that is not held (any more)."""
        held = self.held or self.roles
        return replace(self, roles=(role,), held=held, acting=role) if role in held else self

    def has(self, kind: RoleKind, organisation_id: str | None = None) -> bool:
        """Whether one of the roles is `kind`, in `organisation_id` when that is given."""
        return any(r.kind == kind and organisation_id in (None, r.organisation_id) for r in self.roles)

    @property
    def coordinates(self) -> bool:
        """Whether this is a coordinator (or a program that acts for one)."""
        return self.has("coordinator")

    def organisations(self, kind: RoleKind) -> list[str]:
        """The organisations in which this identity has the role `kind`."""
        return [role.organisation_id for role in self.roles if role.kind == kind]

    def must_coordinate(self) -> None:
        """NotAllowed unless this is a coordinator."""
        if not self.coordinates:
            raise NotAllowed

    def must_act_for_school(self, school_id: str) -> None:
        """NotAllowed unless this is a teacher of the school or a coordinator."""
        if not (self.coordinates or school_id in self.organisations("teacher")):
            raise NotAllowed

    def must_act_for_company(self, company_id: str) -> None:
        """NotAllowed unless this is a contact of the company or a coordinator."""
        if not (self.coordinates or company_id in self.organisations("company")):
            raise NotAllowed

    def must_operate(self) -> None:
        """NotAllowed unless this is an operator or a coordinator."""
        if not (self.coordinates or self.has("operator")):
            raise NotAllowed
