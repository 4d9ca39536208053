"""Visits and bookings: the ambassador's document is where two bookings at once meet, and one of them waits."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING

from services.outreach.domain.ambassadors import Ambassador, Booking
from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.common import ChangedMeanwhile
from services.outreach.domain.people import Person
from services.outreach.domain.schools import School
from services.outreach.domain.visit_dates import PlannedDate, week_of
from services.outreach.domain.visits import Visit, aggregate
from services.outreach.store.core import GERMAN, Store, from_document, to_document, with_words
from shared.mongo import Document, Session
from shared.schemas.base import Message
from shared.tally import changed_again

COLLECTIONS = ["visits", "ambassadors", "bookings"]


@dataclass(frozen=True)
class MailTrouble:
    """The last mail about a visit that did not arrive: to whom, and what the mail server said."""

    recipient_role: str
    answer: str
    failed_at: datetime


@dataclass(frozen=True)
class Around:
    """What visits refer to, by id: schools, people, the names of companies and campaigns; and mails that failed."""

    schools: dict[str, School]
    people: dict[str, Person]
    companies: dict[str, str]
    campaigns: dict[str, str]
    mail_troubles: dict[str, MailTrouble] = field(default_factory=dict)


async def create_indexes(store: Store) -> None:
    """For the lists, and for what else an ambassador is booked for."""
    db = store.db
    listed = [("rank", ASCENDING), ("_id", ASCENDING)]
    await db.visits.create_index(listed, collation=GERMAN, name="by_rank")
    await db.visits.create_index([("school_id", ASCENDING), *listed], collation=GERMAN, name="by_school")
    await db.visits.create_index("answer_by", partialFilterExpression={"answer_by": {"$type": "date"}})
    await db.visits.create_index("campaign_id")
    await db.visits.create_index("team.person_id")
    await db.visits.create_index("team.ambassador_id")
    await db.visits.create_index("team.company_id")
    await db.visits.create_index("erase_after", sparse=True)
    await db.bookings.create_index("visit_id")
    await db.bookings.create_index([("ambassador_id", ASCENDING), ("starts_utc", DESCENDING)])
    await db.ambassadors.create_index("person_id", unique=True)
    await db.ambassadors.create_index("company_id")
    await db.ambassadors.create_index("also_for")


async def save(store: Store, visit: Visit, messages: Sequence[Message], session: Session) -> None:
    """Write the visit's next version, the bookings that follow from it, and its messages. ChangedMeanwhile."""
    await store.save("visits", visit, messages, session, rank=rank(visit), **changed_again())
    await store.db.bookings.delete_many({"visit_id": visit.id}, session=session)
    rows = [_booking_document(booking) for booking in visit.bookings()]
    if rows:
        await store.db.bookings.insert_many(rows, session=session)


def rank(visit: Visit) -> str:
    """What lists are ordered by: what needs doing first, then by date."""
    order = ("requested", "proposed", "confirmed", "done", "cancelled").index(visit.state)
    first = visit.chosen or min(visit.alternatives, key=lambda date: date.starts_utc)
    return f"{order} {first.starts_utc.isoformat()}"


async def count_requested(store: Store) -> int:
    """How many visits nobody has been asked for yet; by the index of the lists."""
    where = {"rank": {"$gte": "0", "$lt": "1"}}
    return await store.db.visits.count_documents(where, collation=GERMAN)


async def claim(store: Store, ambassador: Ambassador, session: Session) -> None:
    """Take the ambassador for this transaction: another one that claims the same waits, and then sees our bookings.

    ChangedMeanwhile when the ambassador is no longer as it was read.
    """
    as_read = {"_id": ambassador.id, "version": ambassador.version}
    result = await store.db.ambassadors.update_one(as_read, {"$inc": {"version": 1}}, session=session)
    if not result.matched_count:
        raise ChangedMeanwhile


async def ambassadors(store: Store, ids: Iterable[str], session: Session | None = None) -> dict[str, Ambassador]:
    """The ambassadors that exist, by id."""
    found = store.db.ambassadors.find({"_id": {"$in": list(ids)}}, session=session)
    return {row["_id"]: from_document(Ambassador, row) async for row in found}


async def ambassador_of(store: Store, person_id: str, session: Session | None = None) -> Ambassador | None:
    """The ambassador who is this person, or None."""
    row = await store.db.ambassadors.find_one({"person_id": person_id}, session=session)
    return from_document(Ambassador, row) if row else None


async def find_ambassadors(store: Store, where: Document) -> list[Ambassador]:
    """All ambassadors that `where` finds."""
    return [from_document(Ambassador, row) async for row in store.db.ambassadors.find(where)]


async def bookings_near(
    store: Store,
    ambassador_ids: Iterable[str],
    when: PlannedDate,
    campaign_id: str | None,
    *,
    without_visit: str | None,
    session: Session | None = None,
) -> dict[str, list[Booking]]:
    """What counts against a visit at `when`, by ambassador: bookings at that time, in that week or in the campaign."""
    near: list[Document] = [
        {"starts_utc": {"$lt": when.ends_utc}, "ends_utc": {"$gt": when.starts_utc}},
        {"week": week_of(when.day)},
    ]
    if campaign_id:
        near.append({"campaign_id": campaign_id})
    ids = list(ambassador_ids)
    where = {"ambassador_id": {"$in": ids}, "visit_id": {"$ne": without_visit}, "$or": near}
    found: dict[str, list[Booking]] = {id: [] for id in ids}
    async for row in store.db.bookings.find(where, session=session):
        found[row["ambassador_id"]].append(_booking(row))
    return found


