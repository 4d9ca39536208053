"""What pupils and parents do by their links: ask to be reminded, consent, refuse, withdraw, say who cannot come.

Nobody signs in for it: the secret in a link is the right to its one action, and the wrong one finds nothing.
"""

import math
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.notify import consent, domain, words
from services.notify.consent import (
    PARENT_QUESTION,
    PUPIL_STATEMENT,
    WORDING,
    Answer,
    Asking,
    ClassLink,
    ClassLinkUnknown,
    LinkIsOver,
    NoRoomLeft,
    Participant,
    TooManyAsked,
    VisitIsOver,
    Who,
)
from services.notify.store.participants import Consent
from services.notify.usecases import pupil_mails
from services.notify.usecases.context import Context
from services.notify.usecases.tokens import Action
from shared import mongo
from shared.ids import random_id
from shared.mongo import AlreadyThere, Session
from shared.schemas.events import RegistrationFacts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASKED_PER_LINK, ASKED_PER_CLIENT = 120, 240  # a whole school may stand behind one address
MAILS_PER_ADDRESS = 6
Language = Literal["de", "en"]


@dataclass(frozen=True)
class Visit:
    """What pupils may know of a registration. `over`: it was called off, or its time has come."""

    facts: RegistrationFacts
    over: Literal["", "cancelled", "past"]

    @property
    def starts(self) -> datetime:
        """The moment of the start."""
        return domain.instant(self.facts.slot.starts_local, self.facts.slot.zone)


@dataclass(frozen=True)
class OwnPage:
    """A participant, and the visit."""

    participant: Participant
    visit: Visit


async def show_class(context: Context, secret: str, *, now: datetime) -> Visit:
    """The visit behind a class link. ClassLinkUnknown, VisitIsOver."""
    _, visit = await _class(context, secret, now)
    return visit


async def ask_for_reminders(context: Context, secret: str, asking: Asking, *, client: str, now: datetime) -> None:
    """Somebody of the class wants to be reminded: a mail asks for the consents. Known addresses get the same answer.

    `client` is the asking machine's address. ClassLinkUnknown, VisitIsOver, NoRoomLeft, TooManyAsked, and what
    Asking.check says.
    """
    asking.check()
    link, visit = await _class(context, secret, now)
    await _count(context, f"asked by {client}", ASKED_PER_CLIENT, now)
    await _count(context, f"asked on {secret}", ASKED_PER_LINK, now)
    if link.taken >= consent.room(visit.facts.group.pupils):
        raise NoRoomLeft
    if await _written_to_too_often(context, asking, now):
        return

    async def work(session: Session) -> None:
        await _enter(context, link, visit, asking, now, session)

    try:
        await mongo.transaction(context.store.db, work)
    except AlreadyThere:
        return  # the same form came twice at the same moment; the other one did it
    context.store.deliveries.planned()


async def show_question(context: Context, token: str, *, now: datetime) -> OwnPage:
    """What a parent is asked, or has answered. LinkIsOver."""
    return await _page(context, "parent", token, now)


async def answer_as_parent(context: Context, token: str, yes: bool, *, language: Language, now: datetime) -> None:
    """A parent's answer. Yes: the pupil is asked now. No: everything is erased at once. A second yes changes nothing.

    LinkIsOver, ParentNotAskedAnyMore.
    """
    page = await _page(context, "parent", token, now)
    if not yes:
        await _forget(context, page, "parent", "no", language, now)
        return
    if page.participant.parent_consented_at is not None:
        return
    asked = consent.parent_says_yes(page.participant, now, page.visit.starts)
    _must_be_ahead(page.visit)

    async def effect(session: Session) -> None:
        await _record(context, page, "parent", "yes", language, now, session)
        await pupil_mails.plan_question(context, page.visit.facts, asked, now=now, session=session)

    await _change(context, asked, effect)


async def show_confirmation(context: Context, token: str, *, now: datetime) -> OwnPage:
    """What a pupil is to confirm. LinkIsOver."""
    return await _page(context, "confirm", token, now)


async def confirm(context: Context, token: str, *, language: Language, now: datetime) -> str:
    """The pupil wants the reminders; returns the token of the own page. A second time changes nothing. LinkIsOver."""
    page = await _page(context, "confirm", token, now)
    confirmed = consent.pupil_confirms(page.participant, now)
    if confirmed is page.participant:
        return context.tokens.write("mine", confirmed)
    _must_be_ahead(page.visit)

    async def effect(session: Session) -> None:
        facts = page.visit.facts
        await _record(context, page, "pupil", "yes", language, now, session)
        await pupil_mails.plan_question(context, facts, confirmed, now=now, session=session)
        await pupil_mails.plan_reminders(context, facts, [confirmed], now=now, session=session)

    await _change(context, confirmed, effect)
    return context.tokens.write("mine", confirmed)


async def show_own(context: Context, token: str, *, now: datetime) -> OwnPage:
    """A pupil's own page. LinkIsOver."""
    page = await _page(context, "mine", token, now)
    if page.participant.state != "confirmed":
        raise LinkIsOver
    return page


async def say_coming(context: Context, token: str, coming: bool | None, *, now: datetime) -> None:
    """The pupil comes, cannot come, or takes back what was said (None). The teacher's list says so, and nobody else
    learns of it. LinkIsOver, VisitIsOver."""
    page = await show_own(context, token, now=now)
    _must_be_ahead(page.visit)
    changed = consent.comes(page.participant, coming)
    if changed is not page.participant:
        await _change(context, changed, _nothing_more)


