"""Mails about a visit that did not arrive."""

from services.outreach.store import visits as stored
from services.outreach.store.core import Store
from shared import inbox
from shared.mongo import Session
from shared.schemas.notify import DeliveryFailed


async def mark_mail_trouble(store: Store, message: DeliveryFailed) -> None:
    """Note at the visit that a mail failed, once per message. Its state and version stay as they are."""
    kind, _, visit_id = message.concerns.partition(":")
    if kind != "visit":
        return

    async def note(session: Session) -> None:
        trouble = stored.MailTrouble(message.recipient_role, message.answer, message.failed_at)
        await stored.note_mail_trouble(store, visit_id, trouble, session)

    await inbox.once(store.db, message, "mark_mail_trouble", note)
