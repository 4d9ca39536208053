"""What tests of `outreach` need: people, a movable clock, messages as `events` says them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.auth import Identity
from shared.schemas.events import (
    GroupFacts,
    OfferFacts,
    Place,
    RegistrationConfirmed,
    RegistrationFacts,
    SelfFoundPlaceRecorded,
    SlotFacts,
    SlotOpened,
)
from shared.schemas.outreach import Contact, Role

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
SECRET = "a-secret-key-of-at-least-32-characters"
CONTACT = Contact(name="Toni Lehrkraft", email="toni.lehrkraft@schule.example", phone="+49 30 23125 000")


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The moment to which it was set."""
        return self.moment

    def forward(self, by: timedelta) -> None:
        """Move it."""
        self.moment += by


def identity(*roles: tuple[str, str], id: str = "somebody") -> Identity:
    """A signed-in person with (kind, organisation) roles."""
    return Identity(id, "person", "Erika Muster", tuple(Role(kind=k, organisation_id=o) for k, o in roles))


COORDINATOR = identity(("coordinator", "agency"), id="coordinator")
NOBODY = identity()


def campaign_body(**other: Any) -> dict[str, Any]:
    """A campaign as the API takes it."""
    return {
        "name": "Muster-Kampagne",
        "starts_on": "2026-11-01",
        "ends_on": "2027-06-30",
        "districts": ["05958", "05970"],
        "kinds": ["tour", "visit"],
        "offers_from": "2026-11-01T00:00:00Z",
        "booking_from": "2026-11-15T08:00:00Z",
        "closes_at": "2027-06-01T00:00:00Z",
        **other,
    }


def offer(campaign_id: str, company_id: str = "c1", district: str = "05970", field: str = "M") -> OfferFacts:
    """A company's offer."""
    place = Place(name="Werk 1", street="Weg 1", postal_code="57072", town="Siegen", district_ags=district)
    return OfferFacts(
        offer_id=f"offer-{company_id}", campaign_id=campaign_id, company_id=company_id, company_name="Musterwerk",
        title="Rundgang", description="", field=field, place=place, requirements=[], contact=CONTACT,
        reminder_days=[14, 2], state="published",
    )  # fmt: skip


def slot(of: OfferFacts, number: int = 1, places: int = 30, state: str = "open") -> SlotFacts:
    """A dated place to go."""
    return SlotFacts(
        slot_id=f"{of.offer_id}-slot-{number}", offer=of, starts_local=datetime(2026, 12, 1, 9),
        ends_local=datetime(2026, 12, 1, 12), zone="Europe/Berlin", places=places, groups=2, grades=[8],
        state=state, revision=1,
    )  # fmt: skip


def registration(
    on: SlotFacts, number: int, pupils: int = 24, version: int = 1, state: str = "confirmed", **other: Any
) -> RegistrationFacts:
    """A group on a slot; its school lies in 05958 and is a Gesamtschule."""
    group = GroupFacts(name=f"8{number}", grade=8, pupils=pupils, adults=2, needs="")
    return RegistrationFacts(
        **{
            "registration_id": f"registration-{number}", "slot": on, "school_id": "100022", "school_name": "Muster",
            "school_type": "15", "school_district_ags": "05958", "group": group, "contact": CONTACT, "state": state,
            "version": version, **other,
        }
    )  # fmt: skip


def confirmed(facts: RegistrationFacts) -> RegistrationConfirmed:
    """What `events` says of a confirmed registration."""
    return RegistrationConfirmed.about(
        f"registration:{facts.registration_id}", facts.version, now=NOW, registration=facts
    )


def opened(facts: SlotFacts) -> SlotOpened:
    """What `events` says of a new slot."""
    return SlotOpened.about(f"slot:{facts.slot_id}", 1, now=NOW, slot=facts)


def self_found(campaign_id: str, pupils: int = 4, version: int = 1, withdrawn: bool = False) -> SelfFoundPlaceRecorded:
    """What `events` says of places that a school found by itself."""
    return SelfFoundPlaceRecorded.about(
        "self_found:1", version, now=NOW, record_id="1", campaign_id=campaign_id, school_id="100022",
        school_type="15", school_district_ags="05958",
        group=GroupFacts(name="8z", grade=8, pupils=pupils, adults=0), company_name="Selbst gefunden", field="M",
        day=date(2026, 12, 1), withdrawn=withdrawn,
    )  # fmt: skip
