"""One delivery from the worker's hands to the relay, and what is recorded of it."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from services.notify import domain, timing
from services.notify.answers import INVALID_ADDRESS, is_hard_bounce, without_address
from services.notify.digest import one_mail, parts_of
from services.notify.domain import FOR_PUPILS, WRITTEN_LATE, Attempt, Delivery
from services.notify.rendering import AddressInvalid, envelope_address
from services.notify.smtp.failures import NoAnswer, NotNow, Refused, TryAgain
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.transaction import Mail
from services.notify.store.sent_log import say_sent
from services.notify.suppression import AlreadyLifted, Suppression, after_refusal, is_lifted_by, lifted
from services.notify.urgency import REMINDERS, SIGN_IN
from services.notify.usecases import pupil_mails
from services.notify.usecases.address_trouble import tell_coordinators
from services.notify.usecases.context import Context
from services.notify.usecases.webhook_calls import plan_calls
from services.notify.usecases.writing import write_mail
from shared.mongo import Session, StoreUnavailable
from shared.schemas.notify import DeliveryFailed

log = logging.getLogger(__name__)
Result = TypeVar("Result")
STORE_PATIENCE_SECONDS = 120
RENEWED_EVERY_SECONDS = 60.0
SILENCES = 3
GAVE_UP = "gave up: it did not reach the relay before it was worthless"


async def send_delivery(context: Context, mailer: Mailer, delivery: Delivery, *, now: datetime) -> None:
    """Check that the mail is still true and in time, hand it over, and record the relay's answer."""
    if delivery.kind in REMINDERS:
        await _send_reminders(context, mailer, delivery, now)
        return
    if now >= delivery.gives_up_at:
        await _fail(context, delivery, None, "gave_up", GAVE_UP, now)
        return
    morning = timing.waits_for_morning(delivery, context.quiet, now)
    if morning:
        await _end(context, delivery, None, state="planned", due_at=morning)
        return
    known = None
    if domain.must_be_checked(delivery, now):
        known = await _patiently(lambda: known_of(context, delivery))
        if reason := domain.reason_not_to_send(delivery, known, now):
            await _end(context, delivery, None, state="cancelled", reason=reason)
            return
    suppression = await _patiently(lambda: context.store.suppressions.active(delivery.to.email))
    if suppression and is_lifted_by(delivery.kind, suppression, now):
        await _patiently(lambda: _lift(context, suppression, delivery, now))
    elif suppression:
        await _hold_back(context, delivery, suppression, now)
        return
    outdated = domain.is_outdated(delivery, known, now)
    complete = await _patiently(lambda: with_facts(context, delivery, outdated=outdated))
    if await _still_held(context, delivery):
        await _hand_over(context, mailer, complete, now, stored=delivery.facts)


async def _still_held(context: Context, delivery: Delivery) -> bool:
    """Whether this worker still has the mail, with all its parts, for the length of a lease from now on."""
    for part in parts_of(delivery):
        if not await _patiently(partial(context.store.deliveries.renew, part)):
            log.warning("delivery %s is in other hands by now", part.key)
            return False
    return True


async def _lift(context: Context, suppression: Suppression, delivery: Delivery, now: datetime) -> None:
    with suppress(AlreadyLifted):
        await context.store.suppressions.lift(lifted(suppression, "", now, delivery.key))


async def _send_reminders(context: Context, mailer: Mailer, delivery: Delivery, now: datetime) -> None:
    """One mail with all reminders of its day to this address that may go out; each is recorded for itself."""
    gathered = await _patiently(lambda: context.store.reminders.gather(delivery))
    going = [part for part in gathered if await _may_go(context, part, now)]
    if not going:
        return
    whole = one_mail([await with_facts(context, part) for part in going])
    suppression = await _patiently(lambda: context.store.suppressions.active(whole.to.email))
    if suppression:
        await _hold_back(context, whole, suppression, now)
    elif not await _within_the_week(context, whole, now):
        await _end(context, whole, None, state="cancelled", reason="over_cap")
    elif await _still_held(context, whole):
        await _hand_over(context, mailer, whole, now)


async def _may_go(context: Context, part: Delivery, now: datetime) -> bool:
    """Whether a reminder is in time, true, wanted by the person, and outside of quiet hours; what it becomes instead
    is recorded when not."""
    morning = timing.waits_for_morning(part, context.quiet, now)
    if now >= part.gives_up_at:
        await _fail(context, part, None, "gave_up", GAVE_UP, now)
    elif reason := await _patiently(lambda: _reason_against(context, part, now)):
        await _end(context, part, None, state="cancelled", reason=reason)
    elif morning and morning >= part.gives_up_at:
        await _end(context, part, None, state="cancelled", reason="quiet_hours")
    elif morning:
        await _end(context, part, None, state="planned", due_at=morning)
    else:
        return True
    return False


