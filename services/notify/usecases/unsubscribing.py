"""No more reminders, by one click in a mail program (RFC 8058) or on the page: never of any other mail."""

from dataclasses import dataclass
from datetime import datetime

from services.notify.consent import LinkIsOver
from services.notify.domain import FOR_PUPILS, Delivery
from services.notify.urgency import REMINDERS
from services.notify.usecases.context import Context
from services.notify.usecases.participants import consent_of, forget, visit_of
from shared import mongo
from shared.mongo import Session


@dataclass(frozen=True)
class Choice:
    """A reminder that somebody got, and whether more of them come."""

    delivery: Delivery
    stopped: bool

    @property
    def of_a_pupil(self) -> bool:
        """Whether stopping withdraws a pupil's consent, which erases what is known."""
        return self.delivery.kind in FOR_PUPILS


async def show_choice(context: Context, token: str) -> Choice:
    """The reminder that the link came with. LinkIsOver."""
    local = context.tokens.read_unsubscribe(token)
    found = await context.store.deliveries.with_message_id([f"<{local}@{context.writer.domain}>"])
    delivery = next((each for each in found if each.kind in REMINDERS and each.to.email), None)
    if delivery is None:
        raise LinkIsOver
    return Choice(delivery, await context.store.reminder_stops.has(delivery.to.email))


async def stop_reminders(context: Context, token: str, *, now: datetime) -> Choice:
    """No more reminders to this address; a pupil's consent is withdrawn. Safe to repeat. LinkIsOver."""
    choice = await show_choice(context, token)
    if choice.of_a_pupil:
        await _withdraw(context, choice.delivery, now)
    else:
        await context.store.reminder_stops.put(choice.delivery.to.email, now)
    return choice


async def resume_reminders(context: Context, token: str) -> None:
    """Reminders again. LinkIsOver."""
    choice = await show_choice(context, token)
    await context.store.reminder_stops.remove(choice.delivery.to.email)


async def _withdraw(context: Context, delivery: Delivery, now: datetime) -> None:
    participant = await context.store.participants.get(delivery.about.partition(":")[2])
    visit = await visit_of(context, participant.registration_id, now=now) if participant else None
    if participant is None or visit is None:
        raise LinkIsOver
    kept = consent_of(visit, "pupil", "withdrawn", delivery.to.language, now)

    async def work(session: Session) -> None:
        await forget(context, participant, session, kept)

    await mongo.transaction(context.store.db, work)
