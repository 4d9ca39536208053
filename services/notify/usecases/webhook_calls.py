"""What webhooks are told: planned in the transaction of the message, sent by a worker, recorded attempt by attempt."""

import random
from datetime import datetime

from services.notify import mails
from services.notify.usecases.context import Context
from services.notify.usecases.coordinator_mails import plan_letters
from services.notify.webhooks import rules
from services.notify.webhooks.caller import Caller
from services.notify.webhooks.payload import call_for, type_of
from services.notify.webhooks.rules import Answer, Attempt, Call, Webhook
from services.notify.webhooks.signing import fingerprint_of
from shared.mongo import Session
from shared.schemas.base import Message


async def plan_calls(context: Context, message: Message, *, now: datetime, session: Session) -> None:
    """Plan a call for each webhook that is told of this message, also for those that are paused: it waits for them."""
    kind = type_of(message)
    if not kind:
        return
    listening = await context.store.webhooks.listening_to(kind, session)
    if listening:
        url = context.tokens.public_url
        await context.store.webhooks.plan([call_for(each, message, url, now) for each in listening], session)


async def make_call(context: Context, caller: Caller, webhook: Webhook, call: Call, *, now: datetime) -> None:
    """Call the program, and record what came of it."""
    secrets = _secrets(context, webhook, now)
    if secrets:
        answer = await caller.call(webhook.address, call.id, call.payload.encode(), secrets)
    else:
        answer = Answer(trouble="secret_lost")
    state, due_at = rules.after_attempt(call, answer, now, random.random())
    attempt = Attempt(now, answer.status, answer.text, answer.trouble, answer.took_ms)
    changes = {"state": state, "tries": call.tries + 1}
    changes |= {"due_at": due_at} if due_at else {"ended_at": now}
    of_webhook = rules.troubles_after(webhook, call, answer, state, now)

    async def tell(session: Session, paused: Webhook) -> None:
        await _tell_coordinators(context, paused, now, session)

    await context.store.webhooks.end(call, attempt, changes, of_webhook, tell)


async def _tell_coordinators(context: Context, paused: Webhook, now: datetime, session: Session) -> None:
    """Plan a mail to every coordinator. What is said to the program waits until one of them resumes."""
    facts = {"webhook": {"id": paused.id, "name": paused.name, "reason": paused.reason}}
    letters = mails.webhook_paused(await context.store.copies.coordinators(session))
    await plan_letters(
        context, letters, lambda to: rules.paused_key(paused.id, paused.version, to), f"webhook:{paused.id}",
        facts, erase_after=now + context.store.retention, now=now, session=session,
    )  # fmt: skip


def _secrets(context: Context, webhook: Webhook, now: datetime) -> list[str]:
    """Those to sign with. One that follows from another SECRET_KEY than it was shown for is none."""
    both = [(seed, context.tokens.webhook_secret(seed.value)) for seed in webhook.seeds_at(now)]
    return [secret for seed, secret in both if fingerprint_of(secret) == seed.fingerprint]
