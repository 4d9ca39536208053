"""The open schools as the coverage needs them, remembered by this process for as long as none has changed."""

from dataclasses import dataclass

from bson import ObjectId

from shared.mongo import Database, Document, Session
from shared.region import municipality

FACTS = {
    "name": 1, "short_name": 1, "school_type": 1, "municipality_ags": 1, "district_ags": 1, "pupils": 1, "email": 1,
}  # fmt: skip
MARK = {"_id": "schools changed"}


@dataclass(frozen=True, slots=True)
class KnownSchool:
    """An open school; `name` is the one by which people know it."""

    id: str
    name: str
    school_type: str
    municipality_ags: str
    district_ags: str
    pupils: int | None
    email: str


class RememberedSchools:
    """Reads the schools once, and again when somebody has changed one: every such write renews the mark."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._mark: ObjectId | None = None
        self._schools: list[KnownSchool] = []

    async def schools(self) -> list[KnownSchool]:
        """All open schools as they are now, by municipality and name."""
        found = await self._db.counters.find_one(MARK)
        mark = found["mark"] if found else None
        if mark is not None and mark == self._mark:
            return self._schools
        rows = await self._db.schools.find({"open": True}, FACTS).to_list(None)
        self._schools = sorted(map(_known, rows), key=_order)
        self._mark = mark
        return self._schools

    async def begin(self) -> None:
        """Have a mark from the start."""
        await self._db.counters.update_one(MARK, {"$setOnInsert": {"mark": ObjectId()}}, upsert=True)


async def note_changed(db: Database, session: Session | None = None) -> None:
    """Schools are changed, in this transaction: every process reads them again."""
    await db.counters.update_one(MARK, {"$set": {"mark": ObjectId()}}, upsert=True, session=session)


def name_of(row: Document) -> str:
    """The name by which people know the school."""
    return row.get("short_name") or row["name"]


def _known(row: Document) -> KnownSchool:
    return KnownSchool(
        row["_id"],
        name_of(row),
        row["school_type"],
        row["municipality_ags"],
        row["district_ags"],
        row.get("pupils"),
        row.get("email") or "",
    )


def _order(school: KnownSchool) -> tuple[str, str, str]:
    place = municipality(school.municipality_ags)
    return place.name if place else "", school.name.casefold(), school.id
