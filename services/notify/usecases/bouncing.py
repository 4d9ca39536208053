"""Notifications that come back: matched to the delivery that they are about, shown in its story, and acted upon."""

from datetime import datetime
from typing import Literal

from services.notify.answers import without_address
from services.notify.bounces import Bounce, read_bounce
from services.notify.domain import FOR_PUPILS, Attempt, Delivery
from services.notify.suppression import Suppression, after_bounce
from services.notify.usecases.address_trouble import tell_coordinators
from services.notify.usecases.context import Context
from services.notify.usecases.participants import consent_of, forget, visit_of
from services.notify.usecases.sending import failed
from services.notify.usecases.webhook_calls import plan_calls
from shared import mongo, outbox
from shared.mongo import Session

Heard = Literal["no_bounce", "not_ours", "known", "noted"]


async def hear_bounce(context: Context, content: bytes, *, now: datetime) -> Heard:
    """Note a notification at the delivery that it names. Only one that names a mail of ours changes anything. Safe to
    repeat."""
    bounce = read_bounce(content)
    if bounce is None:
        return "no_bounce"
    deliveries = await _deliveries_of(context, bounce)
    if not deliveries:
        return "not_ours"

    async def work(session: Session) -> bool:
        return any([await _note(context, bounce, each, now, session) for each in deliveries])

    noted = await mongo.transaction(context.store.db, work)
    context.store.deliveries.planned()
    context.store.deliveries.written()
    return "noted" if noted else "known"


async def _deliveries_of(context: Context, bounce: Bounce) -> list[Delivery]:
    """Those in the mail that is named. A text that follows no standard must name the address, too."""
    writer = context.writer
    ids = {name if name.startswith("<") else f"<{name}@{writer.domain}>" for name in bounce.names}
    found = await context.store.deliveries.with_message_id(sorted(ids))
    there = [each for each in found if each.to.email]
    return [each for each in there if not bounce.addresses or each.to.email.lower() in bounce.addresses]


async def _note(context: Context, bounce: Bounce, delivery: Delivery, now: datetime, session: Session) -> bool:
    answer = without_address(bounce.answer, delivery.to.email)
    ended = bounce.kind == "bounced" and delivery.state == "sent"
    attempt = Attempt(now, bounce.kind, answer)
    suppression = _suppression(bounce, delivery, context.store.hash_of(delivery.to.email), answer, now)
    changes = {"state": "refused", "reason": "refused"} if ended else {}
    changes |= {"suppression": suppression.id} if ended and suppression else {}
    if not await context.store.deliveries.hear(delivery, bounce.id, attempt, changes, session):
        return False
    if ended and delivery.kind not in FOR_PUPILS:
        message = failed(delivery, answer, now)
        await outbox.add(context.store.db, [message], session)
        await plan_calls(context, message, now=now, session=session)
    if suppression and await context.store.suppressions.put(suppression, session):
        await tell_coordinators(context, suppression, delivery, now, session)
    if bounce.kind == "complained" and delivery.kind in FOR_PUPILS:
        await _withdraw(context, delivery, now, session)
    return True


def _suppression(bounce: Bounce, delivery: Delivery, id: str, answer: str, now: datetime) -> Suppression | None:
    """Of pupils' addresses nothing is kept beyond the visit."""
    if delivery.kind in FOR_PUPILS:
        return None
    if bounce.kind == "complained":
        return after_bounce(delivery, id, "complained", answer, now)
    return after_bounce(delivery, id, "bounced", answer, now) if bounce.is_about_the_address else None


async def _withdraw(context: Context, delivery: Delivery, now: datetime, session: Session) -> None:
    """Whoever calls our mail unwanted gets no more: that is a pupil's or a parent's withdrawal."""
    participant = await context.store.participants.get(delivery.about.partition(":")[2])
    visit = await visit_of(context, participant.registration_id, now=now) if participant else None
    if participant and visit:
        who = "parent" if delivery.to.role == "parent" else "pupil"
        kept = consent_of(visit, who, "withdrawn", delivery.to.language, now)
        await forget(context, participant, session, kept)
