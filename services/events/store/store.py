"""What this service keeps: its collections, their indexes, and the writes of everything but places."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from services.events.domain.commands import Command
from services.events.domain.facts import CHECKED, Campaign, Offer, Registration, School, Slot
from services.events.domain.history import Happened
from services.events.store import coverage, need
from services.events.store.documents import (
    campaign_of,
    decided_of_offer,
    history_of,
    municipality_of,
    offer_document,
    offer_in_slot,
    offer_of,
    offer_words,
    registration_of,
    school_of,
    slot_document,
    slot_of,
    words_of_registration,
)
from services.events.store.places import Outcome, Places
from shared import outbox
from shared.errors import TryLater
from shared.mongo import AlreadyThere, Collection, Database, Document, Session, transaction
from shared.schemas.base import Message
from shared.tables import importing
from shared.tally import COLLECTIONS as TALLIED
from shared.words import fill_words

COLLECTIONS = [
    "offers", "slots", "registrations", "waiting_list_log", "schools", "companies", "campaigns", "self_found_places",
    "erasure_receipts", *need.COLLECTIONS, *TALLIED, *importing.COLLECTIONS,
]  # fmt: skip
WITHOUT_PENDING = {"pending": 0}
Cursor = tuple[datetime, str]


class Store:
    """One database of this service, in a region with the wall time of `zone`. Contacts are erased when `contact_kept`
    has passed after the last day they were needed. `written` is called after every write that left messages."""

    def __init__(
        self, db: Database, contact_kept: timedelta = timedelta(days=180), zone: str = "Europe/Berlin"
    ) -> None:
        self.db = db
        self.zone = zone
        self.contact_kept = contact_kept
        self.tally = need.tally(db)
        self.written: Callable[[], None] = lambda: None
        self.places = Places(db, lambda: self.written(), contact_kept)

    async def decide(self, slot_id: str, command: Command) -> Outcome:
        """Decide a command about a slot and its registrations; see Places."""
        return await self.places.decide(slot_id, command)

    async def create_indexes(self) -> None:
        """For every list and every worker."""
        db = self.db
        await db.slots.create_index([("campaign_id", 1), ("starts_utc", 1), ("_id", 1)])
        await db.slots.create_index([("starts_utc", 1), ("_id", 1)])
        await db.slots.create_index([("offer_id", 1), ("starts_utc", 1)])
        await db.slots.create_index([("company_id", 1), ("starts_utc", 1)])
        await db.slots.create_index("pending.at", sparse=True)
        await db.slots.create_index("holds_any", partialFilterExpression={"state": "cancelled"})
        await db.registrations.create_index([("slot_id", 1), ("active", 1), ("key", 1)])
        await db.registrations.create_index([("slot_id", 1), ("state", 1), ("position", 1)])
        await db.registrations.create_index([("slot_id", 1), ("active", 1), ("school_id", 1)])
        await db.registrations.create_index([("school_id", 1), ("created_at", 1), ("_id", 1)])
        await db.registrations.create_index([("school_id", 1), ("state", 1), ("created_at", 1), ("_id", 1)])
        await db.registrations.create_index([("school_id", 1), ("active", 1), ("changed_at", 1)])
        await db.registrations.create_index([("company_id", 1), ("created_at", 1), ("_id", 1)])
        await db.registrations.create_index(
            [("state", 1), ("company_id", 1)], partialFilterExpression={"state": "requested"}
        )
        await db.registrations.create_index([("created_at", 1), ("_id", 1)])
        await coverage.drop_former_indexes(db)
        await self.tally.prepare()
        await db.slots.create_index(
            [("state", 1), ("offer_state", 1), ("starts_utc", 1), ("municipality_ags", 1), ("free", 1)],
            name="on_the_map",
        )
        await db.registrations.create_index([("state", 1), ("created_at", 1), ("_id", 1)])
        await db.registrations.create_index("offer_expires_at", partialFilterExpression={"state": "offered"})
        await db.registrations.create_index("question.until", partialFilterExpression={"open_question": True})
        await db.registrations.create_index("erase_after", sparse=True)
        await db.offers.create_index("confirm_again.asked", sparse=True)
        await db.offers.create_index([("campaign_id", 1), ("created_at", 1), ("_id", 1)])
        await db.offers.create_index([("company_id", 1), ("created_at", 1), ("_id", 1)])
        await db.offers.create_index([("created_at", 1), ("_id", 1)])
        await db.offers.create_index([("check", 1), ("created_at", 1), ("_id", 1)])
        changed = {"changed_since_check": True}
        keys = [("changed_since_check", 1), ("created_at", 1), ("_id", 1)]
        await db.offers.create_index(keys, partialFilterExpression=changed)
        await db.offers.create_index("erase_after", sparse=True)
        await db.self_found_places.create_index([("created_at", 1), ("_id", 1)])
        await db.self_found_places.create_index([("school_id", 1), ("created_at", 1), ("_id", 1)])
        await db.self_found_places.create_index([("campaign_id", 1), ("created_at", 1), ("_id", 1)])
        for searched in (db.registrations, db.offers):
            await searched.create_index("words")
        await self.fill_words()
        await db.waiting_list_log.create_index([("slot_id", 1), ("slot_version", -1)])
        for listed in (db.offers, db.registrations, db.self_found_places):
            await listed.create_index([("created_at", 1), ("_id", 1)])
        await importing.create_indexes(db)

    async def fill_words(self) -> None:
        """Words to search by for what has none: it is from before there were any, or has just been erased."""
        await fill_words(self.db.registrations, words_of_registration)
        await fill_words(self.db.offers, lambda row: offer_words(offer_of(row).facts))

    async def note_municipalities(self) -> None:
        """Enter the municipality in slots that were written before it was kept."""
        unknown = {"municipality_ags": {"$exists": False}}
        for offer_id in await self.db.slots.distinct("offer_id", unknown):
            offer = await self.offer(offer_id)
            ags = municipality_of(offer.facts.place.postal_code) if offer else None
            await self.db.slots.update_many({"offer_id": offer_id, **unknown}, {"$set": {"municipality_ags": ags}})

    async def campaign(self, campaign_id: str) -> Campaign | None:
        """The copy of a campaign."""
        found = await self.db.campaigns.find_one({"_id": campaign_id})
        return campaign_of(found) if found else None

    async def school(self, school_id: str) -> School | None:
        """The copy of a school."""
        found = await self.db.schools.find_one({"_id": school_id})
        return school_of(found) if found else None

    async def names_of_schools(self, ids: Iterable[str]) -> dict[str, str]:
        """Names of schools by id."""
        wanted = {"_id": {"$in": sorted(set(ids))}}
        return {row["_id"]: row["name"] for row in await self.db.schools.find(wanted, {"name": 1}).to_list(None)}

    async def offer(self, offer_id: str) -> Offer | None:
        """An offer."""
        found = await self.db.offers.find_one({"_id": offer_id})
        return offer_of(found) if found else None

    async def offers(self, ids: Sequence[str]) -> dict[str, Offer]:
        """Offers by id."""
        rows = await self.db.offers.find({"_id": {"$in": sorted(set(ids))}}, {"words": 0}).to_list(None)
        return {row["_id"]: offer_of(row) for row in rows}

    async def slot(self, slot_id: str) -> Slot | None:
        """A slot as it is now."""
        found = await self.db.slots.find_one({"_id": slot_id}, WITHOUT_PENDING)
        return slot_of(found) if found else None

    async def slots(self, ids: Sequence[str]) -> dict[str, Slot]:
        """Slots by id."""
        rows = await self.db.slots.find({"_id": {"$in": sorted(set(ids))}}, WITHOUT_PENDING).to_list(None)
        return {row["_id"]: slot_of(row) for row in rows}

    async def earliest_slots(self, ids: Sequence[str], most: int) -> dict[str, Slot]:
        """Up to `most` of these slots by id, those that begin first."""
        found = self.db.slots.find({"_id": {"$in": ids}}, WITHOUT_PENDING).sort([("starts_utc", 1), ("_id", 1)])
        return {row["_id"]: slot_of(row) for row in await found.limit(most).to_list(most)}

    async def registration(self, registration_id: str) -> Registration | None:
        """A registration as it is now."""
        found = await self.db.registrations.find_one({"_id": registration_id})
        return registration_of(found) if found else None

    async def history(self, registration_id: str) -> list[Happened]:
        """The steps kept of a registration."""
        found = await self.db.registrations.find_one({"_id": registration_id}, {"history": 1})
        return history_of(found) if found else []

    async def note_at_registration(self, registration_id: str, fields: Document) -> None:
        """Set fields that no decision touches: `noted_at`, `acknowledged`. State and version stay as they are."""
        await self.db.registrations.update_one({"_id": registration_id}, {"$set": fields})

    async def slots_of_group(self, key: str) -> dict[str, Slot]:
        """The slots, by id, on which the group with this key has an active registration."""
        own = {"school_id": key.partition("|")[0], "active": True, "key": key}
        rows = await self.db.registrations.find(own, {"slot_id": 1}).to_list(100)
        return await self.slots([row["slot_id"] for row in rows])

    async def names_of_people(self, ids: Iterable[str]) -> dict[str, str]:
        """Names of active people by id."""
        known = sorted({each for each in ids if each})
        if not known:
            return {}
        wanted = {"_id": {"$in": known}, "active": True}
        return {row["_id"]: row["name"] for row in await self.db.people.find(wanted, {"name": 1}).to_list(None)}

    async def waiting_before(self, registration: Registration) -> int:
        """How many groups stand before this one on its waiting list."""
        before = {"$lt": registration.position}
        queue = {"slot_id": registration.slot_id, "state": "waitlisted", "position": before}
        return await self.db.registrations.count_documents(queue)

    async def change_offer(
        self, before: Offer, after: Offer, messages: Sequence[Message],
        of_each_slot: Callable[[Slot], Message] | None = None,
    ) -> bool:  # fmt: skip
        """The offer in its new version, and what its slots note of it; False when it changed meanwhile.
        `of_each_slot` makes a further message of each of its open slots."""

        async def work(session: Session) -> bool:
            same = {"_id": before.id, "version": before.version}
            change = {"$set": decided_of_offer(after)}
            if not (await self.db.offers.update_one(same, change, session=session)).matched_count:
                return False
            await self.db.slots.update_many({"offer_id": before.id}, {"$set": offer_in_slot(after)}, session=session)
            if before.facts.requirements != after.facts.requirements:
                await self._ask_again(before.id, session)
            await outbox.add(self.db, messages, session)
            if of_each_slot:
                opened = self.db.slots.find({"offer_id": before.id, "state": "open"}, WITHOUT_PENDING, session=session)
                told = [of_each_slot(slot_of(row)) for row in await opened.to_list(None)]
                await outbox.add(self.db, told, session)
            return True

        changed = await transaction(self.db, work)
        self.written()
        return changed

    async def note_changes_seen(self, offer_id: str, version: int) -> bool:
        """That the coordinator saw what this version of the offer says; False when it changed meanwhile. The version
        stays, so that a company that is just writing a change can save it."""
        same: Document = {"_id": offer_id, "version": version}
        seen = {"$set": {"checked": {name: f"$facts.{name}" for name in CHECKED}, "changed_since_check": False}}
        return bool((await self.db.offers.update_one(same, [seen])).matched_count)

    async def _ask_again(self, offer_id: str, session: Session) -> None:
        """The groups on the offer's open dates have not read its new requirements yet."""
        opened = self.db.slots.find({"offer_id": offer_id, "state": "open"}, {"_id": 1}, session=session)
        held = {"slot_id": {"$in": [row["_id"] async for row in opened]}, "active": True}
        await self.db.registrations.update_many(held, {"$set": {"acknowledged": False}}, session=session)

    async def add_offer_with_slots(
        self, offer: Offer, erase_after: datetime, slots: Sequence[Slot], messages: Sequence[Message]
    ) -> bool:
        """A new offer with its first slots and their messages, all or none; False when it is there already."""

        async def work(session: Session) -> None:
            await self.db.offers.insert_one(offer_document(offer, erase_after), session=session)
            if slots:
                await self.db.slots.insert_many([slot_document(slot, offer) for slot in slots], session=session)
            await outbox.add(self.db, messages, session)

        return await self._write_new(work)

    async def add_slots(self, slots: Sequence[Slot], offer: Offer, messages: Sequence[Message]) -> bool:
        """New slots with their messages, all or none; False when they are there already. TryLater when their offer
        changed meanwhile: what a slot notes of it must be true."""

        async def work(session: Session) -> None:
            same = {"_id": offer.id, "version": offer.version}
            if not (await self.db.offers.update_one(same, {"$inc": {"opened": 1}}, session=session)).matched_count:
                raise TryLater
            await self.db.slots.insert_many([slot_document(slot, offer) for slot in slots], session=session)
            await outbox.add(self.db, messages, session)

        return await self._write_new(work)

    async def add_self_found_place(self, document: Document, messages: Sequence[Message]) -> bool:
        """A new record of places found outside; False when it is there already."""

        async def work(session: Session) -> None:
            await self.db.self_found_places.insert_one(document, session=session)
            await outbox.add(self.db, messages, session)

        return await self._write_new(work)

    async def change_self_found_place(
        self, record_id: str, version: int, changes: Document, messages: Sequence[Message]
    ) -> bool:
        """The record in its next version; False when it changed meanwhile."""

        async def work(session: Session) -> bool:
            change = {"$set": {**changes, "version": version + 1}}
            same = {"_id": record_id, "version": version}
            if not (await self.db.self_found_places.update_one(same, change, session=session)).matched_count:
                return False
            await outbox.add(self.db, messages, session)
            return True

        changed = await transaction(self.db, work)
        self.written()
        return changed

    async def expired_offers(self, now: datetime, most: int = 500) -> list[tuple[str, str]]:
        """(slot, registration) of offered places whose time was over at `now`, the longest over first."""
        over = {"state": "offered", "offer_expires_at": {"$lte": now}}
        found = self.db.registrations.find(over, {"slot_id": 1}).sort("offer_expires_at", 1)
        return [(row["slot_id"], row["_id"]) for row in await found.to_list(most)]

    async def cancelled_slots_with_registrations(self) -> list[str]:
        """Slots that were called off and still have active registrations."""
        found = self.db.slots.find({"state": "cancelled", "holds_any": True}, {"_id": 1})
        return [row["_id"] for row in await found.to_list(1000)]

    async def page(
        self, collection: Collection, filter: Document, order: str, limit: int, after: Cursor | None,
        *, latest_first: bool = False,
    ) -> list[Document]:  # fmt: skip
        """Up to `limit` + 1 rows in the order of the field `order`, then of their ids, beyond the cursor `after`."""
        direction = -1 if latest_first else 1
        found = collection.find(self.beyond(filter, order, after, latest_first=latest_first), WITHOUT_PENDING)
        # With the limit the database stops there; else it makes 101 rows ready and keeps a cursor open.
        return await found.sort([(order, direction), ("_id", direction)]).limit(limit + 1).to_list(limit + 1)

    def beyond(self, filter: Document, order: str, after: Cursor | None, *, latest_first: bool = False) -> Document:
        """The filter for what lies beyond the cursor `after`."""
        if not after:
            return filter
        value, row_id = after
        further = "$lt" if latest_first else "$gt"
        return {"$and": [filter, {"$or": [{order: {further: value}}, {order: value, "_id": {further: row_id}}]}]}

    async def _write_new(self, work: Callable[[Session], object]) -> bool:
        try:
            await transaction(self.db, work)  # type: ignore[arg-type]
        except AlreadyThere:
            return False
        self.written()
        return True
