"""Personal data goes by itself: out of deliveries, own copies and what is kept of addresses."""

from datetime import datetime
from functools import partial

from services.notify.usecases.context import Context
from services.notify.usecases.participants import forget
from shared import mongo
from shared.auth import email_key
from shared.schemas.outreach import PersonChanged


async def erase_due(context: Context, *, now: datetime) -> dict[str, int]:
    """Erase whatever has reached its date; returns counts by what it was, and leaves them as receipts."""
    store = context.store
    counts = {"deliveries": await store.deliveries.erase({"erase_after": {"$lte": now}})}
    for collection in ("registrations", "visits", "slots", "offers"):
        counts[collection] = await store.erase_copies(collection, now)
    counts["suppressions"] = await store.suppressions.erase({"erase_after": {"$lte": now}})
    counts["former_addresses"] = await store.former_addresses.erase_due(now)
    counts["reminder_stops"] = await store.reminder_stops.erase_due(now)
    counts["participants"] = await _erase_participants(context, now)
    counts["webhook_calls"] = await store.webhooks.erase_due(now)
    await store.class_links.erase(now)
    await store.write_receipt(counts, now)
    return counts


async def _erase_participants(context: Context, now: datetime) -> int:
    """Forget those whose visit is past, and those whose question nobody answered; each with all their mails."""
    count = 0
    while due := await context.store.participants.due(now):
        for participant in due:
            await mongo.transaction(context.store.db, partial(forget, context, participant))
        count += len(due)
    return count


async def forget_person_who_left(context: Context, person_id: str, *, now: datetime) -> None:
    """Erase the mails to and about a person whom outreach has erased or closed, and take them out of the own copies;
    nothing is sent to them because of what others still name. Safe to repeat."""
    store = context.store
    count = await store.deliveries.erase({"about": f"person:{person_id}", "erase_after": {"$exists": True}})
    count += await store.deliveries.erase({"person_id": person_id, "erase_after": {"$exists": True}})
    await store.feeds.delete(person_id)
    await store.wordings.forget_person(person_id)
    email = await store.email_of(person_id)
    if email:
        count += await store.deliveries.erase({"recipient_key": email.lower(), "erase_after": {"$exists": True}})
        await store.suppressions.erase({"_id": store.hash_of(email)})
        await store.reminder_stops.remove(email)
        await store.former_addresses.put(email, person_id, now)
        await store.former_addresses.blank(email)
    await store.write_receipt({"deliveries": count}, now)


async def follow_person(context: Context, message: PersonChanged, *, now: datetime) -> None:
    """What waits for a person's former address, and the own copies, get the new one. Older news changes nothing; safe
    to repeat."""
    store, before = context.store, await context.store.db.people.find_one({"_id": message.person_id})
    if before and before["version"] >= message.aggregate_version:
        return
    await store.former_addresses.remove(message.email)
    if before and before["email"] and email_key(before["email"]) != email_key(message.email):
        await store.former_addresses.put(before["email"], message.person_id, now)
        await store.former_addresses.follow(message.person_id, before["email"], message.email)
