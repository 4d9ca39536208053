"""The groups that a school registered before, to be chosen again with one tap."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.events.domain.facts import Registration

MOST_REMEMBERED = 6


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group as it was registered last."""

    school_id: str
    name: str
    grade: int
    pupils: int
    adults: int


def remembered(registrations: Iterable[Registration], by: str = "", most: int = MOST_REMEMBERED) -> list[KnownGroup]:
    """The groups of `registrations`, which come latest first: each once, as it was last; those that the person `by`
    registered before those of colleagues."""
    found: dict[str, Registration] = {}
    for registration in registrations:
        if registration.group.name:
            found.setdefault(registration.key, registration)
    own_first = sorted(found.values(), key=lambda each: not by or each.registered_by != by)
    return [_known(each) for each in own_first[:most]]


def _known(registration: Registration) -> KnownGroup:
    group = registration.group
    return KnownGroup(registration.school_id, group.name, group.grade, group.pupils, group.adults)
