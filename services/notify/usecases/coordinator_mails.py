"""Mails by which coordinators hear of what needs their hand."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from services.notify import domain
from services.notify.domain import Delivery, Letter, Recipient
from services.notify.urgency import urgency_of
from services.notify.usecases.context import Context
from shared.mongo import Session


async def plan_letters(
    context: Context, letters: Sequence[Letter], key_of: Callable[[Recipient], str], about: str, facts: dict[str, Any],
    *, erase_after: datetime, now: datetime, session: Session,
) -> None:  # fmt: skip
    """Plan those whose recipient has an address and whose key is new, due now; erased at `erase_after`, or when mails
    are kept no longer."""
    writer, erase_after = context.writer, min(erase_after, now + context.store.retention)

    def planned(letter: Letter) -> Delivery:
        key = key_of(letter.to)
        return Delivery(
            key=key,
            kind=letter.kind,
            to=letter.to,
            about=about,
            priority=urgency_of(letter.kind),
            due_at=now,
            gives_up_at=now + domain.TRANSITION_HORIZON,
            erase_after=erase_after,
            planned_at=now,
            message_id=domain.message_id(key, writer.domain),
            facts=facts,
            subject=writer.subject(letter.kind, letter.to, facts),
        )

    deliveries = [planned(letter) for letter in letters if letter.to.email]
    if deliveries:
        await context.store.deliveries.add(deliveries, session)
