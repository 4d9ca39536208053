"""Personal data goes by itself: out of deliveries, own copies and messages that were set aside."""

from datetime import datetime

from services.notify.store.core import Store
from services.notify.suppression import address_hash
from services.notify.usecases.context import Context


async def erase_due(store: Store, *, now: datetime) -> dict[str, int]:
    """Erase whatever has reached its date; returns counts by what it was, and leaves them as receipts."""
    counts = {"deliveries": await store.deliveries.erase({"erase_after": {"$lte": now}})}
    for collection in ("registrations", "visits", "slots"):
        counts[collection] = await store.erase_copies(collection, now)
    counts["suppressions"] = await store.suppressions.erase({"erase_after": {"$lte": now}})
    counts["set_aside"] = await store.forget_set_aside(now - store.retention)
    await store.write_receipt(counts, now)
    return counts


async def forget_person_who_left(context: Context, person_id: str, *, now: datetime) -> None:
    """Erase the mails to and about a person whom outreach has erased or closed. Safe to repeat."""
    store = context.store
    count = await store.deliveries.erase({"about": f"person:{person_id}", "erase_after": {"$exists": True}})
    email = await store.email_of(person_id)
    if email:
        count += await store.deliveries.erase({"recipient_key": email.lower(), "erase_after": {"$exists": True}})
        await store.suppressions.erase({"_id": address_hash(email)})
    await store.write_receipt({"deliveries": count}, now)
