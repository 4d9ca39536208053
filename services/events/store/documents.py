"""Documents ↔ domain. Wall times and days are kept as ISO texts, moments as dates of MongoDB (UTC)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

from services.events.domain.facts import Campaign, ConfirmAgain, Moved, Offer, Question, Registration, School, Slot
from services.events.domain.history import Happened
from services.events.domain.promotion import PromotionRun
from shared.ids import registration_number
from shared.mongo import Document
from shared.region import postal_code
from shared.schemas.events import GroupFacts, OfferFacts
from shared.schemas.outreach import CampaignChanged, CompanyChanged, Contact, SchoolChanged
from shared.tally import changed_again
from shared.words import search_words

STEPS_KEPT = 40
SLOT_FIELDS = (
    "offer_id", "campaign_id", "company_id", "zone", "starts_utc", "ends_utc", "places", "groups", "approval",
    "waiting_list", "offer_school_days", "groups_per_school", "state", "reason", "taken", "groups_taken", "waiting",
    "next_position", "version", "revision", "last_request_id",
)  # fmt: skip
DECIDED_OF_SLOT = (
    "zone", "starts_utc", "ends_utc", "places", "groups", "state", "reason", "taken", "groups_taken", "waiting",
    "next_position", "version", "revision", "last_request_id",
)  # fmt: skip
OFFER_FIELDS = (
    "approval", "waiting_list", "offer_school_days", "groups_per_school", "created_at", "version", "last_request_id",
)  # fmt: skip
REGISTRATION_FIELDS = (
    "slot_id", "offer_id", "campaign_id", "company_id", "school_id", "school_name", "school_type",
    "school_district_ags", "state", "created_at", "changed_at", "version", "position", "offer_expires_at",
    "cancelled_by", "reason", "pupils_attended", "acknowledged", "last_request_id",
)  # fmt: skip
DECIDED_OF_REGISTRATION = (
    "state", "changed_at", "version", "offer_expires_at", "cancelled_by", "reason", "pupils_attended",
    "last_request_id", "said_at", "cause",
)  # fmt: skip


def slot_document(slot: Slot, offer: Offer) -> Document:
    """A new slot, with what the search needs of its offer."""
    return {
        "_id": slot.id,
        **{name: getattr(slot, name) for name in SLOT_FIELDS},
        **_derived_of_slot(slot),
        "grades": list(slot.grades),
        **offer_in_slot(offer),
    }


def offer_in_slot(offer: Offer) -> Document:
    """What the search needs of a slot's offer."""
    place = offer.facts.place
    return {
        "field": offer.facts.field,
        "offer_state": offer.seen_as,
        "district_ags": place.district_ags,
        "municipality_ags": municipality_of(place.postal_code),
        "lat": place.lat,
        "lon": place.lon,
        **changed_again(),
    }


def municipality_of(plz: str) -> str | None:
    """The key of the municipality in which a postal code lies; None outside the region."""
    found = postal_code(plz)
    return found.ags if found else None


def decided_of_slot(slot: Slot) -> Document:
    """What a decision may have changed."""
    return {**{name: getattr(slot, name) for name in DECIDED_OF_SLOT}, **_derived_of_slot(slot), "counted": False}


def _derived_of_slot(slot: Slot) -> Document:
    return {
        "starts_local": slot.starts_local.isoformat(),
        "ends_local": slot.ends_local.isoformat(),
        "free": slot.free,
        "free_groups": slot.free_groups,
        "holds_any": slot.groups_taken + slot.waiting > 0,
        "moves": [_move_document(move) for move in slot.moves],
    }


def _move_document(move: Moved) -> Document:
    return {"at": move.at, "starts_local": move.starts_local.isoformat(), "ends_local": move.ends_local.isoformat()}


def _move_of(document: Document) -> Moved:
    starts, ends = document["starts_local"], document["ends_local"]
    return Moved(document["at"], datetime.fromisoformat(starts), datetime.fromisoformat(ends))


def slot_of(document: Document) -> Slot:
    """The slot in its document."""
    return Slot(
        id=document["_id"],
        starts_local=datetime.fromisoformat(document["starts_local"]),
        ends_local=datetime.fromisoformat(document["ends_local"]),
        grades=tuple(document["grades"]),
        moves=tuple(_move_of(each) for each in document.get("moves", [])),
        **{name: document[name] for name in SLOT_FIELDS},
    )


def registration_document(
    registration: Registration, erase_after: datetime, steps: Sequence[Happened] = ()
) -> Document:
    """A new registration with its first steps. `erase_after` is when its personal fields go."""
    return {
        "_id": registration.id,
        **{name: getattr(registration, name) for name in REGISTRATION_FIELDS},
        "group": registration.group.model_dump(),
        "contact": registration.contact.model_dump(),
        **_question_document(registration),
        "active": registration.active,
        "words": registration_words(
            registration.id, registration.school_name, registration.group, registration.contact
        ),
        "key": registration.key,
        "erase_after": erase_after,
        "registered_by": registration.registered_by,
        "history": [asdict(step) for step in steps],
    }


def decided_of_registration(registration: Registration, steps: Sequence[Happened] = ()) -> Document:
    """What a decision may have changed of a registration that was there before, and the steps that it took; written by
    `registration_change`."""
    return {
        "_id": registration.id,
        **{name: getattr(registration, name) for name in DECIDED_OF_REGISTRATION},
        **_question_document(registration),
        "pupils": registration.group.pupils,
        "adults": registration.group.adults,
        "active": registration.active,
        "history": [asdict(step) for step in steps],
    }


