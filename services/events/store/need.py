"""Need and supply, kept up to date for each campaign: see shared/tally.py.

What a slot counts for follows from its document and its registrations. Every decision about a slot and its
registrations is one write of the slot, which takes its note of being counted away.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from pymongo import UpdateOne

from services.events.domain.coverage import ELSEWHERE, Coverage, Need
from services.events.domain.facts import UNPUBLISHED
from services.events.store.coverage import KINDS
from services.events.store.reconciliation import with_pending
from shared.mongo import Database, Document, Session
from shared.tally import Counts, Key, Tally, named, path

VERSION = 1
COLLECTIONS = ["need_and_supply"]
SLOT = {
    "campaign_id": 1, "state": 1, "offer_state": 1, "district_ags": 1, "field": 1, "starts_local": 1, "places": 1,
    "pending.new": 1, "pending.changed": 1,
}  # fmt: skip
ASKED = {"slot_id": 1, "state": 1, "group.pupils": 1, "school_district_ags": 1, "version": 1}


def tally(db: Database) -> Tally:
    """The counts kept of slots."""
    kept = _Kept(db)
    return Tally(db, {"slots": kept.slots}, kept.add, VERSION)


async def sums(kept: Tally, campaign_id: str | None, districts: Iterable[str]) -> Coverage:
    """Need and supply of one campaign, or of all, as of now; `districts` are there anyway."""
    await kept.count_up()
    query = {"version": VERSION, **({"campaign_id": campaign_id} if campaign_id else {})}
    found = Coverage()
    for ags in districts:
        found.by_district[ags].add(Need())
    for row in await kept.db.need_and_supply.find(query).to_list(None):
        found.total.add(_needs(row.get("total")).get("all", Need()))
        for ags, need in _needs(row.get("district")).items():
            found.by_district[ags].add(need)
        for code, need in _needs(row.get("field")).items():
            found.by_field[code].add(need)
        for day, need in _needs(row.get("week")).items():
            found.by_week[date.fromisoformat(day)].add(need)
    return found


def _needs(part: Mapping[str, Document] | None) -> dict[str, Need]:
    return {code: Need(**kept) for code, kept in named(part).items() if any(kept.values())}


class _Kept:
    """What slots count for, and how it is added up."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def slots(self, ids: Sequence[str], session: Session) -> dict[str, Counts]:
        """A slot's places and what was asked of it; a batch that is decided counts as carried out."""
        there = self._db.registrations.find({"slot_id": {"$in": ids}}, ASKED, session=session)
        registrations: dict[str, dict[str, Document]] = defaultdict(dict)
        async for row in there:
            registrations[row["slot_id"]][row["_id"]] = row
        slots = self._db.slots.find({"_id": {"$in": ids}}, SLOT, session=session)
        return {row["_id"]: _counts(row, registrations[row["_id"]]) async for row in slots}

    async def add(self, difference: Mapping[Key, int], session: Session) -> None:
        """Bring a difference into the campaigns' sums."""
        steps: dict[str, Document] = defaultdict(dict)
        for (campaign_id, *rest), count in difference.items():
            steps[campaign_id][path(*rest)] = count
        writes = [
            UpdateOne(
                {"_id": f"{VERSION}:{campaign_id}", "version": VERSION, "campaign_id": campaign_id},
                {"$inc": paths}, upsert=True,
            )
            for campaign_id, paths in steps.items()
        ]  # fmt: skip
        if writes:
            await self._db.need_and_supply.bulk_write(writes, session=session)


def _counts(slot: Document, registrations: dict[str, Document]) -> Counts:
    counts: Counts = Counts()
    open_to_see = slot["state"] == "open" and slot["offer_state"] not in ("withdrawn", *UNPUBLISHED)
    parts = _parts(slot) if open_to_see else []
    for part in [*parts, ("district", slot["district_ags"] or ELSEWHERE)] if open_to_see else []:
        counts[slot["campaign_id"], *part, "offered"] += slot["places"]
    for row in with_pending(registrations, slot.get("pending")).values():
        if kind := KINDS.get(row["state"]):
            for part in [*parts, ("district", row["school_district_ags"] or ELSEWHERE)]:
                counts[slot["campaign_id"], *part, kind] += row["group"]["pupils"]
    return counts


def _parts(slot: Document) -> list[tuple[str, str]]:
    day = date.fromisoformat(slot["starts_local"][:10])
    return [("total", "all"), ("field", slot["field"]), ("week", str(day - timedelta(days=day.weekday())))]
