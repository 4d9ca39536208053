"""Schools: importing the ministry's register, finding schools, their movable days."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from services.outreach.domain.common import must_have_a_role, searchable
from services.outreach.domain.schools import School, SchoolNotFound, SetMovableDays
from services.outreach.school_register import (
    Difference,
    LineError,
    RegisterFile,
    RegisterTooLarge,
    RegisterUnreadable,
    SetAside,
    difference,
    parse_register,
)
from services.outreach.school_register import School as RegisterSchool
from services.outreach.store import schools as stored
from services.outreach.store.core import Store
from shared import region
from shared.auth import Identity
from shared.errors import Invalid
from shared.log import correlation_id
from shared.mongo import Session

CHUNK = 500
MOST_FOUND = 20
PUPILS = Path(region.__file__).parent / "data" / "schuelerzahlen.csv"


class RegisterFileUnreadable(Invalid):
    """This file is not the ministry's school register: {reason_en}"""

    field = "file"


class RegisterFileTooLarge(Invalid):
    """This file is larger than a school register can be: {reason_en}"""

    field = "file"


@dataclass(frozen=True)
class Imported:
    """What an import did, or with `dry_run` would do: numbers of schools, and every line that is no school.

    `changes` names each created or changed school with the fields that differ (none for a created one).
    """

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    set_aside: tuple[SetAside, ...]
    errors: tuple[LineError, ...]
    warnings: tuple[LineError, ...]
    missing: tuple[str, ...]
    changes: tuple[tuple[str, str, tuple[str, ...]], ...]
    rows: int


async def import_schools(
    store: Store,
    identity: Identity,
    data: bytes,
    pupils: bytes | None,
    *,
    dry_run: bool,
    now: datetime,
    request_id: str,
) -> Imported:
    """Take over the register in `data`; without `pupils` the packaged numbers of pupils are joined.

    Broken lines are reported and stop no other. Only schools that are new or differ are written, so that a second
    import of the same file changes nothing. RegisterFileUnreadable, RegisterFileTooLarge.
    """
    identity.must_coordinate()
    parsed = await asyncio.to_thread(_parsed, data, pupils)  # most of a second, in which others are answered
    known = await stored.register_entries(store)
    expected = await asyncio.to_thread(difference, known, parsed)
    if dry_run:
        return _imported(parsed, [expected], expected, dry_run=True)
    done = [await _write_chunk(store, chunk, now=now, request_id=request_id) for chunk in _chunks(parsed)]
    return _imported(parsed, done, expected, dry_run=False)


async def enter_school(
    store: Store, identity: Identity, entry: RegisterSchool, *, now: datetime, request_id: str
) -> None:
    """One school as a person gives it, entered or changed; the next register has the last word again."""
    identity.must_coordinate()
    alone = RegisterFile(schools=(entry,), set_aside=(), errors=(), warnings=(), has_pupils=True)
    await _write_chunk(store, alone, now=now, request_id=request_id)


async def set_movable_days(
    store: Store, identity: Identity, school_id: str, command: SetMovableDays, *, now: datetime, request_id: str
) -> School:
    """The school with exactly these movable days. SchoolNotFound, TooManyMovableDays, ChangedMeanwhile."""
    identity.must_act_for_school(school_id)
    school = await get_school(store, identity, school_id)
    if school.last_request_id == request_id:
        return school
    changed = school.with_movable_days(command.days, request_id)
    await store.save("schools", changed, [changed.message(now, correlation_id.get())])
    return changed


async def close_schools(store: Store, zone: str, *, now: datetime) -> int:
    """Note that schools have closed whose last day is over in `zone`; returns how many. Run by a worker."""
    closing = await stored.past_their_last_day(store, now.astimezone(ZoneInfo(zone)).date())
    for school in closing:
        await _close(store, school.closed(), now)
    return len(closing)


async def _close(store: Store, closed: School, now: datetime) -> None:
    said = [closed.message(now, "-")]
    await store.transaction(lambda session: stored.write_many(store, [], [closed], said, session))


