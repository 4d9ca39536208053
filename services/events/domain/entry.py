"""What a registration is at the beginning."""

from services.events.domain.commands import Register
from services.events.domain.facts import Registration, School, Slot
from shared.schemas.events import RegistrationState


def new_registration(
    slot: Slot, command: Register, school: School, state: RegistrationState, position: int | None = None
) -> Registration:
    """The group of `command` on `slot`, in its first state."""
    return Registration(
        id=command.registration_id,
        slot_id=slot.id,
        offer_id=slot.offer_id,
        campaign_id=slot.campaign_id,
        company_id=slot.company_id,
        school_id=school.id,
        school_name=school.name,
        school_type=school.school_type,
        school_district_ags=school.district_ags,
        group=command.group,
        contact=command.contact,
        state=state,
        created_at=command.now,
        changed_at=command.now,
        position=position,
        acknowledged=command.acknowledged,
        last_request_id=command.request_id,
        registered_by=command.registered_by,
    )
