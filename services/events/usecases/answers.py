"""What a school answers by a link in a mail. Nobody signs in for it: the signed link is the right to its one answer,
about one registration as it was when the mail was written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from services.events.domain import commands as do
from services.events.domain import errors
from services.events.domain.booking import must_be_ahead, wall_time
from services.events.domain.facts import Registration, Slot
from services.events.store.store import Store
from services.events.usecases.results import RegistrationView, SlotView, registration_view, slot_view
from shared.answer_links import Action, AnswerLinks, AsSeen
from shared.ids import derived_id
from shared.log import correlation_id


@dataclass(frozen=True)
class Asked:
    """The registration that a link is about, and whether the answer was given by it already."""

    registration: RegistrationView
    answered: bool = False

    @property
    def slot(self) -> SlotView:
        """The date."""
        return cast(SlotView, self.registration.slot)


async def show_cannot_come(store: Store, links: AnswerLinks, token: str, *, now: datetime) -> Asked:
    """What would be cancelled, or has been. AnswerLinkUnknown, AnswerLinkIsOver, SlotHasStarted, SlotIsCancelled."""
    seen = links.read("cannot-come", token)
    registration, slot, view = await _found(store, seen)
    if _called_off_next(registration, seen):
        return Asked(view, answered=True)
    _must_be_open(registration, slot, seen, now)
    return Asked(view)


async def say_cannot_come(store: Store, links: AnswerLinks, token: str, *, now: datetime) -> None:
    """Cancel the registration for its school; the places go to those who wait. A second time changes nothing.

    AnswerLinkUnknown, AnswerLinkIsOver, SlotHasStarted.
    """
    seen = links.read("cannot-come", token)
    registration, _, _ = await _found(store, seen)
    asked = do.Cancel(**_asked("cannot-come", token, seen, now), by="school")
    await store.decide(registration.slot_id, asked)


async def show_question(store: Store, links: AnswerLinks, token: str, *, now: datetime) -> Asked:
    """What a school is asked to confirm again, or how it was answered. AnswerLinkUnknown, AnswerLinkIsOver,
    AnsweredTooLate, SlotHasStarted, SlotIsCancelled."""
    seen = links.read("confirm-again", token)
    registration, slot, view = await _found(store, seen)
    if _called_off_next(registration, seen) or _confirmed_next(registration, slot, seen):
        return Asked(view, answered=True)
    _must_be_open(registration, slot, seen, now)
    if registration.question is None or not registration.awaits_answer(slot.revision):
        raise errors.AnswerLinkIsOver
    if now >= registration.question.until:
        raise errors.AnsweredTooLate(until=wall_time(registration.question.until, slot))
    return Asked(view)


async def answer_question(store: Store, links: AnswerLinks, token: str, comes: bool, *, now: datetime) -> None:
    """The group still comes, or does not. A second time changes nothing.

    AnswerLinkUnknown, AnswerLinkIsOver, AnsweredTooLate, SlotHasStarted, SlotIsCancelled.
    """
    seen = links.read("confirm-again", token)
    registration, _, _ = await _found(store, seen)
    asked = _asked("confirm-again", f"{token} {comes}", seen, now)
    answer = do.SayStillComing(**asked) if comes else do.Cancel(**asked, by="school")
    await store.decide(registration.slot_id, answer)


async def _found(store: Store, seen: AsSeen) -> tuple[Registration, Slot, RegistrationView]:
    registration = await store.registration(seen.registration_id)
    slot = await store.slot(registration.slot_id) if registration else None
    offer = await store.offer(registration.offer_id) if registration else None
    if registration is None or slot is None or offer is None:
        raise errors.AnswerLinkIsOver
    return registration, slot, registration_view(registration, slot_view(slot, offer))


def _must_be_open(registration: Registration, slot: Slot, seen: AsSeen, now: datetime) -> None:
    if (registration.version, slot.revision) != (seen.version, seen.revision):
        raise errors.AnswerLinkIsOver
    must_be_ahead(slot, now)


def _called_off_next(registration: Registration, seen: AsSeen) -> bool:
    """Whether the next thing after the mail was that the school called the registration off."""
    by_school = registration.state == "cancelled" and registration.cancelled_by == "school"
    return by_school and registration.version == seen.version + 1


def _confirmed_next(registration: Registration, slot: Slot, seen: AsSeen) -> bool:
    question = registration.question
    confirmed = question is not None and question.confirmed_at is not None and question.revision == slot.revision
    return confirmed and registration.state == "confirmed" and registration.version == seen.version + 1


def _asked(action: Action, token: str, seen: AsSeen, now: datetime) -> dict[str, Any]:
    """Who follows the same link twice asks the same."""
    return {
        "now": now, "request_id": derived_id(token, action), "correlation_id": correlation_id.get(),
        "registration_id": seen.registration_id, "seen": do.Seen(seen.version, seen.revision),
    }  # fmt: skip