async def _reason_against(context: Context, part: Delivery, now: datetime) -> str:
    known = await known_of(context, part)
    return domain.reason_not_to_send(part, known, now) or await _unwanted(context, part, now)


async def _unwanted(context: Context, part: Delivery, now: datetime) -> str:
    if await context.store.reminder_stops.has(part.to.email):
        return "unsubscribed"
    choice = "all" if part.kind in FOR_PUPILS else await context.store.reminders.choice(part.to.email)
    if choice == "none" or (choice == "last" and not await context.store.reminders.is_last(part, now)):
        return "not_wanted"
    return ""


async def _within_the_week(context: Context, whole: Delivery, now: datetime) -> bool:
    """Whether this mail is among the first so many with reminders to the address in this calendar week."""
    week, most = timing.week_of(now, context.writer.zone), context.reminders_per_week
    together = parts_of(whole)[0].together
    return await _patiently(lambda: context.store.reminders.count_in(whole.to.email, week, together, most))


async def known_of(context: Context, delivery: Delivery) -> domain.Known | None:
    """What decides whether the mail is still true; None when nothing is known of what it is about."""
    if delivery.kind in FOR_PUPILS:
        return await pupil_mails.known_of_participant(context, delivery)
    return await context.store.copies.known(delivery.about)


async def with_facts(context: Context, delivery: Delivery, *, outdated: bool = False) -> Delivery:
    """The delivery with the facts to write from: a reminder's and an outdated mail's are those of the present copy."""
    if not outdated and (delivery.facts is not None or delivery.kind not in WRITTEN_LATE):
        return delivery
    if delivery.kind in FOR_PUPILS:
        return replace(delivery, facts=await pupil_mails.facts_for(context, delivery))
    kind, _, id = delivery.about.partition(":")
    copies = context.store.copies
    if kind == "registration" and (copy := await copies.registration(id)):
        facts = await copies.with_newest_slot(copy.facts)
        return replace(delivery, facts={**(delivery.facts or {}), "registration": facts.model_dump(mode="json")})
    if kind == "visit" and (visit := await copies.visit(id)):
        return replace(delivery, facts={**(delivery.facts or {}), "visit": visit.facts.model_dump(mode="json")})
    return delivery


async def _hand_over(
    context: Context, mailer: Mailer, delivery: Delivery, now: datetime, stored: dict[str, Any] | None = None
) -> None:
    """Write the mail, hand it over and record what came of it; `stored` are the facts that its document holds."""
    writer, email = context.writer, delivery.to.email
    try:
        delivery, content = await write_mail(context, delivery, now=now)
        urgent = delivery.priority == SIGN_IN
        mail = Mail(writer.bounce_address, envelope_address(email), content, writer.envelope_id(delivery), urgent)
        async with _kept_hold(context, delivery):
            answer = await mailer.send(mail)
    except AddressInvalid:
        await _refuse(context, delivery, INVALID_ADDRESS, now)
    except Refused as error:
        await _refuse(context, delivery, without_address(str(error), email), now)
    except NotNow as error:
        await _put_back(context, delivery, error.seconds, now)
    except NoAnswer as error:
        await _after_silence(context, delivery, str(error), now)
    except TryAgain as error:
        await _defer(context, delivery, without_address(str(error), email), now)
    except Exception as error:  # a fault of ours, for example in a template, must not end the worker
        log.error("delivery %s could not be written: %s", delivery.key, type(error).__name__)
        await _defer(context, delivery, f"internal: {type(error).__name__}", now)
    else:
        await _record_sent(context, delivery, without_address(answer, email), now, stored)


async def _record_sent(
    context: Context, delivery: Delivery, answer: str, now: datetime, stored: dict[str, Any] | None
) -> None:
    facts = _kept(delivery)
    attempt = Attempt(now, "sent", answer)
    more: dict[str, Any] = {"wording": delivery.wording, "subject": delivery.subject} if delivery.wording else {}
    more |= {} if facts is stored else {"facts": facts}  # most of a document: not written once more as it is
    await _end(context, delivery, attempt, state="sent", reason="", sent_at=now, **more)
    for part in parts_of(delivery):
        say_sent(part.key)


async def _defer(context: Context, delivery: Delivery, answer: str, now: datetime) -> None:
    failure = domain.after_deferral(delivery, now, random.random())
    if failure.again_at is None:
        await _fail(context, delivery, Attempt(now, "deferred", answer), failure.reason, f"gave up: {answer}", now)
        return
    attempt = Attempt(now, "deferred", answer)
    await _end(context, delivery, attempt, state="deferred", due_at=failure.again_at)


async def _after_silence(context: Context, delivery: Delivery, answer: str, now: datetime) -> None:
    """The relay may have taken the mail. After a few such ends a person decides: each attempt can be another copy."""
    silences = sum(attempt.answer == answer for attempt in delivery.attempts) + 1
    if silences < SILENCES:
        await _defer(context, delivery, answer, now)
    else:
        await _fail(context, delivery, Attempt(now, "deferred", answer), "gave_up", f"gave up: {answer}", now)


