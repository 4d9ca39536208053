"""Messages set aside: contacts do not stay in them for ever."""

from datetime import datetime, timedelta
from typing import Any

from services.outreach.store.core import Store

CONTACTS_KEPT = timedelta(days=90)
_BLANK = {"name": "", "email": "", "phone": ""}


async def erase_contacts(store: Store, now: datetime) -> int:
    """Blank every contact in messages that have been set aside for 90 days; returns in how many."""
    due = {"set_aside_at": {"$lte": now - CONTACTS_KEPT}, "contacts_erased": {"$ne": True}}
    count = 0
    async for row in store.db.set_aside.find(due):
        facts = {"wire": _without_contacts(row["wire"]), "contacts_erased": True}
        count += (await store.db.set_aside.update_one({"_id": row["_id"]}, {"$set": facts})).modified_count
    return count


def _without_contacts(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_contacts(each) for each in part]
    if not isinstance(part, dict):
        return part
    blank = {name: {**value, **_BLANK} for name, value in part.items() if name == "contact" and isinstance(value, dict)}
    return {name: _without_contacts(value) for name, value in part.items()} | blank
