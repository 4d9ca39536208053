"""What a webhook is told: ids, state, version and where the API has more. Never a name, an address or a text that
somebody wrote: whoever may know more asks the API with a key. Pure."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from services.notify.webhooks.rules import CALLS_KEPT, TEST, Call, Webhook
from shared.ids import derived_id
from shared.schemas import events, outreach
from shared.schemas.base import Message
from shared.schemas.events import RegistrationMessage, SlotFacts
from shared.schemas.notify import DeliveryFailed
from shared.schemas.outreach import VisitMessage

TYPE_OF: dict[type[Message], str] = {
    events.RegistrationRequested: "registration.requested",
    events.RegistrationConfirmed: "registration.confirmed",
    events.RegistrationDeclined: "registration.declined",
    events.RegistrationWaitlisted: "registration.waitlisted",
    events.PlacesOffered: "registration.offered",
    events.OfferedPlacesExpired: "registration.expired",
    events.RegistrationResized: "registration.resized",
    events.RegistrationCancelled: "registration.cancelled",
    events.ConfirmationAsked: "registration.confirmation_asked",
    events.RegistrationConfirmedAgain: "registration.confirmed_again",
    events.RegistrationAttended: "registration.attended",
    events.RegistrationMissed: "registration.missed",
    events.SlotOpened: "slot.opened",
    events.SlotMoved: "slot.moved",
    events.SlotResized: "slot.resized",
    events.SlotCancelled: "slot.cancelled",
    outreach.VisitRequested: "visit.requested",
    outreach.VisitProposed: "visit.proposed",
    outreach.VisitProposalDeclined: "visit.declined",
    outreach.VisitProposalWithdrawn: "visit.withdrawn",
    outreach.VisitProposalExpired: "visit.expired",
    outreach.VisitConfirmed: "visit.confirmed",
    outreach.VisitMoved: "visit.moved",
    outreach.VisitMemberLeft: "visit.member_left",
    outreach.VisitCancelled: "visit.cancelled",
    outreach.VisitCompleted: "visit.completed",
}
ABOUT_DATES = ("registration", "visit", "offer")  # what a mail may be about without naming a person


def type_of(message: Message) -> str:
    """The type of webhook that tells of this message; empty for none."""
    if isinstance(message, DeliveryFailed):
        return "delivery.suppressed" if message.answer.startswith("suppressed") else "delivery.refused"
    return TYPE_OF.get(type(message), "")


def call_for(webhook: Webhook, message: Message, public_url: str, now: datetime) -> Call:
    """What is to be told to `webhook`; the same message gives the same call."""
    kind = type_of(message)
    payload = _text(kind, message.occurred_at, data_of(message, public_url))
    id = f"msg_{derived_id('webhook_call', webhook.id, message.id)}"
    return _call(id, webhook, kind, payload, message.aggregate, now, f"{message.type_name()} {message.id}")


def test_call(webhook: Webhook, now: datetime, request_id: str) -> Call:
    """A call by which somebody tries the address."""
    payload = _text(TEST, now, {"webhook_id": webhook.id, "state": webhook.state, "version": webhook.version})
    id = f"msg_{derived_id('webhook_test', webhook.id, request_id)}"
    return _call(id, webhook, TEST, payload, f"webhook:{webhook.id}", now, "")


def data_of(message: Message, public_url: str) -> dict[str, Any]:
    """The `data` of a payload."""
    if isinstance(message, RegistrationMessage):
        return _of_registration(message, public_url)
    if isinstance(message, VisitMessage):
        visit = message.visit
        ids = {"visit_id": visit.visit_id, "school_id": visit.school_id, "campaign_id": visit.campaign_id}
        url = f"{public_url}/outreach/api/v1/visits/{visit.visit_id}"
        return {**ids, "state": visit.state, "version": visit.version, "url": url}
    if isinstance(message, DeliveryFailed):
        return _of_delivery(message, public_url)
    slot: SlotFacts = message.slot  # type: ignore[attr-defined]
    return {
        **_ids_of(slot),
        "state": slot.state,
        "version": message.aggregate_version,
        "url": _slot_url(slot, public_url),
    }


def _of_registration(message: RegistrationMessage, public_url: str) -> dict[str, Any]:
    facts = message.registration
    return {
        "registration_id": facts.registration_id, "school_id": facts.school_id, **_ids_of(facts.slot),
        "state": facts.state, "version": facts.version,
        "url": f"{public_url}/events/api/v1/registrations/{facts.registration_id}",
    }  # fmt: skip


def _of_delivery(message: DeliveryFailed, public_url: str) -> dict[str, Any]:
    kind, _, id = message.concerns.partition(":")
    return {
        "delivery_id": message.delivery_id, **({f"{kind}_id": id} if kind in ABOUT_DATES else {}),
        "state": type_of(message).partition(".")[2], "version": message.aggregate_version,
        "url": f"{public_url}/notify/api/v1/deliveries/{quote(message.delivery_id, safe=':')}",
    }  # fmt: skip


def _ids_of(slot: SlotFacts) -> dict[str, str]:
    offer = slot.offer
    return {
        "slot_id": slot.slot_id, "offer_id": offer.offer_id, "company_id": offer.company_id,
        "campaign_id": offer.campaign_id,
    }  # fmt: skip


def _slot_url(slot: SlotFacts, public_url: str) -> str:
    return f"{public_url}/events/api/v1/slots/{slot.slot_id}"


def _text(kind: str, at: datetime, data: dict[str, Any]) -> str:
    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": timestamp, "data": data}, separators=(",", ":"))


def _call(id: str, webhook: Webhook, kind: str, payload: str, about: str, now: datetime, cause: str) -> Call:
    return Call(id, webhook.id, kind, payload, about, now, now, now + CALLS_KEPT, cause=cause)
