"""What a campaign's report and coverage show, kept up to date: see shared/tally.py.

`figures` has a document of each campaign with its sums, `reach` one with its schools by how far it came to them, and
`figure_members` says how often each school and company counts, for each is counted once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pymongo import ReplaceOne, UpdateOne

from services.outreach.domain.reports import ASKED, DISTINCT, FIGURES, HELD, MET, PARTS, Row, Totals
from shared.mongo import Database, Document, Session
from shared.tally import Counts, Key, Tally, named, path

VERSION = 1
COLLECTIONS = ["figures", "figure_members", "reach"]
REACH = ("reached", "asked")
WHOLE = ("total", "all")


def tally(db: Database) -> Tally:
    """The counts kept of offers, slots, registrations, self-found places and visits."""
    figures = _Figures(db)
    sources = {
        "report_offers": figures.offers, "report_slots": figures.slots, "report_self_found": figures.self_found,
        "report_registrations": figures.registrations, "visits": figures.visits,
    }  # fmt: skip
    return Tally(db, sources, figures.add, VERSION)


async def totals(counted: Tally, campaign_id: str, districts: Iterable[str]) -> Totals:
    """The campaign's figures, as of now; each of `districts` is there, be it with zeros."""
    await counted.count_up()
    kept = await counted.db.figures.find_one({"_id": _id(campaign_id)}) or {}
    known = {kind: {code: named(sums) for code, sums in named(kept.get(kind)).items()} for kind in ("total", *PARTS)}
    parts = {kind: {code: sums for code, sums in known[kind].items() if any(sums.values())} for kind in PARTS}
    parts["district"] = {ags: {} for ags in districts} | parts["district"]
    done = {kind: {code: _filled(part[code]) for code in sorted(part)} for kind, part in parts.items()}
    return Totals(_filled(known["total"].get("all", {})), done["district"], done["school_type"], done["field"])


async def reach(counted: Tally, campaign_id: str) -> tuple[set[str], set[str]]:
    """The schools that the campaign has reached, and those that have asked for something, as of now."""
    await counted.count_up()
    kept = await counted.db.reach.find_one({"_id": _id(campaign_id)}) or {}
    reached, asked = (set(named(kept.get(state))) for state in REACH)
    return reached, asked


def _id(campaign_id: str) -> str:
    return f"{VERSION}:{campaign_id}"


def _filled(sums: Mapping[str, int]) -> dict[str, int]:
    return {name: sums.get(name, 0) for name in FIGURES}


