"""The collection `feeds`: one row per person and scope, without a name or address; and what stands in a feed."""

from dataclasses import asdict

from services.notify.domain import CalendarEntry
from services.notify.feeds import Feed, feed_id
from services.notify.store.copies import RegistrationCopy
from shared.mongo import AlreadyThere, Database, Document
from shared.schemas.events import RegistrationFacts, SlotFacts
from shared.schemas.outreach import VisitFacts

MOST = 1000  # what is still to come first, then the newest
ANY_CASE = {"locale": "en", "strength": 2}


class Feeds:
    """Addresses of feeds, and the own copies by whom they concern. Erased copies and those without an entry are not
    found."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows = db.feeds

    async def create_indexes(self) -> None:
        """For the address, and for finding copies by person and organisation."""
        await self._rows.create_index("secret", unique=True)
        await self._rows.create_index("person_id")
        for collection, names in (
            ("registrations", ("facts.contact.email", "facts.slot.offer.contact.email")),
            ("visits", ("facts.contact.email",)),
        ):
            for name in names:
                await self._db[collection].create_index(name, collation=ANY_CASE, sparse=True)
        for collection, name in (
            ("registrations", "facts.school_id"), ("registrations", "facts.slot.offer.company_id"),
            ("visits", "facts.school_id"), ("visits", "facts.team.person_id"),
        ):  # fmt: skip
            await self._db[collection].create_index(name, sparse=True)

    async def of_person(self, person_id: str) -> dict[str, Feed]:
        """A person's feeds by their scope."""
        return {row["scope"]: _feed(row) async for row in self._rows.find({"person_id": person_id})}

    async def with_secret(self, secret: str) -> Feed | None:
        """The feed at this address, or None."""
        row = await self._rows.find_one({"secret": secret})
        return _feed(row) if row else None

    async def put(self, feed: Feed) -> bool:
        """Write the first or the next version; False when another one was written meanwhile."""
        row = {"_id": feed.id, **asdict(feed)}
        if feed.version > 1:
            before = {"_id": feed.id, "version": feed.version - 1}
            return bool((await self._rows.replace_one(before, row)).matched_count)
        try:
            await self._rows.insert_one(row)
        except AlreadyThere:
            return False
        return True

    async def delete(self, person_id: str, scope: str | None = None) -> None:
        """Make the address lead nowhere; without a scope all addresses of a person."""
        where = {"person_id": person_id} if scope is None else {"_id": feed_id(person_id, scope)}
        await self._rows.delete_many(where)

    async def registrations_by_email(self, side: str, email: str) -> list[RegistrationCopy]:
        """Those whose contact of the school (`contact`) or company (`slot.offer.contact`) has this address."""
        return await self._registrations({f"facts.{side}.email": email}, ANY_CASE)

    async def registrations_by_id(self, name: str, id: str) -> list[RegistrationCopy]:
        """Those of a school (`school_id`) or company (`slot.offer.company_id`)."""
        return await self._registrations({f"facts.{name}": id})

    async def visits_by_email(self, email: str) -> list[tuple[VisitFacts, dict[str, CalendarEntry]]]:
        """Visits whose contact of the school has this address."""
        return await self._visits({"facts.contact.email": email}, ANY_CASE)

    async def visits_by_id(self, name: str, id: str) -> list[tuple[VisitFacts, dict[str, CalendarEntry]]]:
        """Visits at a school (`school_id`), or of an ambassador (`team.person_id`)."""
        return await self._visits({f"facts.{name}": id})

    async def _registrations(self, where: Document, collation: Document | None = None) -> list[RegistrationCopy]:
        rows = await self._db.registrations.find(
            {**where, "calendar": {"$ne": {}}}, sort=[("facts.slot.starts_local", -1), ("_id", 1)], limit=MOST,
            collation=collation,
        ).to_list(MOST)  # fmt: skip
        slots = self._db.slots.find({"_id": {"$in": [row["slot_id"] for row in rows]}, "slot": {"$ne": None}})
        newest = {row["_id"]: SlotFacts.model_validate(row["slot"]) async for row in slots}
        return [_registration(row, newest) for row in rows]

    async def _visits(
        self, where: Document, collation: Document | None = None
    ) -> list[tuple[VisitFacts, dict[str, CalendarEntry]]]:
        rows = self._db.visits.find(
            {**where, "calendar": {"$ne": {}}}, sort=[("facts.chosen.starts_local", -1), ("_id", 1)], limit=MOST,
            collation=collation,
        )  # fmt: skip
        return [(VisitFacts.model_validate(row["facts"]), _entries(row)) async for row in rows]


def _feed(row: Document) -> Feed:
    return Feed(**{name: row[name] for name in ("person_id", "scope", "secret", "version", "since")})


def _entries(row: Document) -> dict[str, CalendarEntry]:
    return {tag: CalendarEntry(**entry) for tag, entry in row["calendar"].items()}


def _registration(row: Document, newest: dict[str, SlotFacts]) -> RegistrationCopy:
    facts = RegistrationFacts.model_validate(row["facts"])
    facts = facts.model_copy(update={"slot": newest.get(row["slot_id"], facts.slot)})
    return RegistrationCopy(facts, row["told"], calendar=_entries(row))
