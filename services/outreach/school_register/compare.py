"""What importing a register file would change."""

from collections.abc import Mapping
from dataclasses import fields, replace

from services.outreach.school_register.model import Change, Difference, RegisterFile, School

_FIELDS = tuple(field.name for field in fields(School))


def difference(known: Mapping[str, School], parsed: RegisterFile) -> Difference:
    """Compare the schools known so far, by id, with a parsed file.

    A school whose line could not be taken is not missing, and in a file without pupil numbers the known ones stay.
    """
    found = [_with_known_pupils(school, known, parsed) for school in parsed.schools]
    changes = [(school, _changed_fields(known[school.id], school)) for school in found if school.id in known]
    in_file = {school.id for school in found} | {error.school_id for error in parsed.errors}
    return Difference(
        created=tuple(school for school in found if school.id not in known),
        changed=tuple(Change(school, changed) for school, changed in changes if changed),
        unchanged=tuple(school.id for school, changed in changes if not changed),
        missing_from_file=tuple(school_id for school_id in known if school_id not in in_file),
    )


def _with_known_pupils(school: School, known: Mapping[str, School], parsed: RegisterFile) -> School:
    if parsed.has_pupils or school.id not in known:
        return school
    return replace(school, pupils=known[school.id].pupils)


def _changed_fields(old: School, new: School) -> tuple[str, ...]:
    return tuple(name for name in _FIELDS if getattr(old, name) != getattr(new, name))
