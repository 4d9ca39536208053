"""Documents ↔ aggregates, and the writes that every aggregate needs: state and messages in one transaction."""

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

import bson
from pymongo.collation import Collation

from services.outreach.domain.common import Aggregate, ChangedMeanwhile
from services.outreach.store import figures
from services.outreach.store.remembered import RememberedSchools
from shared import mongo, outbox
from shared.errors import Invalid
from shared.mongo import AlreadyThere, Database, Document, Session
from shared.schemas.base import Message
from shared.words import search_words

Model = TypeVar("Model", bound=Aggregate)
Result = TypeVar("Result")
SEARCHED_BY = {
    "schools": ("_id", "name", "short_name", "town"),
    "companies": ("name", "town"),
    "people": ("name", "email"),
    "campaigns": ("name",),
    "visits": ("group_name", "contact.name", "contact.email"),
}
GERMAN = Collation("de", strength=2)


class CursorUnknown(Invalid):
    """This `after` does not come from a list that was answered here."""

    field = "after"


class Store:
    """The service's database. `written` is called after each commit that may have written messages. People are kept
    for `keep_people` after their last sign-in, contacts of visits for `keep_visits` after the campaign's end. A team
    has `answer_school_days` to answer a proposal."""

    def __init__(
        self,
        db: Database,
        written: Callable[[], None] = lambda: None,
        keep_people: timedelta = timedelta(days=730),
        keep_visits: timedelta = timedelta(days=90),
        answer_school_days: int = 3,
    ) -> None:
        self.db = db
        self.written = written
        self.keep_people = keep_people
        self.keep_visits = keep_visits
        self.answer_school_days = answer_school_days
        self.tally = figures.tally(db)
        self.register = RememberedSchools(db)

    async def transaction(self, work: Callable[[Session], Awaitable[Result]]) -> Result:
        """Run `work` in one transaction (again from the start on a write conflict), then wake the relay."""
        result = await mongo.transaction(self.db, work)
        self.written()
        return result

    async def get(self, collection: str, model: type[Model], id: str, session: Session | None = None) -> Model | None:
        """The aggregate `id`, or None."""
        found = await self.db[collection].find_one({"_id": id}, session=session)
        return from_document(model, found) if found else None

    async def insert(
        self,
        collection: str,
        aggregate: Aggregate,
        messages: Sequence[Message] = (),
        session: Session | None = None,
        **extra: Any,
    ) -> None:
        """Write a new aggregate, its store-only fields `extra` and its messages; AlreadyThere when its id is taken."""
        if session is None:
            await self.transaction(lambda own: self.insert(collection, aggregate, messages, own, **extra))
            return
        document = with_words(collection, to_document(aggregate))
        await self.db[collection].insert_one({**document, **extra}, session=session)
        await outbox.add(self.db, messages, session)

    async def insert_once(
        self, collection: str, aggregate: Model, messages: Sequence[Message] = (), **extra: Any
    ) -> Model:
        """Like `insert`; when a retry finds its id taken, the aggregate that is there is the answer."""
        try:
            await self.insert(collection, aggregate, messages, **extra)
        except AlreadyThere:
            there = await self.get(collection, type(aggregate), aggregate.id)
            if there is None:
                raise
            return there
        return aggregate

    async def save(
        self,
        collection: str,
        aggregate: Aggregate,
        messages: Sequence[Message] = (),
        session: Session | None = None,
        **extra: Any,
    ) -> None:
        """Write the next version of an aggregate with its messages; ChangedMeanwhile when somebody was faster."""
        if session is None:
            await self.transaction(lambda own: self.save(collection, aggregate, messages, own, **extra))
            return
        before = {"_id": aggregate.id, "version": aggregate.version - 1}
        after = {"$set": {**with_words(collection, to_document(aggregate)), **extra}}
        if not (await self.db[collection].update_one(before, after, session=session)).matched_count:
            raise ChangedMeanwhile
        await outbox.add(self.db, messages, session)

    async def page(
        self, collection: str, model: type[Model], where: Document, order: str, limit: int, after: str | None = None
    ) -> tuple[list[Model], str | None]:
        """Up to `limit` aggregates in the order of the field `order`, and the cursor of the rest (None at the end)."""
        conditions = [where, _beyond(order, after)] if after else [where]
        found = self.db[collection].find({"$and": conditions}).collation(GERMAN).sort([(order, 1), ("_id", 1)])
        rows = await found.limit(limit + 1).to_list(limit + 1)
        cursor = _cursor(rows[limit - 1], order) if len(rows) > limit else None
        return [from_document(model, row) for row in rows[:limit]], cursor


def with_words(collection: str, document: Document) -> Document:
    """The document with the words by which it is found."""
    return {**document, "words": words_of(collection, document)} if collection in SEARCHED_BY else document


def words_of(collection: str, document: Document) -> list[str]:
    """What a document can be found by; see SEARCHED_BY."""
    return search_words(*(str(_at(document, path) or "") for path in SEARCHED_BY[collection]))


def _at(document: Document, path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = (value or {}).get(name)
    return value


def to_document(aggregate: Aggregate) -> Document:
    """The document that holds `aggregate`; wall dates are texts like 2026-12-01."""
    fields = {name: _plain(value) for name, value in aggregate.model_dump().items()}
    return {"_id": fields.pop("id"), **fields}


def from_document(model: type[Model], document: Document) -> Model:
    """The aggregate in `document`; store-only fields are passed over."""
    return model.model_validate({**document, "id": document["_id"]})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(part) for part in value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _cursor(row: Document, order: str) -> str:
    value = row[order]
    place = [value.isoformat() if isinstance(value, datetime) else value, row["_id"], isinstance(value, datetime)]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _beyond(order: str, after: str) -> Document:
    try:
        padded = after + "=" * (-len(after) % 4)
        value, last_id, is_instant = json.loads(base64.urlsafe_b64decode(padded.encode()))
        value = datetime.fromisoformat(value).astimezone(UTC) if is_instant else value
        if not isinstance(last_id, str) or not isinstance(value, str | int | datetime):
            raise ValueError(after)
        bson.encode({"value": value, "id": last_id})
    except (ValueError, TypeError, OverflowError) as error:
        raise CursorUnknown from error
    return {"$or": [{order: {"$gt": value}}, {order: value, "_id": {"$gt": last_id}}]}
