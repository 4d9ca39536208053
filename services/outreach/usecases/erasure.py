"""Erasure that runs by itself: what is due goes, and a receipt without the data stays."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from services.outreach.store import invitations, people, sign_ins
from services.outreach.store.core import Store
from services.outreach.usecases.feedback import erase_feedback
from services.outreach.usecases.people import erase_known
from services.outreach.usecases.visit_erasure import erase_visit_contacts, forget_erased_ambassadors
from shared.errors import RuleBroken
from shared.ids import random_id
from shared.tables.importing import erase_imports

Eraser = Callable[[Store, datetime], Awaitable[int]]
AT_ONCE = 200


async def erase_due(store: Store, *, now: datetime) -> dict[str, int]:
    """Erase every personal field whose day has come; returns how many of what. A worker runs it every hour."""
    counts = {what: await erase(store, now) for what, erase in ERASERS.items()}
    receipts = [{"_id": random_id(), "what": what, "count": n, "at": now} for what, n in counts.items() if n]
    if receipts:
        await store.db.erasure_receipts.insert_many(receipts)
    return counts


async def _people(store: Store, now: datetime) -> int:
    count = 0
    for person in await people.due_for_erasure(store, now, AT_ONCE):
        try:
            await erase_known(store, person, now=now, request_id="erasure")
        except RuleBroken:  # the last coordinator stays; somebody who has just been changed is looked at in an hour
            continue
        count += 1
    return count


ERASERS: dict[str, Eraser] = {
    "people": _people,
    "sign_ins": sign_ins.erase_expired,
    "invitations": invitations.erase_expired,
    "visit_contacts": erase_visit_contacts,
    "feedback": erase_feedback,
    "ambassadors": forget_erased_ambassadors,
    "table_imports": lambda store, now: erase_imports(store.db, now),
}
