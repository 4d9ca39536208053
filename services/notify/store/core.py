"""The service's database: deliveries, the own copies, and what must be erased."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from pymongo import UpdateOne

from services.notify import consent
from services.notify.store.address_hashes import key_plain_hashes
from services.notify.store.copies import Copies
from services.notify.store.counters import Counters
from services.notify.store.deliveries import Deliveries
from services.notify.store.feeds import Feeds
from services.notify.store.former_addresses import FormerAddresses
from services.notify.store.mail_log import MailLog
from services.notify.store.participants import ClassLinks, Participants
from services.notify.store.reminder_stops import ReminderStops
from services.notify.store.reminders import Reminders
from services.notify.store.suppressions import Suppressions
from services.notify.store.webhooks import Webhooks
from services.notify.store.wordings import Wordings
from services.notify.suppression import address_hash
from shared.auth import email_key
from shared.ids import random_id
from shared.inbox import Together
from shared.mongo import Database, Document

COLLECTIONS = [
    "deliveries", "suppressions", "offers", "slots", "registrations", "visits", "erasure_receipts", "class_links",
    "participants", "consents", "counters", "reminder_stops", "wordings", "campaign_names",
    "campaigns", "schools", "feeds", "webhooks", "webhook_calls", "former_addresses",
]  # fmt: skip


class Store:
    """`written` wakes the relay of messages, `planned` the sender of mails."""

    def __init__(
        self,
        db: Database,
        retention_days: int,
        written: Callable[[], None] = lambda: None,
        planned: Callable[[], None] = lambda: None,
        pupil_retention_days: int = 1,
        *,
        secret_key: str,
    ) -> None:
        self.db = db
        self.retention = timedelta(days=retention_days)
        self.inbox = Together(db, "mails")
        self.deliveries = Deliveries(db, written, planned)
        self.copies = Copies(db, retention_days)
        self.class_links = ClassLinks(db)
        self.participants = Participants(db)
        self.counters = Counters(db)
        self._pupil_retention_days = pupil_retention_days
        self._secret_key = secret_key
        self.suppressions = Suppressions(db, self.hash_of)
        self.former_addresses = FormerAddresses(db, self.hash_of)
        self.reminders = Reminders(db)
        self.reminder_stops = ReminderStops(db, self.hash_of)
        self.log = MailLog(db)
        self.wordings = Wordings(db)
        self.feeds = Feeds(db)
        self.webhooks = Webhooks(db)

    async def create_indexes(self) -> None:
        """All indexes of this service's own collections."""
        await self.deliveries.create_indexes()
        await self.copies.create_indexes()
        await self.class_links.create_indexes()
        await self.participants.create_indexes()
        await self.counters.create_indexes()
        await self.suppressions.create_indexes()
        await self.reminders.create_indexes()
        await self.reminder_stops.create_indexes()
        await self.log.create_indexes()
        await self.wordings.create_indexes()
        await self.feeds.create_indexes()
        await self.former_addresses.create_indexes()
        await self.db.people.create_index("email_key")
        await self._fill_email_keys()
        await key_plain_hashes(self.db, self._secret_key)
        await self.webhooks.create_indexes()
        await self.db.set_aside.create_index("set_aside_at")

    async def _fill_email_keys(self) -> None:
        """Copies of people that an earlier version wrote."""
        rows = self.db.people.find({"email_key": None}, {"email": 1})
        writes = [
            UpdateOne({"_id": row["_id"]}, {"$set": {"email_key": email_key(row["email"])}}) async for row in rows
        ]
        if writes:
            await self.db.people.bulk_write(writes, ordered=False)

    def hash_of(self, email: str) -> str:
        """By what an address is found without being kept."""
        return address_hash(email, self._secret_key)

    def pupils_gone_at(self, ends_local: datetime, zone: str) -> datetime:
        """When pupils' data about a visit that ends then is to go."""
        return consent.retention_ends(ends_local, zone, self._pupil_retention_days)

    async def erase_copies(self, collection: str, now: datetime) -> int:
        """Empty the copies whose time is over; the versions stay, so that an old message still changes nothing."""
        due = {"erase_after": {"$lte": now}}
        content = {"slots": "slot", "offers": "offer"}.get(collection, "facts")
        change = {"$set": {content: None, "calendar": {}}, "$unset": {"erase_after": ""}}
        return (await self.db[collection].update_many(due, change)).modified_count

    async def write_receipt(self, counts: dict[str, int], now: datetime) -> None:
        """Note that something was erased, and how much, without what it was."""
        rows: list[Document] = [
            {"_id": random_id(), "what": what, "count": count, "at": now} for what, count in counts.items() if count
        ]
        if rows:
            await self.db.erasure_receipts.insert_many(rows)

    async def person_with(self, email: str) -> str:
        """The id of the active person with this address, or an empty text."""
        row = await self.db.people.find_one({"email_key": email_key(email), "active": True}, {"_id": 1})
        return row["_id"] if row else ""

    async def names_of(self, person_ids: Iterable[str]) -> dict[str, str]:
        """The names that the directory has of these people, by their id."""
        rows = self.db.people.find({"_id": {"$in": list(set(person_ids))}}, {"name": 1})
        return {row["_id"]: row["name"] async for row in rows}

    async def active_person(self, person_id: str) -> Document | None:
        """What the directory has of a person; None when they have left."""
        return await self.db.people.find_one({"_id": person_id, "active": True})

    async def email_of(self, person_id: str) -> str:
        """The mail address that the directory has of a person, or an empty text."""
        row = await self.db.people.find_one({"_id": person_id}, {"email": 1})
        return (row or {}).get("email", "")
