"""Own copies of what outreach and events say: slots, registrations, visits. Read and written in the transaction that
plans the mails, so that two messages handled at the same time see each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta

from pymongo import ReplaceOne, ReturnDocument

from services.notify.domain import CalendarEntries, CalendarEntry, Known, Recipient, VisitCopy, instant
from shared.gather import Gatherer
from shared.mongo import Collection, Database, Document, Session
from shared.schemas.events import OfferFacts, RegistrationFacts, SlotFacts
from shared.schemas.outreach import VisitFacts
from shared.together import Trip

NO_REVISION = -1


@dataclass(frozen=True)
class RegistrationCopy:
    """What is kept of a registration.

    `told` is the slot's revision that its people know of, `company_knows` whether the company ever got a mail,
    `since` the moment from which it is known; copies of earlier versions do not have it.
    """

    facts: RegistrationFacts
    told: int
    company_knows: bool = False
    calendar: CalendarEntries = field(default_factory=dict)
    since: datetime | None = None


class Copies:
    """The collections `offers`, `slots`, `registrations`, `visits`, and the people that the shared directory keeps."""

    def __init__(self, db: Database, retention_days: int) -> None:
        self._db = db
        self.retention = timedelta(days=retention_days)
        self._asked: Gatherer[str, Known | None] = Gatherer(self._known_registrations)
        self._looked: Gatherer[SlotFacts, bool] = Gatherer(self._know)
        self._look_at = Trip(self._look_at_slots)
        self._held = Trip(self._held_registrations)
        self._put = Trip(self._put_rows)
        self._campaigns = Trip(self._read_campaigns)
        self._days = Trip(self._read_schools)

    async def create_indexes(self) -> None:
        """For the registrations of a slot, the slots of an offer, and erasure."""
        await self._db.registrations.create_index([("slot_id", 1), ("state", 1)])
        await self._db.slots.create_index("offer_id")
        await self._db.slots.create_index("slot.offer.campaign_id", sparse=True)
        await self._db.visits.create_index("facts.campaign_id", sparse=True)
        for name in ("offers", "slots", "registrations", "visits"):
            await self._db[name].create_index("erase_after", sparse=True)

    async def knows(self, slot: SlotFacts) -> bool:
        """Whether a copy of the slot is held that is at least as new. Calls that come together share one trip."""
        return await self._looked.submit("", slot)

    async def _know(self, _: str, slots: list[SlotFacts]) -> list[bool | Exception]:
        held = {"_id": {"$in": list({slot.slot_id for slot in slots})}, "slot": {"$ne": None}}
        rows = await self._db.slots.find(held, {"revision": 1}).to_list(None)
        revisions = {row["_id"]: row["revision"] for row in rows}
        return [revisions.get(slot.slot_id, NO_REVISION) >= slot.revision for slot in slots]

    async def newest_slot(self, slot: SlotFacts, session: Session) -> SlotFacts:
        """Keep `slot` when its revision is the highest so far, and return the highest.

        It always writes, so that handling a move and handling a registration at the same time conflict, and one of
        them is run again with the other's effect before its eyes.
        """
        row = await self._look_at.take(session, slot.slot_id)
        if row is None or row["revision"] < slot.revision or row["slot"] is None:
            row = await self._put_slot(slot, row, session)
        return SlotFacts.model_validate(row["slot"])

    async def _look_at_slots(self, session: Session, ids: list[str]) -> list[Document | None]:
        look = {"$inc": {"looks": 1}}
        if len(ids) == 1:
            return [await self._db.slots.find_one_and_update({"_id": ids[0]}, look, session=session)]
        these = {"_id": {"$in": list(set(ids))}}
        await self._db.slots.update_many(these, look, session=session)
        return await _found(self._db.slots, ids, session)

    async def _put_slot(self, slot: SlotFacts, before: Document | None, session: Session) -> Document:
        """Write the slot, with the newest facts of its offer: a message carries those of the moment it was said."""
        erase_after = self.erase_after(slot.ends_local, slot.zone)
        offer, offer_version = await self._newest_offer(slot, erase_after, session)
        if before and before["slot"] and before["offer_version"] > offer_version:  # known before `offers` was kept
            offer, offer_version = before["slot"]["offer"], before["offer_version"]
        row = {
            "_id": slot.slot_id,
            "revision": slot.revision,
            "slot": {**slot.model_dump(mode="json"), "offer": offer},
            "offer_id": slot.offer.offer_id,
            "offer_version": offer_version,
            "looks": 0,
            "erase_after": erase_after,
        }
        await self._db.slots.replace_one({"_id": slot.slot_id}, row, upsert=True, session=session)
        return row

    async def _newest_offer(self, slot: SlotFacts, erase_after: datetime, session: Session) -> tuple[Document, int]:
        """The offer's newest facts and their version. It always writes, so that a change of the offer that is heard at
        the same time comes before or after, and misses no slot."""
        look = {"$inc": {"looks": 1}, "$max": {"erase_after": erase_after}, "$setOnInsert": {"version": 0}}
        row = await self._db.offers.find_one_and_update(
            {"_id": slot.offer.offer_id}, look, upsert=True, return_document=ReturnDocument.AFTER, session=session
        )
        return row.get("offer") or slot.offer.model_dump(mode="json"), row["version"]

    async def change_offer(self, offer: OfferFacts, version: int, told: Sequence[str], erase_after: datetime) -> None:
        """Take over an offer's changed facts (place, requirements, contact), also into its slots; `told` names those
        that groups are told of."""
        latest = {f"told.{name}": version for name in told}
        row = {"$max": {"erase_after": erase_after, **latest}, "$setOnInsert": {"version": 0}}
        await self._db.offers.update_one({"_id": offer.offer_id}, row, upsert=True)
        newer = {"$set": {"version": version, "offer": offer.model_dump(mode="json")}}
        await self._db.offers.update_one({"_id": offer.offer_id, "version": {"$lt": version}}, newer)
        older = {"offer_id": offer.offer_id, "offer_version": {"$lt": version}, "slot": {"$ne": None}}
        change = {"slot.offer": offer.model_dump(mode="json"), "offer_version": version}
        await self._db.slots.update_many(older, {"$set": change})

    async def told_since(self, offer_id: str, version: int, changed: Sequence[str], session: Session) -> bool:
        """Whether all of what `version` of the offer changed was changed again, and told, by newer ones."""
        told = (await self._db.offers.find_one({"_id": offer_id}, session=session) or {}).get("told", {})
        return all(told.get(name, 0) > version for name in changed)

    async def slots_of(self, offer_id: str) -> list[str]:
        """The ids of the offer's slots."""
        return [row["_id"] async for row in self._db.slots.find({"offer_id": offer_id, "slot": {"$ne": None}}, {})]

    async def slots_of_campaign(self, campaign_id: str) -> list[str]:
        """The ids of the slots of all offers in a campaign."""
        return [row["_id"] async for row in self._db.slots.find({"slot.offer.campaign_id": campaign_id}, {})]

    async def slots_of_school(self, school_id: str) -> list[str]:
        """The ids of the slots on which a school has a confirmed group."""
        confirmed = {"facts.school_id": school_id, "state": "confirmed"}
        return [str(id) for id in await self._db.registrations.distinct("slot_id", confirmed)]

    async def visits_with(self, name: str, id: str) -> list[str]:
        """The ids of the confirmed visits at a school (`school_id`) or in a campaign (`campaign_id`)."""
        where = {f"facts.{name}": id, "facts.state": "confirmed"}
        return [row["_id"] async for row in self._db.visits.find(where, {"_id": 1})]

    async def keep_campaign(self, campaign_id: str, reminders: Sequence[str] | None, version: int) -> None:
        """Take over when a campaign reminds; older news changes nothing. `planned` is the version up to which the
        reminders of its dates are as it says."""
        new = {"reminders": None, "version": 0, "planned": 0}
        await self._db.campaigns.update_one({"_id": campaign_id}, {"$setOnInsert": new}, upsert=True)
        while row := await self._db.campaigns.find_one({"_id": campaign_id, "version": {"$lt": version}}):
            same = row["reminders"] == reminders and row["planned"] == row["version"]
            change = {"reminders": reminders, "version": version, **({"planned": version} if same else {})}
            before = {"_id": campaign_id, "version": row["version"]}
            await self._db.campaigns.update_one(before, {"$set": change})

    async def campaign_to_plan(self, campaign_id: str) -> int | None:
        """The campaign's version, unless all its reminders are as it says."""
        row = await self._db.campaigns.find_one({"_id": campaign_id})
        return row["version"] if row and row["planned"] < row["version"] else None

    async def campaign_planned(self, campaign_id: str, version: int) -> None:
        """Note that the reminders are as `version` says."""
        await self._db.campaigns.update_one({"_id": campaign_id}, {"$max": {"planned": version}})

    async def campaign_reminders(self, campaign_id: str, session: Session) -> list[str] | None:
        """When a campaign reminds; None when it does not say."""
        row = await self._campaigns.take(session, campaign_id)
        return row["reminders"] if row else None

    async def _read_campaigns(self, session: Session, ids: list[str]) -> list[Document | None]:
        return await _found(self._db.campaigns, ids, session)

    async def movable_days(self, school_id: str, session: Session) -> frozenset[date]:
        """A school's own days off, as far as it has told them."""
        row = await self._days.take(session, school_id)
        return frozenset(date.fromisoformat(day) for day in row["movable_days"]) if row else frozenset()

    async def _read_schools(self, session: Session, ids: list[str]) -> list[Document | None]:
        return await _found(self._db.schools, ids, session)

    async def slot(self, slot_id: str, session: Session) -> SlotFacts | None:
        """The slot as it was last heard of; None when it is unknown or erased."""
        row = await self._db.slots.find_one({"_id": slot_id}, session=session)
        return SlotFacts.model_validate(row["slot"]) if row and row["slot"] else None

    async def held_registration(self, id: str, session: Session) -> tuple[RegistrationCopy | None, int]:
        """The copy as `registration` gives it, and the version that is held, also of an erased one; 0 when there is
        none."""
        row = await self._held.take(session, id)
        return (_registration(row) if row and row["facts"] else None), (row["version"] if row else 0)

    async def _held_registrations(self, session: Session, ids: list[str]) -> list[Document | None]:
        return await _found(self._db.registrations, ids, session)

    async def held_visit(self, id: str, session: Session) -> tuple[VisitCopy | None, int]:
        """The same for a visit."""
        row = await self._db.visits.find_one({"_id": id}, session=session)
        return (_visit(row) if row and row["facts"] else None), (row["version"] if row else 0)

    async def registration(self, registration_id: str, session: Session | None = None) -> RegistrationCopy | None:
        """The copy, with the slot as it was last known to the registration; None when unknown or erased."""
        row = await self._db.registrations.find_one({"_id": registration_id}, session=session)
        return _registration(row) if row and row["facts"] else None

    async def registrations_of(self, slot_id: str, states: Sequence[str], session: Session) -> list[RegistrationCopy]:
        """The registrations on a slot that are in one of `states`."""
        where = {"slot_id": slot_id, "state": {"$in": list(states)}, "facts": {"$ne": None}}
        return [_registration(row) async for row in self._db.registrations.find(where, session=session)]

    async def put_registrations(self, copies: Sequence[RegistrationCopy], session: Session) -> None:
        """Write the copies."""
        await self._put.take(session, [self._registration_row(copy) for copy in copies])

    async def _put_rows(self, session: Session, rows: list[list[Document]]) -> list[None]:
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for part in rows for row in part]
        if writes:
            await self._db.registrations.bulk_write(writes, session=session)
        return [None] * len(rows)

    async def with_newest_slot(self, facts: RegistrationFacts) -> RegistrationFacts:
        """The registration with the slot as the own copy has it."""
        row = await self._db.slots.find_one({"_id": facts.slot.slot_id})
        return (
            facts.model_copy(update={"slot": SlotFacts.model_validate(row["slot"])}) if row and row["slot"] else facts
        )

    async def visit(self, visit_id: str, session: Session | None = None) -> VisitCopy | None:
        """The copy, or None when unknown or erased."""
        row = await self._db.visits.find_one({"_id": visit_id}, session=session)
        return _visit(row) if row and row["facts"] else None

    async def look_at_visit(self, visit_id: str, session: Session) -> None:
        """Write at the copy, so that a message handled at the same time comes before or after."""
        await self._db.visits.update_one({"_id": visit_id}, {"$inc": {"looks": 1}}, session=session)

    async def put_visit(self, copy: VisitCopy, session: Session) -> None:
        """Write the copy."""
        facts = copy.facts
        dates = [facts.chosen] if facts.chosen else facts.alternatives
        row = {
            "_id": facts.visit_id,
            "version": facts.version,
            "revision": copy.revision,
            "facts": facts.model_dump(mode="json"),
            "calendar": {tag: asdict(entry) for tag, entry in copy.calendar.items()},
            "erase_after": max(self.erase_after(date.ends_local, date.zone) for date in dates),
        }
        await self._db.visits.replace_one({"_id": facts.visit_id}, row, upsert=True, session=session)

    async def known(self, about: str) -> Known | None:
        """What decides whether a mail about `about` is still true; None when there is no copy. Calls about
        registrations that come together share one trip."""
        kind, _, id = about.partition(":")
        if kind == "registration":
            return await self._asked.submit("", id)
        if kind == "visit" and (visit := await self.visit(id)):
            return Known(visit.facts.state, visit.facts.version, visit.revision)
        return None

    async def _known_registrations(self, _: str, ids: list[str]) -> list[Known | None | Exception]:
        its_slot = {"from": "slots", "localField": "slot_id", "foreignField": "_id", "as": "newest"}
        steps: list[Document] = [
            {"$match": {"_id": {"$in": ids}, "facts": {"$ne": None}}},
            {"$project": {"slot_id": 1, "version": "$facts.version", "state": "$facts.state", "slot": "$facts.slot"}},
            {"$lookup": {**its_slot, "pipeline": [{"$match": {"slot": {"$ne": None}}}, {"$project": {"slot": 1}}]}},
        ]
        rows = await self._db.registrations.aggregate(steps).to_list(None)
        found = {row["_id"]: _known_registration(row) for row in rows}
        return [found.get(id) for id in ids]

    async def coordinators(self, session: Session) -> list[Recipient]:
        """Every active coordinator."""
        rows = self._db.people.find({"roles.kind": "coordinator", "active": True}, session=session)
        return [
            Recipient("coordinator", row["name"], row["email"], row["language"], row["_id"])
            async for row in rows.sort("_id", 1)
        ]

    def erase_after(self, ends_local: datetime, zone: str) -> datetime:
        """When personal data about something that ends then is to go."""
        return instant(ends_local, zone) + self.retention

    def _registration_row(self, copy: RegistrationCopy) -> Document:
        facts = copy.facts
        return {
            "_id": facts.registration_id,
            "version": facts.version,
            "facts": facts.model_dump(mode="json"),
            "slot_id": facts.slot.slot_id,
            "state": facts.state,
            "told": copy.told,
            "company_knows": copy.company_knows,
            "since": copy.since,
            "calendar": {tag: asdict(entry) for tag, entry in copy.calendar.items()},
            "erase_after": self.erase_after(facts.slot.ends_local, facts.slot.zone),
        }


async def _found(collection: Collection, ids: list[str], session: Session) -> list[Document | None]:
    """The documents with these ids, in their order."""
    rows = await collection.find({"_id": {"$in": list(set(ids))}}, session=session).to_list(None)
    by_id = {row["_id"]: row for row in rows}
    return [by_id.get(id) for id in ids]


def _known_registration(row: Document) -> Known:
    """By the slot as the own copy has it, else as the registration was told of it."""
    slot = row["newest"][0]["slot"] if row["newest"] else row["slot"]
    state = row["state"] if slot["state"] == "open" or row["state"] != "confirmed" else "cancelled"
    return Known(state, row["version"], slot["revision"])


def _registration(row: Document) -> RegistrationCopy:
    facts = RegistrationFacts.model_validate(row["facts"])
    return RegistrationCopy(facts, row["told"], row["company_knows"], _entries(row["calendar"]), row.get("since"))


def _visit(row: Document) -> VisitCopy:
    return VisitCopy(VisitFacts.model_validate(row["facts"]), row["revision"], _entries(row["calendar"]))


def _entries(stored: Mapping[str, Document]) -> dict[str, CalendarEntry]:
    return {tag: CalendarEntry(**entry) for tag, entry in stored.items()}