async def withdraw(context: Context, action: Action, token: str, *, language: Language, now: datetime) -> None:
    """A pupil ("mine") or a parent ("parent") takes the consent back: everything is erased at once. LinkIsOver."""
    page = await _page(context, action, token, now)
    await _forget(context, page, "parent" if action == "parent" else "pupil", "withdrawn", language, now)


async def forget(
    context: Context, participant: Participant, session: Session, consent_kept: Consent | None = None
) -> None:
    """Erase a participant with all mails; `consent_kept` is recorded before it belongs to nobody any more."""
    store = context.store
    if consent_kept:
        await store.participants.record(participant.id, consent_kept, session)
    mails_of = {"about": pupil_mails.about(participant), "erase_after": {"$exists": True}}
    await store.deliveries.erase(mails_of, session)
    if await store.participants.forget([participant.id], session):
        await store.class_links.give_place_back(participant.registration_id, session)


async def visit_of(context: Context, registration_id: str, *, now: datetime) -> Visit | None:
    """The visit as the own copies have it; None when there is none."""
    copy = await context.store.copies.registration(registration_id)
    if copy is None:
        return None
    facts = await context.store.copies.with_newest_slot(copy.facts)
    cancelled = facts.state not in ("confirmed", "attended", "no_show") or facts.slot.state != "open"
    past = now >= domain.instant(facts.slot.starts_local, facts.slot.zone)
    return Visit(facts, "cancelled" if cancelled else "past" if past else "")


async def _class(context: Context, secret: str, now: datetime) -> tuple[ClassLink, Visit]:
    link = await context.store.class_links.by_secret(secret)
    visit = await visit_of(context, link.registration_id, now=now) if link else None
    if link is None or visit is None:
        raise ClassLinkUnknown
    _must_be_ahead(visit)
    return link, visit


async def _page(context: Context, action: Action, token: str, now: datetime) -> OwnPage:
    id, nonce = context.tokens.read(action, token)
    participant = await context.store.participants.get(id)
    if participant is None or participant.nonce != nonce or now >= participant.erase_after:
        raise LinkIsOver
    visit = await visit_of(context, participant.registration_id, now=now)
    if visit is None or (participant.state != "confirmed" and now >= participant.question_ends_at):
        raise LinkIsOver
    return OwnPage(participant, visit)


async def _enter(
    context: Context, link: ClassLink, visit: Visit, asking: Asking, now: datetime, session: Session
) -> None:
    store, facts = context.store, visit.facts
    there = await store.participants.by_email(link.registration_id, asking.email, session)
    nonce = secrets.token_urlsafe(9)
    if there is not None:
        participant = consent.asked_again(there, asking, nonce=nonce, now=now, starts=visit.starts)
        if participant is there or not await store.participants.replace(participant, session):
            return
        if participant.rounds > there.rounds:
            await store.deliveries.cancel_waiting(pupil_mails.about(there), "pupil_reminder", session)
    else:
        if not await store.class_links.take_place(link, consent.room(facts.group.pupils), session):
            raise NoRoomLeft
        participant = consent.new_participant(
            asking,
            id=random_id(),
            registration_id=link.registration_id,
            nonce=nonce,
            now=now,
            starts=visit.starts,
            erase_after=store.pupils_gone_at(facts.slot.ends_local, facts.slot.zone),
        )
        await store.participants.add(participant, session)
    await pupil_mails.plan_question(context, facts, participant, now=now, session=session)


async def _forget(context: Context, page: OwnPage, who: Who, answer: Answer, language: Language, now: datetime) -> None:
    async def work(session: Session) -> None:
        await forget(context, page.participant, session, consent_of(page.visit, who, answer, language, now))

    await mongo.transaction(context.store.db, work)


async def _record(
    context: Context, page: OwnPage, who: Who, answer: Answer, language: Language, now: datetime, session: Session
) -> None:
    await context.store.participants.record(
        page.participant.id, consent_of(page.visit, who, answer, language, now), session
    )


def consent_of(visit: Visit, who: Who, answer: Answer, language: Language, now: datetime) -> Consent:
    """What is kept of an answer; a teacher takes back what the pupil was asked."""
    text = PARENT_QUESTION if who == "parent" else PUPIL_STATEMENT
    return Consent(who, answer, WORDING, language, words.consent_text(text, visit.facts, language), now)


async def _change(context: Context, changed: Participant, effect: Callable[[Session], Awaitable[None]]) -> None:
    """Write the next version with its effect; nothing when somebody was faster."""

    async def work(session: Session) -> None:
        if await context.store.participants.replace(changed, session):
            await effect(session)

    await mongo.transaction(context.store.db, work)
    context.store.deliveries.planned()


async def _nothing_more(_: Session) -> None:
    return


def _must_be_ahead(visit: Visit) -> None:
    if visit.over:
        raise VisitIsOver


async def _written_to_too_often(context: Context, asking: Asking, now: datetime) -> bool:
    """Whether an address has been asked about so often today that it is left alone, whoever asks."""
    counts = [
        await context.store.counters.count(f"mail to {address.casefold()}", DAY, now)
        for address in (asking.email, asking.parent_email)
        if address
    ]
    return max(counts) > MAILS_PER_ADDRESS


async def _count(context: Context, what: str, most: int, now: datetime) -> None:
    if await context.store.counters.count(what, HOUR, now) > most:
        seconds = math.ceil(HOUR.total_seconds() - now.timestamp() % HOUR.total_seconds())
        raise TooManyAsked(seconds=seconds, minutes=-(-seconds // 60))