@asynccontextmanager
async def _kept_hold(context: Context, delivery: Delivery) -> AsyncIterator[None]:
    """Renews the lease for as long as a relay takes for its answer."""
    keeping = asyncio.create_task(_keep_hold(context, delivery))
    try:
        yield
    finally:
        keeping.cancel()


async def _keep_hold(context: Context, delivery: Delivery) -> None:
    while True:
        await asyncio.sleep(RENEWED_EVERY_SECONDS)
        if not await _still_held(context, delivery):
            return


async def _put_back(context: Context, delivery: Delivery, seconds: float, now: datetime) -> None:
    """The relay's limit is reached: the mail waits for its turn, and nothing has failed."""
    state = "deferred" if delivery.attempt_count else "planned"
    await _end(context, delivery, None, state=state, due_at=now + timedelta(seconds=seconds))


async def _refuse(context: Context, delivery: Delivery, answer: str, now: datetime) -> None:
    """The end of this mail; when the server does not know the address, also of the others to it.

    Of a pupil's address nothing is kept beyond the visit, and nobody is told but the teacher, by the list.
    """
    attempt = Attempt(now, "refused", answer)
    if delivery.kind in FOR_PUPILS or not is_hard_bounce(answer):
        await _fail(context, delivery, attempt, "refused", answer, now)
        return
    suppression = after_refusal(delivery, context.store.hash_of(delivery.to.email), answer, now)

    async def suppress_address(session: Session) -> None:
        if await context.store.suppressions.put(suppression, session):
            await tell_coordinators(context, suppression, delivery, now, session)

    await _fail(context, delivery, attempt, "refused", answer, now, also=suppress_address, suppression=suppression.id)


async def _hold_back(context: Context, delivery: Delivery, suppression: Suppression, now: datetime) -> None:
    """The address is suppressed: nothing is sent, and whoever is waiting for this mail hears of it, but not of the
    note that somebody wrote for colleagues."""
    answer = f"suppressed: {suppression.answer}" if suppression.answer else "suppressed"
    ended = {"state": "suppressed", "suppression": "" if delivery.kind in FOR_PUPILS else suppression.id}
    await _fail(context, delivery, None, "suppressed", answer, now, **ended)


async def _fail(
    context: Context,
    delivery: Delivery,
    attempt: Attempt | None,
    reason: str,
    answer: str,
    now: datetime,
    also: Callable[[Session], Awaitable[None]] | None = None,
    **more: Any,
) -> None:
    """Record the end and say so, in one transaction with what `also` writes; for each reminder in a mail with several.
    Of pupils' mails nothing is said outside of this service."""
    for part in parts_of(delivery):
        messages = [] if part.kind in FOR_PUPILS else [failed(part, answer, now)]
        changes = {"state": "refused", "reason": reason, "facts": _kept(part), **more}
        told = partial(_tell, context, messages, also, now)
        ending = partial(context.store.deliveries.end_and_tell, part, attempt, messages, told, **changes)
        await _patiently(ending)
    context.store.deliveries.planned()


async def _tell(
    context: Context,
    messages: list[DeliveryFailed],
    also: Callable[[Session], Awaitable[None]] | None,
    now: datetime,
    session: Session,
) -> None:
    """What webhooks are told of it, and what else is written with it."""
    for message in messages:
        await plan_calls(context, message, now=now, session=session)
    if also is not None:
        await also(session)


def failed(delivery: Delivery, answer: str, now: datetime) -> DeliveryFailed:
    """What is said of a mail that did not arrive."""
    return DeliveryFailed.about(
        f"delivery:{delivery.key}",
        delivery.version + 1,
        now=now,
        delivery_id=delivery.key,
        kind=delivery.kind,
        concerns=delivery.about,
        recipient_role=delivery.to.role,
        answer=answer,
        failed_at=now,
    )


def _kept(delivery: Delivery) -> dict[str, Any] | None:
    """What stays of a mail's content: nobody needs a used link's token, or a pupil's name."""
    return None if delivery.kind in FOR_PUPILS else domain.without_token(delivery)


async def _end(context: Context, delivery: Delivery, attempt: Attempt | None, **changes: Any) -> None:
    parts = parts_of(delivery)
    if len(parts) == 1:
        await _patiently(lambda: context.store.deliveries.end(delivery, attempt, **changes))
    else:
        own = [changes | ({"facts": _kept(part)} if "facts" in changes else {}) for part in parts]
        await _patiently(lambda: context.store.reminders.end_all(parts, attempt, own))


async def _patiently(work: Callable[[], Awaitable[Result]]) -> Result:
    """What `work` gives, asked again while the store is away: what the relay accepted must not be forgotten."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STORE_PATIENCE_SECONDS
    while True:
        try:
            return await work()
        except StoreUnavailable:
            if loop.time() > deadline:
                raise
        await asyncio.sleep(0.3)
