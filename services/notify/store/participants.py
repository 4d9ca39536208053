"""Class links, participants and consents ↔ documents. Consents hold no personal data: only a participant's id, and
that goes with the participant."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from pymongo import UpdateOne

from services.notify.consent import Answer, ClassLink, Participant, Who
from shared.ids import random_id
from shared.mongo import Database, Document, Session
from shared.together import Trip

ORDER = [("first_name", 1), ("_id", 1)]


@dataclass(frozen=True)
class Consent:
    """What somebody was shown, in which wording and language, and what they answered. No names, no addresses."""

    who: Who
    answer: Answer
    wording: str
    language: str
    shown: str
    at: datetime


class ClassLinks:
    """The collection `class_links`: one per registration."""

    def __init__(self, db: Database) -> None:
        self._rows = db.class_links
        self._of = Trip(self._of_registrations)
        self._new = Trip(self._add_all)

    async def create_indexes(self) -> None:
        """For finding a link by its secret, and erasure."""
        await self._rows.create_index("secret", unique=True)
        await self._rows.create_index("erase_after")

    async def of_registration(self, registration_id: str, session: Session | None = None) -> ClassLink | None:
        """The link, open or closed, or None."""
        if session is not None:
            return _link(await self._of.take(session, registration_id))
        return _link(await self._rows.find_one({"_id": registration_id}))

    async def _of_registrations(self, session: Session, ids: list[str]) -> list[Document | None]:
        rows = await self._rows.find({"_id": {"$in": ids}}, session=session).to_list(None)
        found = {row["_id"]: row for row in rows}
        return [found.get(id) for id in ids]

    async def by_secret(self, secret: str) -> ClassLink | None:
        """The open link with this secret, or None."""
        return _link(await self._rows.find_one({"secret": secret, "open": True}))

    async def add(self, link: ClassLink, erase_after: datetime, session: Session | None = None) -> None:
        """Write a link; one that is there stays as it is."""
        fields = {"secret": link.secret, "open": link.open, "taken": link.taken, "version": link.version}
        fresh = {"$setOnInsert": {**fields, "erase_after": erase_after}}
        write = UpdateOne({"_id": link.registration_id}, fresh, upsert=True)
        await (self._add_all(None, [write]) if session is None else self._new.take(session, write))

    async def _add_all(self, session: Session | None, writes: list[UpdateOne]) -> list[None]:
        await self._rows.bulk_write(writes, session=session)
        return [None] * len(writes)

    async def renew(self, registration_id: str, version: int, secret: str) -> bool:
        """Give the link of this `version` another secret, and open it; False when somebody was faster."""
        change = {"$set": {"secret": secret, "open": True}, "$inc": {"version": 1}}
        return bool((await self._rows.update_one({"_id": registration_id, "version": version}, change)).matched_count)

    async def close(self, registration_id: str) -> None:
        """Nobody can ask by this link any more. Safe to repeat."""
        change = {"$set": {"open": False}, "$inc": {"version": 1}}
        await self._rows.update_one({"_id": registration_id, "open": True}, change)

    async def take_place(self, link: ClassLink, most: int, session: Session) -> bool:
        """Take one of `most` places on an open link; False when none is left."""
        free = {"_id": link.registration_id, "secret": link.secret, "open": True, "taken": {"$lt": most}}
        return bool((await self._rows.update_one(free, {"$inc": {"taken": 1}}, session=session)).modified_count)

    async def give_place_back(self, registration_id: str, session: Session) -> None:
        """Somebody left the list."""
        taken = {"_id": registration_id, "taken": {"$gt": 0}}
        await self._rows.update_one(taken, {"$inc": {"taken": -1}}, session=session)

    async def keep_until(self, registration_id: str, erase_after: datetime, session: Session) -> None:
        """The visit has another date."""
        await self._rows.update_one({"_id": registration_id}, {"$set": {"erase_after": erase_after}}, session=session)

    async def erase(self, now: datetime) -> None:
        """Delete the links whose time is over."""
        await self._rows.delete_many({"erase_after": {"$lte": now}})


class Participants:
    """The collections `participants` and `consents`."""

    def __init__(self, db: Database) -> None:
        self._rows = db.participants
        self._consents = db.consents

    async def create_indexes(self) -> None:
        """One entry per registration and address; erasure; the consents of a participant."""
        await self._rows.create_index([("registration_id", 1), ("email_key", 1)], unique=True)
        await self._rows.create_index([("registration_id", 1), *ORDER])
        await self._rows.create_index("gone_at")
        await self._consents.create_index("participant_id", sparse=True)

    async def get(self, id: str, session: Session | None = None) -> Participant | None:
        """The participant, or None."""
        return _participant(await self._rows.find_one({"_id": id}, session=session))

    async def by_email(self, registration_id: str, email: str, session: Session) -> Participant | None:
        """Who asked with this address, or None."""
        key = {"registration_id": registration_id, "email_key": email.casefold()}
        return _participant(await self._rows.find_one(key, session=session))

    async def of_registration(self, registration_id: str, session: Session | None = None) -> list[Participant]:
        """Everybody on the list of a registration, by first name; a class link bounds how many."""
        rows = self._rows.find({"registration_id": registration_id}, session=session).sort(ORDER)
        return [found async for row in rows if (found := _participant(row))]

    async def add(self, participant: Participant, session: Session) -> None:
        """Write a new participant."""
        await self._rows.insert_one(_document(participant), session=session)

    async def replace(self, participant: Participant, session: Session) -> bool:
        """Write the next version; False when somebody was faster."""
        before = {"_id": participant.id, "version": participant.version - 1}
        return bool((await self._rows.replace_one(before, _document(participant), session=session)).matched_count)

    async def keep_until(self, registration_id: str, erase_after: datetime, session: Session) -> None:
        """The visit has another date; what waits for an answer goes no later than its question ends."""
        until_answered = {"$min": ["$question_ends_at", erase_after]}
        gone_at = {"$cond": [{"$eq": ["$state", "confirmed"]}, erase_after, until_answered]}
        change = [{"$set": {"erase_after": erase_after, "gone_at": gone_at}}]
        await self._rows.update_many({"registration_id": registration_id}, change, session=session)

    async def record(self, participant_id: str, consent: Consent, session: Session) -> None:
        """Keep what somebody was shown and answered."""
        row = {"_id": random_id(), "participant_id": participant_id, **asdict(consent)}
        await self._consents.insert_one(row, session=session)

    async def forget(self, ids: Sequence[str], session: Session) -> int:
        """Delete participants; their consents stay, and belong to nobody any more."""
        nobody = {"$unset": {"participant_id": ""}}
        await self._consents.update_many({"participant_id": {"$in": list(ids)}}, nobody, session=session)
        return (await self._rows.delete_many({"_id": {"$in": list(ids)}}, session=session)).deleted_count

    async def due(self, now: datetime, most: int = 200) -> list[Participant]:
        """Some of those whose time is over: the visit is past, or a question was never answered."""
        rows = self._rows.find({"gone_at": {"$lte": now}}).limit(most)
        return [found async for row in rows if (found := _participant(row))]


def _link(row: Document | None) -> ClassLink | None:
    if row is None:
        return None
    return ClassLink(row["_id"], row["secret"], row["open"], row["taken"], row["version"])


def _document(participant: Participant) -> Document:
    fields = asdict(participant)
    gone_at = participant.erase_after
    if participant.state != "confirmed":
        gone_at = min(gone_at, participant.question_ends_at)
    return {"_id": fields.pop("id"), **fields, "email_key": participant.email.casefold(), "gone_at": gone_at}


def _participant(row: Document | None) -> Participant | None:
    if row is None:
        return None
    fields = {name: value for name, value in row.items() if name not in ("_id", "email_key", "gone_at")}
    return Participant(id=row["_id"], **fields)
