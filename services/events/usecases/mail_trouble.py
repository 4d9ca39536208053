"""Mails about a registration that did not arrive."""

from services.events.store.store import Store
from shared import inbox
from shared.mongo import Session
from shared.schemas.notify import DeliveryFailed


async def mark_mail_trouble(store: Store, message: DeliveryFailed) -> None:
    """Note at the registration that a mail failed, once per message. Its state and version stay as they are."""
    kind, _, registration_id = message.concerns.partition(":")
    if kind != "registration":
        return
    trouble = {
        "recipient_role": message.recipient_role, "answer": message.answer, "failed_at": message.failed_at,
    }  # fmt: skip

    async def note(session: Session) -> None:
        change = {"$set": {"mail_trouble": trouble}}
        await store.db.registrations.update_one({"_id": registration_id}, change, session=session)

    await inbox.once(store.db, message, "mark_mail_trouble", note)