async def get_school(store: Store, identity: Identity, school_id: str) -> School:
    """One school, for everybody with a role. SchoolNotFound."""
    must_have_a_role(identity)
    school = await store.get("schools", School, school_id)
    if school is None:
        raise SchoolNotFound
    return school


async def find_schools(store: Store, identity: Identity, q: str) -> list[School]:
    """The first open schools in which every word of `q` occurs, for anybody with a role; none without a word."""
    must_have_a_role(identity)
    if not searchable(q):
        return []
    where = {"$and": [stored.matching(None, None, q), {"open": True}]}
    found, _ = await store.page("schools", School, where, "short_name", MOST_FOUND)
    return found


async def list_schools(
    store: Store,
    identity: Identity,
    *,
    district: str | None = None,
    school_type: str | None = None,
    q: str = "",
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[School], str | None]:
    """Schools by short name; `q`: words that all occur in number, name, postal code or town."""
    must_have_a_role(identity)
    where = stored.matching(district, school_type, q)
    return await store.page("schools", School, where, "short_name", limit, after)


def _parsed(data: bytes, pupils: bytes | None) -> RegisterFile:
    try:
        return parse_register(data, PUPILS.read_bytes() if pupils is None else pupils)
    except RegisterTooLarge as error:
        raise RegisterFileTooLarge(reason_de=error.reason_de, reason_en=error.reason_en) from error
    except RegisterUnreadable as error:
        raise RegisterFileUnreadable(reason_de=error.reason_de, reason_en=error.reason_en) from error


def _chunks(parsed: RegisterFile) -> list[RegisterFile]:
    schools = parsed.schools
    return [replace(parsed, schools=schools[start : start + CHUNK]) for start in range(0, len(schools), CHUNK)]


async def _write_chunk(store: Store, chunk: RegisterFile, *, now: datetime, request_id: str) -> Difference:
    """Compared again within the transaction, for another import may run at the same time."""

    async def work(session: Session) -> Difference:
        known, found = await _compared(store, chunk, session)
        created = [School.entered(entry, request_id, now.date()) for entry in found.created]
        changed = [known[entry.id].with_entry(entry, request_id, now.date()) for entry, _ in _pairs(found)]
        messages = [school.message(now, correlation_id.get()) for school in (*created, *changed)]
        await stored.write_many(store, created, changed, messages, session)
        return found

    _, found = await _compared(store, chunk)
    return await store.transaction(work) if found.created or found.changed else found


async def _compared(
    store: Store, chunk: RegisterFile, session: Session | None = None
) -> tuple[dict[str, School], Difference]:
    known = await stored.by_ids(store, [school.id for school in chunk.schools], session)
    return known, difference({id: school.register_entry() for id, school in known.items()}, chunk)


def _pairs(found: Difference) -> list[tuple[RegisterSchool, tuple[str, ...]]]:
    return [(change.school, change.fields) for change in found.changed]


def _imported(parsed: RegisterFile, done: list[Difference], expected: Difference, *, dry_run: bool) -> Imported:
    changes = [(school.id, school.name, ()) for part in done for school in part.created]
    changes += [(entry.id, entry.name, fields) for part in done for entry, fields in _pairs(part)]
    broken_lines = {error.line for error in parsed.errors if error.file == "register"}
    return Imported(
        dry_run=dry_run,
        created=_count(done, lambda part: part.created),
        changed=_count(done, lambda part: part.changed),
        unchanged=_count(done, lambda part: part.unchanged),
        set_aside=parsed.set_aside,
        errors=parsed.errors,
        warnings=parsed.warnings,
        missing=expected.missing_from_file,
        changes=tuple(changes),
        rows=len(parsed.schools) + len(parsed.set_aside) + len(broken_lines),
    )


def _count(parts: list[Difference], of: Callable[[Difference], tuple[object, ...]]) -> int:
    return sum(len(of(part)) for part in parts)
