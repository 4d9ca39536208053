"""Feedback: anybody gives it, the coordinator sees to it, and it goes after half a year."""

import math
from datetime import datetime, timedelta

from services.outreach.domain.feedback import Feedback, FeedbackNotFound, SendFeedback, TooMuchFeedback
from services.outreach.store import counters
from services.outreach.store.core import Store
from shared.auth import Identity
from shared.ids import derived_id

HOUR = timedelta(hours=1)
MOST_PER_CLIENT = 6


async def send_feedback(
    store: Store, command: SendFeedback, *, client: str, language: str, now: datetime, request_id: str
) -> Feedback:
    """Keep what somebody tells. Anybody may. `client` is the sending machine's address. TooMuchFeedback."""
    if await counters.count(store, f"feedback from {client}", HOUR, now) > MOST_PER_CLIENT:
        seconds = HOUR.total_seconds() - now.timestamp() % HOUR.total_seconds()
        raise TooMuchFeedback(seconds=math.ceil(seconds), minutes=math.ceil(seconds / 60))
    given = Feedback.given(derived_id(request_id, "feedback", command.text), command, language, now, request_id)
    return await store.insert_once("feedback", given)


async def list_feedback(store: Store, identity: Identity, *, done: bool, after: str | None = None) -> tuple[
    list[Feedback], str | None
]:  # fmt: skip
    """What was told, the oldest first: what is open, or what is done."""
    identity.must_coordinate()
    return await store.page("feedback", Feedback, {"done": done}, "created_at", 50, after)


async def count_open_feedback(store: Store, identity: Identity) -> int:
    """How much still waits for somebody to see to it."""
    identity.must_coordinate()
    return await store.db.feedback.count_documents({"done": False})


async def finish_feedback(store: Store, identity: Identity, feedback_id: str, *, request_id: str) -> Feedback:
    """Note that somebody has seen to it; a second time changes nothing. FeedbackNotFound, ChangedMeanwhile."""
    identity.must_coordinate()
    feedback = await store.get("feedback", Feedback, feedback_id)
    if feedback is None:
        raise FeedbackNotFound
    if feedback.done:
        return feedback
    finished = feedback.finished(request_id)
    await store.save("feedback", finished)
    return finished


async def erase_feedback(store: Store, now: datetime) -> int:
    """Delete feedback whose time is over; returns how many."""
    return (await store.db.feedback.delete_many({"erase_after": {"$lte": now}})).deleted_count