async def bookings_of(store: Store, ambassador_id: str, session: Session | None = None) -> list[Booking]:
    """All bookings of an ambassador, past ones too."""
    return [_booking(row) async for row in store.db.bookings.find({"ambassador_id": ambassador_id}, session=session)]


async def around(store: Store, visits: Sequence[Visit], session: Session | None = None) -> Around:
    """What these visits refer to."""
    members = [member for visit in visits for member in visit.team]
    schools = await _by_id(store, "schools", {visit.school_id for visit in visits}, session)
    people = await _by_id(store, "people", {member.person_id for member in members}, session)
    companies = await _by_id(store, "companies", {member.company_id for member in members}, session)
    campaigns = await _by_id(store, "campaigns", {visit.campaign_id for visit in visits}, session)
    return Around(
        {id: from_document(School, row) for id, row in schools.items()},
        {id: from_document(Person, row) for id, row in people.items()},
        {id: row["name"] for id, row in companies.items()},
        {id: row["name"] for id, row in campaigns.items()},
        await _mail_troubles(store, [visit.id for visit in visits], session),
    )


async def _mail_troubles(store: Store, ids: Sequence[str], session: Session | None) -> dict[str, MailTrouble]:
    where = {"_id": {"$in": list(ids)}, "mail_trouble": {"$exists": True}}
    rows = store.db.visits.find(where, {"mail_trouble": 1}, session=session)
    return {row["_id"]: MailTrouble(**row["mail_trouble"]) async for row in rows}


async def note_mail_trouble(store: Store, visit_id: str, trouble: MailTrouble, session: Session) -> None:
    """Keep it at the visit until its contact is erased; nothing when there is no such visit."""
    change = {"$set": {"mail_trouble": asdict(trouble)}}
    await store.db.visits.update_one({"_id": visit_id, "erase_after": {"$ne": None}}, change, session=session)


async def open_schools(store: Store, ids: Sequence[str] | None) -> list[tuple[str, str]]:
    """(id, name) of the open schools among `ids` (of all, when that is None), by name."""
    where: Document = {"open": True} if ids is None else {"open": True, "_id": {"$in": list(ids)}}
    found = store.db.schools.find(where, {"short_name": 1, "name": 1}).collation(GERMAN).sort("short_name", 1)
    return [(row["_id"], row["short_name"] or row["name"]) async for row in found]


async def active_companies(store: Store, ids: Sequence[str] | None) -> list[tuple[str, str]]:
    """(id, name) of the active companies among `ids` (of all, when that is None), by name."""
    where: Document = {"active": True} if ids is None else {"active": True, "_id": {"$in": list(ids)}}
    found = store.db.companies.find(where, {"name": 1}).collation(GERMAN).sort("name", 1)
    return [(row["_id"], row["name"]) async for row in found]


def for_companies(company_ids: Sequence[str]) -> Document:
    """The query for the ambassadors who visit schools for one of these companies."""
    return {"$or": [{"company_id": {"$in": company_ids}}, {"also_for": {"$in": company_ids}}]}


async def people_and_companies(
    store: Store, found: Iterable[Ambassador], session: Session | None = None
) -> tuple[dict[str, Person], dict[str, str]]:
    """The people who are these ambassadors, and the names of their companies, by id."""
    listed = list(found)
    people = await _by_id(store, "people", {each.person_id for each in listed}, session)
    companies = await _by_id(store, "companies", {id for each in listed for id in each.companies}, session)
    return {id: from_document(Person, row) for id, row in people.items()}, {
        id: row["name"] for id, row in companies.items()
    }


async def of_ambassador(store: Store, ambassador_id: str) -> list[Visit]:
    """All visits in whose team this ambassador is, what needs an answer first."""
    found = store.db.visits.find({"team.ambassador_id": ambassador_id}).sort("rank", 1)
    return [from_document(Visit, row) async for row in found]


def erase_after(campaign: Campaign, keep: timedelta) -> datetime:
    """When the contacts of a campaign's visits go: `keep` after its last day."""
    return datetime.combine(campaign.ends_on + timedelta(days=1), time(), UTC) + keep


async def refresh_erasure(store: Store) -> None:
    """Campaigns may end earlier or later than when a visit was asked for: its date of erasure follows."""
    async for row in store.db.campaigns.find():
        campaign = from_document(Campaign, row)
        due = erase_after(campaign, store.keep_visits)
        stale = {"campaign_id": campaign.id, "erase_after": {"$nin": [None, due]}}
        await store.db.visits.update_many(stale, {"$set": {"erase_after": due}})


