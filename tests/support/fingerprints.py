"""What a database holds, as digests: equal before and after means that nothing has changed."""

import hashlib

from bson import json_util

from services.events.store.need import COLLECTIONS as NEED
from services.outreach.store.figures import COLLECTIONS as FIGURES
from shared.mongo import Database
from shared.tally import COLLECTIONS as TALLIED

KEPT_BY_WORKERS = {"leases", "relay_state", "outbox", "inbox", *TALLIED, *NEED, *FIGURES}


async def fingerprint(db: Database) -> dict[str, str]:
    """A digest of each collection's rows, without a row's notes for workers: a slot's last decision, and whether
    the row was counted into the sums that are kept."""
    found: dict[str, str] = {}
    for name in sorted(set(await db.list_collection_names()) - KEPT_BY_WORKERS):
        rows = await db[name].find({}, {"pending": 0, "counted": 0}).sort("_id", 1).to_list(None)
        found[name] = hashlib.sha256(json_util.dumps(rows).encode()).hexdigest()
    return found
