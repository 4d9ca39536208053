"""What a database holds, as digests: equal before and after means that nothing has changed."""

import hashlib

from bson import json_util

from shared.mongo import Database

KEPT_BY_WORKERS = {"leases", "relay_state", "outbox", "inbox"}


async def fingerprint(db: Database) -> dict[str, str]:
    """A digest of each collection's rows, without a slot's note of its last decision: workers clear it away."""
    found: dict[str, str] = {}
    for name in sorted(set(await db.list_collection_names()) - KEPT_BY_WORKERS):
        rows = await db[name].find({}, {"pending": 0}).sort("_id", 1).to_list(None)
        found[name] = hashlib.sha256(json_util.dumps(rows).encode()).hexdigest()
    return found
