"""The choices of somebody who holds several roles: as whom to act now."""

from dataclasses import dataclass

from shared.identity import Identity
from shared.schemas.outreach import Role, RoleKind
from shared.ui.language import translate

ALL = ""
KINDS: dict[RoleKind, str] = {
    "coordinator": "Coordinator",
    "operator": "Operator",
    "teacher": "Teacher",
    "company": "Company contact",
    "ambassador": "Ambassador",
}


@dataclass(frozen=True)
class Choice:
    """One entry of the switch: what its form sends, what a person reads, and whether it counts now."""

    value: str
    text: str
    chosen: bool


def switch_choices(person: Identity | None, language: str) -> list[Choice]:
    """All roles at once, then each role of its own, for a form to /outreach/act-as; none with less than two roles."""
    if person is None or len(person.held) < 2:
        return []
    everything = Choice(ALL, translate("All my roles", language), person.acting is None)
    return [everything, *(_choice(person, role, language) for role in person.held)]


def _choice(person: Identity, role: Role, language: str) -> Choice:
    kind, name = translate(KINDS[role.kind], language), person.names.get(role.organisation_id)
    return Choice(value_of(role), f"{name} ({kind})" if name else kind, role == person.acting)


def value_of(role: Role) -> str:
    """What the form of the switch sends for `role`."""
    return f"{role.kind}:{role.organisation_id}"
