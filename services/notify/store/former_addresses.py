"""The collection `former_addresses`: addresses that people have left, by hash; and where the own copies name them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notify.store.deliveries import words_of
from services.notify.store.feeds import ANY_CASE
from shared.auth import email_key
from shared.mongo import Database, Document, Session
from shared.schemas.outreach import Contact
from shared.together import Trip

KEPT = timedelta(days=365)  # other services may name the address so long
BY_ROLE = ("teacher", "company", "ambassador", "coordinator")  # written to because a copy names them
CONTACTS = (
    ("registrations", "facts.contact"), ("registrations", "facts.slot.offer.contact"), ("visits", "facts.contact"),
    ("slots", "slot.offer.contact"), ("offers", "offer.contact"),
)  # fmt: skip


class FormerAddresses:
    """A row says whose address it was; it ends by itself, or when somebody has the address again."""

    def __init__(self, db: Database, hash_of: Callable[[str], str]) -> None:
        self._db = db
        self._rows = db.former_addresses
        self._hash_of = hash_of
        self._asked = Trip(self._present_among)

    async def create_indexes(self) -> None:
        """For erasure, and for finding who is named with an address."""
        await self._rows.create_index("erase_after")
        await self._db.deliveries.create_index("person_id", sparse=True)
        for collection, path in (*CONTACTS, ("visits", "facts.team")):
            await self._db[collection].create_index(f"{path}.email", collation=ANY_CASE, sparse=True)

    async def put(self, email: str, person_id: str, now: datetime) -> None:
        """This person has left the address. Safe to repeat."""
        row = {"person_id": person_id, "erase_after": now + KEPT}
        await self._rows.update_one({"_id": self._hash_of(email)}, {"$set": row}, upsert=True)

    async def remove(self, email: str) -> None:
        """Somebody has this address (again)."""
        await self._rows.delete_one({"_id": self._hash_of(email)})

    async def erase_due(self, now: datetime) -> int:
        """Delete rows whose time is over."""
        return (await self._rows.delete_many({"erase_after": {"$lte": now}})).deleted_count

    async def present(self, emails: Sequence[str], session: Session | None) -> dict[str, str]:
        """Of those that are former ones: the address that their person has now, an empty text when they have gone."""
        if session is not None:
            return await self._asked.take(session, emails)
        return await self._present(emails, None)

    async def _present_among(self, session: Session, asked: list[Sequence[str]]) -> list[dict[str, str]]:
        """All get what is known of the addresses of all."""
        present = await self._present(list({email for emails in asked for email in emails}), session)
        return [present] * len(asked)

    async def _present(self, emails: Sequence[str], session: Session | None) -> dict[str, str]:
        by_hash = {self._hash_of(email): email for email in emails if email}
        rows = await self._rows.find({"_id": {"$in": list(by_hash)}}, session=session).to_list(None)
        if not rows:
            return {}
        active = {"_id": {"$in": [row["person_id"] for row in rows]}, "active": True}
        now = {row["_id"]: row["email"] async for row in self._db.people.find(active, {"email": 1}, session=session)}
        return {by_hash[row["_id"]]: now.get(row["person_id"], "") for row in rows}

    async def contact(self, named: Contact, session: Session | None = None) -> Contact:
        """A contact as it is to be kept: with the present address; nobody when they have gone."""
        email = (await self.present([named.email], session)).get(named.email)
        if email is None:
            return named
        return named.model_copy(update={"email": email}) if email else Contact(name="", email="")

    async def blank(self, email: str) -> None:
        """Take whoever has this address out of the own copies."""
        await self._replace(email, {"email": "", "name": "", "phone": ""})

    async def follow(self, person_id: str, before: str, email: str) -> None:
        """What waits for the address `before`, and the own copies, get the new one; what was sent stays, and is found
        by the person when that is erased."""
        mine: Document = {"recipient_key": email_key(before), "recipient_role": {"$in": list(BY_ROLE)}}
        for row in await self._db.deliveries.find({**mine, "waiting": True}).to_list(None):
            words = words_of(row["recipient_role"], email, row["recipient_name"], row["subject"])
            change = {"recipient": email, "recipient_key": email_key(email), "words": words, "together": ""}
            await self._db.deliveries.update_one(
                {"_id": row["_id"], "waiting": True}, {"$set": change, "$inc": {"version": 1}}
            )
        await self._db.deliveries.update_many({"recipient_key": email_key(before)}, {"$set": {"person_id": person_id}})
        await self._replace(before, {"email": email})

    async def _replace(self, email: str, values: dict[str, Any]) -> None:
        for collection, path in CONTACTS:
            change = {"$set": {f"{path}.{name}": value for name, value in values.items()}}
            await self._db[collection].update_many({f"{path}.email": email}, change, collation=ANY_CASE)
        own = {name: value for name, value in values.items() if name != "phone"}
        change = {"$set": {f"facts.team.$[one].{name}": value for name, value in own.items()}}
        await self._db.visits.update_many(
            {"facts.team.email": email}, change, collation=ANY_CASE, array_filters=[{"one.email": email}]
        )
