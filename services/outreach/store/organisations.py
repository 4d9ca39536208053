"""Schools and companies alike, as what people belong to: found by id, or by a part of the name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.outreach.domain.common import searchable
from services.outreach.store.core import GERMAN, Store
from services.outreach.store.schools import matching as schools_matching
from shared.mongo import Document, Session
from shared.schemas.outreach import RoleKind

KINDS: dict[str, tuple[RoleKind, ...]] = {"schools": ("teacher",), "companies": ("company", "ambassador")}


@dataclass(frozen=True)
class Organisation:
    """A school or company, and which roles people can have in it, the usual one first."""

    id: str
    name: str
    town: str
    kinds: tuple[RoleKind, ...]


async def find(store: Store, id: str, session: Session | None = None) -> Organisation | None:
    """The school or company `id`, or None."""
    for collection in KINDS:
        row = await store.db[collection].find_one({"_id": id}, _FIELDS, session=session)
        if row:
            return _organisation(collection, row)
    return None


async def search(store: Store, kind: RoleKind, q: str, most: int) -> list[Organisation]:
    """Up to `most` open schools or active companies in which one can be `kind`, with every word of `q` in the name."""
    collection = next(name for name, kinds in KINDS.items() if kind in kinds)
    where = {"open": True, **schools_matching(None, None, q)} if collection == "schools" else _companies(q)
    order = "short_name" if collection == "schools" else "name"
    found = store.db[collection].find(where, _FIELDS).collation(GERMAN).sort(order, 1).limit(most)
    return [_organisation(collection, row) async for row in found]


async def names(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """The names of the schools and companies among `ids`, by id."""
    wanted = {"_id": {"$in": list(ids)}}
    rows = [store.db[collection].find(wanted, _FIELDS) for collection in KINDS]
    return {row["_id"]: _name(row) for found in rows async for row in found}


_FIELDS = {"name": 1, "short_name": 1, "town": 1}


def _companies(q: str) -> Document:
    words = searchable(q).split()
    parts = [{"name": {"$regex": re.escape(word), "$options": "i"}} for word in words]
    return {"active": True, "$and": parts} if parts else {"active": True}


def _organisation(collection: str, row: Document) -> Organisation:
    return Organisation(row["_id"], _name(row), row.get("town", ""), KINDS[collection])


def _name(row: Document) -> str:
    return row.get("short_name") or row["name"]