async def erase_contact(store: Store, visit: Visit, session: Session) -> None:
    """Blank what is personal in a visit and in all that was said of it."""
    before = {"_id": visit.id, "version": visit.version}
    blank = {"$set": with_words("visits", to_document(visit.erased())), "$unset": {"mail_trouble": ""}}
    if not (await store.db.visits.update_one(before, blank, session=session)).matched_count:
        raise ChangedMeanwhile
    parts = [f"contact.{name}" for name in ("name", "email", "phone")]
    parts += ["reason", "room", "material", "preparation"]
    said = {"$set": {f"wire.data.visit.{part}": "" for part in parts}}
    await store.db.outbox.update_many({"aggregate": aggregate(visit.id)}, said, session=session)


async def erase_member(store: Store, ambassador: Ambassador, session: Session) -> None:
    """Blank an ambassador's name and address in all that was said of visits, and the reasons given for declining."""
    said = {"wire.data.visit.team.ambassador_id": ambassador.id}
    blank = {f"wire.data.visit.team.$[own].{name}": "" for name in ("name", "email")}
    own = [{"own.ambassador_id": ambassador.id}]
    await store.db.outbox.update_many(said, {"$set": blank}, array_filters=own, session=session)
    declined = {"declines.ambassador_id": ambassador.id}
    blank = {"declines.$[own].reason": ""}
    await store.db.visits.update_many(declined, {"$set": blank}, array_filters=own, session=session)


async def due_for_erasure(store: Store, now: datetime, most: int) -> list[Visit]:
    """Up to `most` visits whose contact's day of erasure has come."""
    rows = await store.db.visits.find({"erase_after": {"$lte": now}}).limit(most).to_list(most)
    return [from_document(Visit, row) for row in rows]


async def visit_counts(
    store: Store, ambassador_ids: Sequence[str], company_ids: Sequence[str] | None = None
) -> dict[str, Counter[str]]:
    """How many visits of each state, by ambassador; for these companies (None: for any)."""
    where: Document = {"team.ambassador_id": {"$in": list(ambassador_ids)}}
    if company_ids is not None:
        where["team.company_id"] = {"$in": list(company_ids)}
    wanted = {"$match": where}
    pair = {"ambassador": "$team.ambassador_id", "state": "$state"}
    counted = [wanted, {"$unwind": "$team"}, wanted, {"$group": {"_id": pair, "count": {"$sum": 1}}}]
    found: dict[str, Counter[str]] = {id: Counter() for id in ambassador_ids}
    async for row in store.db.visits.aggregate(counted):
        found[row["_id"]["ambassador"]][row["_id"]["state"]] = row["count"]
    return found


async def last_texts(store: Store, campaign_id: str, field: str, company_ids: Sequence[str] | None) -> tuple[str, str]:
    """(material, preparation) of the newest visit of this field in the campaign that has some, and a team of one of
    these companies (None: of any)."""
    where: Document = {"campaign_id": campaign_id, "field": field, "material": {"$gt": ""}}
    if company_ids is not None:
        where["team.company_id"] = {"$in": list(company_ids)}
    row = await store.db.visits.find_one(where, sort=[("requested_at", DESCENDING)])
    return (row["material"], row["preparation"]) if row else ("", "")


async def overdue_proposals(store: Store, now: datetime, most: int) -> list[Visit]:
    """Up to `most` proposals whose answers should be complete by now."""
    rows = await store.db.visits.find({"state": "proposed", "answer_by": {"$lte": now}}).limit(most).to_list(most)
    return [from_document(Visit, row) for row in rows]


async def without_person(store: Store, most: int) -> list[Ambassador]:
    """Up to `most` ambassadors who are to be forgotten: the person has been erased, or has lost the role, for all of
    the companies or for one."""
    roles = {"$ifNull": [{"$first": "$person.roles"}, []]}
    kept = {"$filter": {"input": roles, "as": "role", "cond": {"$eq": ["$$role.kind", "ambassador"]}}}
    held = {"$map": {"input": kept, "as": "role", "in": "$$role.organisation_id"}}
    companies = {"$concatArrays": [["$company_id"], {"$ifNull": ["$also_for", []]}]}
    left = {"$not": [{"$setIsSubset": [companies, held]}]}
    erased = {"$ne": [{"$first": "$person.active"}, True]}
    gone = [
        {"$match": {"$or": [{"active": True}, {"named_still": True}]}},
        {"$lookup": {"from": "people", "localField": "person_id", "foreignField": "_id", "as": "person"}},
        {"$match": {"$expr": {"$or": [erased, {"$and": ["$active", left]}]}}},
        {"$limit": most},
    ]
    return [from_document(Ambassador, row) async for row in store.db.ambassadors.aggregate(gone)]


async def _by_id(store: Store, collection: str, ids: set[str], session: Session | None) -> dict[str, Any]:
    if not ids:
        return {}
    return {row["_id"]: row async for row in store.db[collection].find({"_id": {"$in": list(ids)}}, session=session)}


def _booking_document(booking: Booking) -> Document:
    fields = booking.model_dump()
    return {"_id": f"{booking.visit_id}:{booking.ambassador_id}", **fields, "day": booking.day.isoformat()}


def _booking(row: Document) -> Booking:
    return Booking.model_validate(row)