def _question_document(registration: Registration) -> Document:
    """`open_question` is for finding what is to be released; a slot that moved makes it void."""
    question = registration.question
    unanswered = question is not None and registration.awaits_answer(question.revision)
    return {"question": asdict(question) if question else None, "open_question": unanswered}


def registration_change(decided: Document) -> Document:
    """The update for what `decided_of_registration` gave."""
    fields = {name: value for name, value in decided.items() if name not in ("_id", "pupils", "adults", "history")}
    steps = {"$each": decided.get("history", []), "$slice": -STEPS_KEPT}
    changed = {**fields, "group.pupils": decided["pupils"], "group.adults": decided["adults"]}
    return {"$set": changed, "$push": {"history": steps}}


def history_of(document: Document) -> list[Happened]:
    """The steps kept of a registration, the first one first."""
    return [Happened(**step) for step in document.get("history", [])]


def registration_of(document: Document) -> Registration:
    """The registration in its document."""
    return Registration(
        id=document["_id"],
        group=GroupFacts(**document["group"]),
        contact=Contact(**document["contact"]),
        mail_trouble=document.get("mail_trouble"),
        registered_by=document.get("registered_by", ""),
        noted_at=document.get("noted_at"),
        said_at=document.get("said_at"),
        question=Question(**document["question"]) if document.get("question") else None,
        cause=document.get("cause", ""),
        **{name: document[name] for name in REGISTRATION_FIELDS},
    )


def registration_words(id: str, school_name: str, group: GroupFacts, contact: Contact) -> list[str]:
    """What a registration can be found by: its number (whole and in halves), school, class, contact."""
    number = registration_number(id)
    return search_words(number, number.replace("-", ""), school_name, group.name, contact.name, contact.email)


def words_of_registration(row: Document) -> list[str]:
    """The same from a document."""
    group, contact = GroupFacts(**row["group"]), Contact(**row["contact"])
    return registration_words(row["_id"], row["school_name"], group, contact)


def offer_words(facts: OfferFacts) -> list[str]:
    """What an offer can be found by: its title, company, town, contact."""
    contact = facts.contact
    return search_words(facts.title, facts.company_name, facts.place.town, contact.name, contact.email)


def offer_document(offer: Offer, erase_after: datetime) -> Document:
    """An offer. `erase_after` is when its contact's personal fields go."""
    return {
        "_id": offer.id,
        "campaign_id": offer.facts.campaign_id,
        "company_id": offer.facts.company_id,
        **{name: getattr(offer, name) for name in OFFER_FIELDS},
        **decided_of_offer(offer),
        "erase_after": erase_after,
    }


def decided_of_offer(offer: Offer) -> Document:
    """What may change of an offer."""
    return {
        "facts": offer.facts.model_dump(),
        "grades": list(offer.grades),
        "words": offer_words(offer.facts),
        "check": offer.check,
        "check_reason": offer.check_reason,
        "checked": offer.checked,
        "changed_since_check": bool(offer.changed_since_check),
        "confirm_again": asdict(offer.confirm_again) if offer.confirm_again else None,
        "version": offer.version,
        "last_request_id": offer.last_request_id,
    }


def offer_of(document: Document) -> Offer:
    """The offer in its document."""
    return Offer(
        facts=OfferFacts(**document["facts"]),
        grades=tuple(document["grades"]),
        check=document.get("check", ""),
        check_reason=document.get("check_reason", ""),
        checked=document.get("checked"),
        confirm_again=ConfirmAgain(**document["confirm_again"]) if document.get("confirm_again") else None,
        **{name: document[name] for name in OFFER_FIELDS},
    )


def campaign_copy(message: CampaignChanged) -> Document:
    """The copy of a campaign."""
    facts = message.model_dump(exclude={"campaign_id", *_ENVELOPE})
    return {**facts, "starts_on": message.starts_on.isoformat(), "ends_on": message.ends_on.isoformat()}


def campaign_of(document: Document) -> Campaign:
    """The campaign in its copy."""
    return Campaign(
        id=document["_id"],
        name=document["name"],
        starts_on=date.fromisoformat(document["starts_on"]),
        ends_on=date.fromisoformat(document["ends_on"]),
        districts=tuple(document["districts"]),
        offers_from=document["offers_from"],
        booking_from=document["booking_from"],
        closes_at=document["closes_at"],
        check_offers=document.get("check_offers", False),
    )


def company_copy(message: CompanyChanged) -> Document:
    """The copy of a company."""
    return message.model_dump(exclude={"company_id", *_ENVELOPE})


def school_copy(message: SchoolChanged) -> Document:
    """The copy of a school."""
    facts = message.model_dump(exclude={"school_id", *_ENVELOPE})
    return {**facts, "movable_days": [day.isoformat() for day in message.movable_days]}


def school_of(document: Document) -> School:
    """The school in its copy."""
    return School(
        id=document["_id"],
        name=document["name"],
        school_type=document["school_type"],
        district_ags=document["district_ags"],
        open=document["open"],
        movable_days=frozenset(date.fromisoformat(day) for day in document["movable_days"]),
    )


def run_document(run: PromotionRun) -> Document:
    """A row of the waiting list's log."""
    return {
        "_id": f"{run.slot_id}:{run.slot_version}",
        "slot_id": run.slot_id,
        "slot_version": run.slot_version,
        "at": run.at,
        "free": run.free,
        "free_groups": run.free_groups,
        "offered": list(run.offered),
        "skipped": [asdict(each) for each in run.skipped],
        "skipped_in_all": run.skipped_in_all,
    }


def erasure_date(slot: Slot, kept: timedelta) -> datetime:
    """When the personal fields of the slot's registrations go."""
    return slot.ends_utc + kept


_ENVELOPE = {"id", "aggregate", "aggregate_version", "occurred_at", "correlation_id", "sequence"}
