"""Whoever organises hears of an address that refuses mails."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.notify import domain, mails
from services.notify.domain import TRANSITION, Delivery, Letter
from services.notify.suppression import Suppression
from services.notify.usecases.context import Context
from shared.mongo import Session


async def tell_coordinators(
    context: Context, suppression: Suppression, refused: Delivery, now: datetime, session: Session
) -> None:
    """Plan a mail to every coordinator: one a day at most, however many addresses refuse; the page lists them all."""
    facts = {
        "suppression": {
            "id": suppression.id, "masked": suppression.masked, "answer": suppression.answer,
            "subject": refused.subject,
        }
    }  # fmt: skip
    letters = mails.address_suppressed(await context.store.copies.coordinators(session))
    planned = [_delivery(context, letter, refused, facts, now) for letter in letters if letter.to.email]
    if planned:
        await context.store.deliveries.add(planned, session)


def _delivery(context: Context, letter: Letter, refused: Delivery, facts: dict[str, Any], now: datetime) -> Delivery:
    writer = context.writer
    today = now.astimezone(ZoneInfo(writer.zone)).date()
    key = f"{letter.kind}:{today.isoformat()}:{letter.to.tag}"
    return Delivery(
        key=key,
        kind=letter.kind,
        to=letter.to,
        about=refused.about,
        priority=TRANSITION,
        due_at=now,
        gives_up_at=now + domain.TRANSITION_HORIZON,
        erase_after=min(refused.erase_after, now + context.store.retention),
        planned_at=now,
        message_id=domain.message_id(key, writer.domain),
        facts=facts,
        subject=writer.subject(letter.kind, letter.to, facts),
    )
