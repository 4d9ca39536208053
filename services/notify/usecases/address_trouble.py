"""Whoever organises hears of an address that refuses mails."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.notify import mails
from services.notify.domain import Delivery
from services.notify.suppression import Suppression, address_suppressed_key
from services.notify.usecases.context import Context
from services.notify.usecases.coordinator_mails import plan_letters
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
    today = now.astimezone(ZoneInfo(context.writer.zone)).date()
    await plan_letters(
        context, letters, lambda to: address_suppressed_key(today, to), refused.about, facts,
        erase_after=refused.erase_after, now=now, session=session,
    )  # fmt: skip