class _Figures:
    """What rows count for, and how it is added up."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def offers(self, ids: Sequence[str], session: Session) -> dict[str, Counts]:
        """A company counts while it has an offer that is not withdrawn."""
        return {
            row["_id"]: _counts(row, [Row(row["district"], None, row["field"], company=row["company_id"])])
            for row in await self._rows("report_offers", ids, session)
            if row["state"] != "withdrawn"
        }

    async def slots(self, ids: Sequence[str], session: Session) -> dict[str, Counts]:
        """Open slots with their places."""
        return {
            row["_id"]: _counts(row, [Row(row["district"], None, row["field"], counts=_of_slot(row))])
            for row in await self._rows("report_slots", ids, session)
            if row["state"] == "open"
        }

    async def self_found(self, ids: Sequence[str], session: Session) -> dict[str, Counts]:
        """Places that schools found themselves."""
        found = {}
        for row in await self._rows("report_self_found", ids, session):
            if not row["withdrawn"]:
                counts = {"self_found_places": row["pupils"]}
                shown = Row(row["district"], row["school_type"], row["field"], counts=counts)
                found[row["_id"]] = _counts(row, [shown], "reached")
        return found

    async def registrations(self, ids: Sequence[str], session: Session) -> dict[str, Counts]:
        """Groups with places; their school counts unless they did not come."""
        found = {}
        for row in await self._rows("report_registrations", ids, session):
            if row["state"] in HELD:
                met = row["school_id"] if row["state"] in MET else None
                shown = Row(row["district"], row["school_type"], row["field"], met, counts=_of_registration(row))
                found[row["_id"]] = _counts(row, [shown], "reached")
            elif row["state"] in ASKED:
                found[row["_id"]] = _counts(row, [], "asked")
        return found

    async def visits(self, ids: Sequence[str], session: Session) -> dict[str, Counts]:
        """Visits, in the district and type of their school."""
        rows = await self._rows("visits", ids, session)
        wanted = {"_id": {"$in": sorted({row["school_id"] for row in rows})}}
        cursor = self._db.schools.find(wanted, {"district_ags": 1, "school_type": 1}, session=session)
        schools = {row["_id"]: row async for row in cursor}
        return {row["_id"]: _of_visit(row, schools.get(row["school_id"], {})) for row in rows}

    async def _rows(self, collection: str, ids: Sequence[str], session: Session) -> list[Document]:
        return await self._db[collection].find({"_id": {"$in": ids}}, session=session).to_list(None)

    async def add(self, difference: Mapping[Key, int], session: Session) -> None:
        """Bring a difference into sums, members and reach."""
        sums: Counts = Counter()
        members: dict[Key, Counts] = defaultdict(Counter)
        for (campaign_id, group, *rest), count in difference.items():
            if group == "sum":
                sums[(campaign_id, *rest)] += count
            else:
                member, kind, code = rest
                members[campaign_id, group, member][kind, code] += count
        changes: dict[str, Document] = defaultdict(lambda: {"$set": {}, "$unset": {}})
        for (campaign_id, group, member), kind, code, step in await self._crossings(members, session):
            if kind == "reach":
                verb = "$set" if step > 0 else "$unset"
                changes[campaign_id][verb][path(code, member)] = True
            else:
                sums[campaign_id, kind, code, group] += step
        await self._write("reach", {key: _without_empty(change) for key, change in changes.items()}, session)
        steps: dict[str, Document] = defaultdict(dict)
        for (campaign_id, *rest), count in sums.items():
            steps[campaign_id][path(*rest)] = count
        await self._write("figures", {key: {"$inc": paths} for key, paths in steps.items()}, session)

    async def _crossings(self, members: Mapping[Key, Counts], session: Session) -> list[tuple[Key, str, str, int]]:
        """Where a member begins (1) or ceases (-1) to count; how often each counts is written."""
        keys = {member: ":".join((str(VERSION), *member)) for member in members}
        known = self._db.figure_members.find({"_id": {"$in": list(keys.values())}}, session=session)
        before = {row["_id"]: row["counts"] async for row in known}
        found, notes = [], []
        for member, key in keys.items():
            held: Counts = Counter({(kind, code): count for kind, code, count in before.get(key, [])})
            for (kind, code), count in members[member].items():
                was, held[kind, code] = held[kind, code], held[kind, code] + count
                if (was > 0) != (was + count > 0):
                    found.append((member, kind, code, 1 if was + count > 0 else -1))
            counts = [[*part, count] for part, count in held.items() if count]
            notes.append(ReplaceOne({"_id": key}, {"counts": counts}, upsert=True))
        if notes:
            await self._db.figure_members.bulk_write(notes, ordered=False, session=session)
        return found

    async def _write(self, collection: str, changes: Mapping[str, Document], session: Session) -> None:
        writes = [UpdateOne({"_id": _id(id)}, change, upsert=True) for id, change in changes.items()]
        if writes:
            await self._db[collection].bulk_write(writes, session=session)


def _counts(row: Document, shown: Iterable[Row], reach: str = "") -> Counts:
    """What a row counts for in its campaign, and how far the campaign came to its school by it."""
    counts: Counts = Counter()
    for each in shown:
        for kind, code in _parts(each):
            counts.update({(row["campaign_id"], "sum", kind, code, name): n for name, n in each.counts.items()})
            for group, member in zip(DISTINCT, (each.school, each.company), strict=True):
                if member:
                    counts[row["campaign_id"], group, member, kind, code] += 1
    if reach:
        counts[row["campaign_id"], "schools", row["school_id"], "reach", reach] += 1
    return counts


def _parts(row: Row) -> Iterator[tuple[str, str]]:
    yield WHOLE
    for kind in PARTS:
        if code := getattr(row, kind):
            yield kind, code


def _of_slot(row: Document) -> dict[str, int]:
    return {"slots": 1, "places_offered": row["places"]}


def _of_registration(row: Document) -> dict[str, int]:
    attended = row["attended"] if row["state"] == "attended" else 0
    pupils = row["pupils"]
    return {"groups": 1, "pupils": pupils, "places_taken": pupils, "places_attended": attended}


def _of_visit(row: Document, school: Document) -> Counts:
    if row["state"] in ("confirmed", "done"):
        counts = {"visits": 1, "pupils_reached": row.get("pupils_reached") or 0}
        place = school.get("district_ags"), school.get("school_type")
        return _counts(row, [Row(*place, row.get("field"), row["school_id"], counts=counts)], "reached")
    return _counts(row, [], "asked" if row["state"] in ("requested", "proposed") else "")


def _without_empty(change: Document) -> Document:
    return {verb: fields for verb, fields in change.items() if fields}
