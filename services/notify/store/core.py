"""The service's database: deliveries, the own copies, and what must be erased."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from services.notify import consent
from services.notify.store.copies import Copies
from services.notify.store.counters import Counters
from services.notify.store.deliveries import Deliveries
from services.notify.store.feeds import Feeds
from services.notify.store.mail_log import MailLog
from services.notify.store.participants import ClassLinks, Participants
from services.notify.store.reminder_stops import ReminderStops
from services.notify.store.reminders import Reminders
from services.notify.store.suppressions import Suppressions
from services.notify.store.webhooks import Webhooks
from services.notify.store.wordings import Wordings
from shared.ids import random_id
from shared.mongo import Database, Document

COLLECTIONS = [
    "deliveries", "suppressions", "offers", "slots", "registrations", "visits", "erasure_receipts", "class_links",
    "participants", "consents", "counters", "reminder_stops", "wordings", "campaign_names",
    "campaigns", "schools", "feeds", "webhooks", "webhook_calls",
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
    ) -> None:
        self.db = db
        self.retention = timedelta(days=retention_days)
        self.deliveries = Deliveries(db, written, planned)
        self.copies = Copies(db, retention_days)
        self.class_links = ClassLinks(db)
        self.participants = Participants(db)
        self.counters = Counters(db)
        self._pupil_retention_days = pupil_retention_days
        self.suppressions = Suppressions(db)
        self.reminders = Reminders(db)
        self.reminder_stops = ReminderStops(db)
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
        await self.webhooks.create_indexes()
        await self.db.people.create_index("email")
        await self.db.set_aside.create_index("set_aside_at")

    def pupils_gone_at(self, ends_local: datetime, zone: str) -> datetime:
        """When pupils' data about a visit that ends then is to go."""
        return consent.retention_ends(ends_local, zone, self._pupil_retention_days)

    async def erase_copies(self, collection: str, now: datetime) -> int:
        """Empty the copies whose time is over; the versions stay, so that an old message still changes nothing."""
        due = {"erase_after": {"$lte": now}}
        content = {"slots": "slot", "offers": "offer"}.get(collection, "facts")
        change = {"$set": {content: None, "calendar": {}}, "$unset": {"erase_after": ""}}
        return (await self.db[collection].update_many(due, change)).modified_count

    async def forget_set_aside(self, before: datetime) -> int:
        """Delete messages that were set aside before then; they hold names and addresses, too."""
        return (await self.db.set_aside.delete_many({"set_aside_at": {"$lt": before}})).deleted_count

    async def write_receipt(self, counts: dict[str, int], now: datetime) -> None:
        """Note that something was erased, and how much, without what it was."""
        rows: list[Document] = [
            {"_id": random_id(), "what": what, "count": count, "at": now} for what, count in counts.items() if count
        ]
        if rows:
            await self.db.erasure_receipts.insert_many(rows)

    async def person_with(self, email: str) -> str:
        """The id of the active person with this address, or an empty text."""
        row = await self.db.people.find_one({"email": email, "active": True}, {"_id": 1})
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
