"""Plain SHA-256 hashes of addresses, as earlier versions kept them, become hashes that need the secret key."""

from services.notify.domain import FOR_PUPILS
from services.notify.suppression import keyed_hash
from shared.mongo import Database, Document

PLAIN: Document = {"$gt": "", "$regex": "^[0-9a-f]{64}$"}


async def key_plain_hashes(db: Database, secret_key: str) -> None:
    """Write what is kept by a plain hash anew, and take the hash out of mails where nothing needs it. Safe to repeat,
    also by several processes at once."""
    for name in ("suppressions", "reminder_stops"):
        for row in await db[name].find({"_id": PLAIN}).to_list(None):
            plain = row.pop("_id")
            await db[name].update_one({"_id": keyed_hash(plain, secret_key)}, {"$setOnInsert": row}, upsert=True)
            await _follow(db, plain, keyed_hash(plain, secret_key))
            await db[name].delete_one({"_id": plain})
    nobody_asks: list[Document] = [{"kind": {"$in": list(FOR_PUPILS)}}, {"erased": True}, {"suppression": PLAIN}]
    where = {"suppression": {"$gt": ""}, "$or": nobody_asks}
    await db.deliveries.update_many(where, {"$set": {"suppression": ""}})


async def _follow(db: Database, plain: str, keyed: str) -> None:
    await db.deliveries.update_many({"suppression": plain}, {"$set": {"suppression": keyed}})
    told = {"kind": "address_suppressed", "facts.suppression.id": plain}
    await db.deliveries.update_many(told, {"$set": {"facts.suppression.id": keyed}})
