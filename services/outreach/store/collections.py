"""The collections of this service and their indexes."""

from datetime import UTC, datetime, timedelta

from services.outreach.store import figures, visits, words
from services.outreach.store.core import GERMAN, Store
from services.outreach.store.reports import COPIES
from shared import outbox
from shared.mongo import create_collections
from shared.service import COLLECTIONS as COMMON
from shared.tables import importing
from shared.tally import COLLECTIONS as TALLIED

COLLECTIONS = [
    "schools", "companies", "campaigns", "sign_ins", "counters", "uploads", "invitations", "feedback",
    "erasure_receipts", *visits.COLLECTIONS, *COPIES, *figures.COLLECTIONS, *TALLIED,
    *importing.COLLECTIONS,
]  # fmt: skip


async def create_indexes(store: Store) -> None:
    """What the service's own queries need."""
    db = store.db
    await db.schools.create_index([("short_name", 1), ("_id", 1)], collation=GERMAN, name="by_name")
    await db.companies.create_index([("name", 1), ("_id", 1)], collation=GERMAN, name="by_name")
    await db.people.create_index([("name", 1), ("_id", 1)], collation=GERMAN, name="by_name")
    await db.people.create_index("email_key", unique=True, sparse=True)
    await db.people.create_index("erase_after", sparse=True)
    await db.people.create_index("roles.organisation_id")
    await db.sign_ins.create_index("token_hash", unique=True)
    await db.sign_ins.create_index("erase_after")
    await db.invitations.create_index("token_hash", unique=True)
    await db.invitations.create_index([("organisation_id", 1), ("state", 1)])
    await db.invitations.create_index("email_key")
    await db.invitations.create_index("erase_after")
    await db.counters.create_index("gone_at", expireAfterSeconds=0)
    await db.uploads.create_index("gone_at", expireAfterSeconds=0)
    await db.feedback.create_index([("done", 1), ("created_at", 1), ("_id", 1)])
    await db.feedback.create_index("erase_after")
    of_campaign = [("campaign_id", 1), ("state", 1), ("school_id", 1)]
    await db.report_registrations.create_index(of_campaign, name="schools_of")
    await db.visits.create_index(of_campaign, name="schools_of")
    await db.report_slots.create_index(
        [("campaign_id", 1), ("state", 1), ("district", 1), ("field", 1), ("places", 1)], name="places_of"
    )
    for copies in COPIES:
        await db[copies].create_index("campaign_id")
    await visits.create_indexes(store)
    await db.visits.create_index("school_id")
    await store.tally.prepare()
    await store.register.begin()
    await importing.create_indexes(db)
    await words.create_indexes(store)


async def prepare(store: Store) -> None:
    """Everything the service's lifespan would make: for a set-up that runs without it."""
    await create_collections(store.db, [*COMMON, *COLLECTIONS])
    await outbox.create_indexes(store.db)
    await create_indexes(store)


def gone_at(after: timedelta) -> datetime:
    """When MongoDB itself deletes a row: by the machine's time, for a moved clock must not take it away early."""
    return datetime.now(UTC) + after
