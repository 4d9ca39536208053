"""What may become of an offer: its check before publication, its facts, and its return a year later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

from services.events.domain import errors
from services.events.domain.facts import Campaign, Check, ConfirmAgain, Offer, what_is_checked
from shared.schemas.events import OfferFacts

FactsState = Literal["published", "paused", "withdrawn"]
A_YEAR = timedelta(weeks=52)  # so that a Tuesday stays a Tuesday
PROMISED = ("place", "requirements")  # what groups that are registered have to be told of


def first_check(campaign: Campaign) -> Check:
    """Whether a new offer of the campaign waits for the coordinator."""
    return "waiting" if campaign.check_offers else ""


def published(offer: Offer, request_id: str) -> Offer:
    """The offer after the coordinator's yes. NotWaitingForCheck."""
    must_wait_for_check(offer)
    more = {"check": "", "check_reason": "", "checked": what_is_checked(offer.facts)}
    return _changed(offer, request_id, offer.facts.model_copy(update={"state": "published"}), **more)


def sent_back(offer: Offer, reason: str, request_id: str) -> Offer:
    """The offer that its company is asked to change. NotWaitingForCheck, ReasonNeeded."""
    must_wait_for_check(offer)
    if not reason:
        raise errors.ReasonNeeded
    return _changed(offer, request_id, offer.facts, check="sent_back", check_reason=reason)


def edited(
    offer: Offer, facts: OfferFacts, grades: Sequence[int], confirm_again: ConfirmAgain | None, request_id: str
) -> Offer:
    """The offer with other facts; one that was sent back waits for the coordinator again."""
    check: Check = "waiting" if offer.check else ""
    more = {"grades": tuple(sorted(set(grades))), "confirm_again": confirm_again}
    return _changed(offer, request_id, facts, check=check, check_reason="", **more)


def in_state(offer: Offer, state: FactsState, request_id: str) -> Offer:
    """The offer paused, taking bookings again, or withdrawn; one that was never published stays hidden."""
    check: Check = "sent_back" if offer.check else ""
    return _changed(offer, request_id, offer.facts.model_copy(update={"state": state}), check=check, check_reason="")


def promises_changed(before: OfferFacts, after: OfferFacts) -> list[str]:
    """What groups that are registered must be told."""
    return [name for name in PROMISED if getattr(before, name) != getattr(after, name)]


def must_wait_for_check(offer: Offer) -> None:
    """NotWaitingForCheck unless the coordinator still has to decide."""
    if offer.check != "waiting":
        raise errors.NotWaitingForCheck


def years_later(days: Sequence[date], starts_on: date) -> timedelta:
    """By how many whole years (of 52 weeks) `days` move so that the last of them does not lie before `starts_on`."""
    shift = A_YEAR
    while days and max(days) + shift < starts_on:
        shift += A_YEAR
    return shift


def _changed(offer: Offer, request_id: str, facts: OfferFacts, **more: Any) -> Offer:
    return replace(offer, facts=facts, version=offer.version + 1, last_request_id=request_id, **more)
