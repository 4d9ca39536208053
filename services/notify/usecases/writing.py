"""A delivery as the mail to be sent: in the coordinator's words where there are any, else in the standard ones."""

import logging
from dataclasses import replace
from datetime import datetime

from jinja2 import TemplateError

from services.notify.digest import is_reminder
from services.notify.domain import Delivery
from services.notify.usecases.context import Context
from services.notify.wording import TEST, PartInvalid, Parts, key_of

log = logging.getLogger(__name__)


async def write_mail(context: Context, delivery: Delivery, *, now: datetime) -> tuple[Delivery, bytes]:
    """The mail's bytes, and the delivery with the subject and the version of the words that it was written with.

    Words that cannot be used with these facts, although they could with the samples, must not hold the mail up: it goes
    out in the standard ones.
    """
    writer, draft = context.writer, draft_of(delivery)
    if draft:
        return delivery, writer.mail(delivery, now, writer.content(as_sample(delivery), now, wording=draft))
    unsubscribe = context.tokens.unsubscribe_link(delivery.message_id) if is_reminder(delivery) else ""
    wording = await context.store.wordings.now(key_of(delivery))
    if wording:
        try:
            content = writer.content(delivery, now, wording=wording.parts, unsubscribe=unsubscribe)
        except (TemplateError, PartInvalid) as error:
            log.error("wording %s: %s; the standard words are used", wording.key.text, type(error).__name__)
        else:
            told = replace(delivery, subject=content.subject, wording=wording.version)
            return told, writer.mail(delivery, now, content, unsubscribe)
    return delivery, writer.mail(delivery, now, unsubscribe=unsubscribe)


async def words_of(context: Context, delivery: Delivery) -> Parts | None:
    """The words that a mail was sent with, or would be; None for the standard ones."""
    draft, key = draft_of(delivery), key_of(delivery)
    if draft or key is None:
        return draft
    if delivery.state != "sent":
        wording = await context.store.wordings.now(key)
    else:
        wording = await context.store.wordings.version(key, delivery.wording) if delivery.wording else None
    return wording.parts if wording else None


def draft_of(delivery: Delivery) -> Parts | None:
    """What a test mail tries out; None for every other mail."""
    words = (delivery.facts or {}).get("wording")
    return Parts(**words) if delivery.kind == TEST and words else None


def as_sample(delivery: Delivery) -> Delivery:
    """A test mail as the kind of mail that it shows."""
    return replace(delivery, kind=(delivery.facts or {})["kind"]) if draft_of(delivery) else delivery
