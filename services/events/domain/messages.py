"""The domain's facts in the words of the messages."""

from services.events.domain.facts import Offer, Registration, Slot
from shared.schemas.events import RegistrationFacts, SlotFacts


def slot_facts(slot: Slot, offer: Offer) -> SlotFacts:
    """What messages say of a slot."""
    return SlotFacts(
        slot_id=slot.id,
        offer=offer.facts,
        starts_local=slot.starts_local,
        ends_local=slot.ends_local,
        zone=slot.zone,
        places=slot.places,
        groups=slot.groups,
        grades=list(slot.grades),
        state=slot.state,
        revision=slot.revision,
    )


def registration_facts(
    registration: Registration, slot: SlotFacts, previous_pupils: int | None = None
) -> RegistrationFacts:
    """What messages say of a registration, with the slot as it is at this moment."""
    question = registration.question
    return RegistrationFacts(
        registration_id=registration.id,
        slot=slot,
        school_id=registration.school_id,
        school_name=registration.school_name,
        school_type=registration.school_type,
        school_district_ags=registration.school_district_ags,
        group=registration.group,
        contact=registration.contact,
        state=registration.state,
        version=registration.version,
        offer_expires_at=registration.offer_expires_at,
        cancelled_by=registration.cancelled_by,
        reason=registration.reason,
        previous_pupils=previous_pupils,
        pupils_attended=registration.pupils_attended,
        answer_until=question.until if question and registration.awaits_answer(slot.revision) else None,
        cause=registration.cause,
    )
