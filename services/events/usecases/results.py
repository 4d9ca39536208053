"""What people and programs get: the answers of the API, and what pages show."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from services.events.domain.facts import (
    Approval,
    Cause,
    Offer,
    OfferState,
    Question,
    Registration,
    Side,
    Slot,
    WaitingList,
)
from shared.bounds import WallClock
from shared.offsets import own_offsets, texts_of
from shared.schemas.events import GroupFacts, OfferFacts, Place, RegistrationState
from shared.schemas.outreach import Contact

Item = TypeVar("Item")


class ListOf(BaseModel, Generic[Item]):
    """A page of a list; `next` is the value of `after` for the following one."""

    items: list[Item]
    next: str | None = None


class ConfirmAgainView(BaseModel):
    asked: int
    until: int


class QuestionView(BaseModel):
    """Whether the group still comes: asked when, to be answered until when, and when the school said yes."""

    asked_at: datetime
    until: datetime
    confirmed_at: datetime | None
    awaits_answer: bool

    def answer_until(self, zone: str) -> datetime:
        """The wall time until which the school can answer."""
        return self.until.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


class OfferView(BaseModel):
    id: str
    campaign_id: str
    company_id: str
    company_name: str
    title: str
    description: str
    field: str
    place: Place
    requirements: list[str]
    contact: Contact | None
    grades: list[int]
    approval: Approval
    waiting_list: WaitingList
    offer_school_days: int
    groups_per_school: int | None
    confirm_again: ConfirmAgainView | None
    reminder_days: list[int]
    reminders: str
    state: OfferState
    check_reason: str = ""
    version: int


class OfferInSlot(BaseModel):
    id: str
    title: str
    description: str
    field: str
    company_id: str
    company_name: str
    place: Place
    requirements: list[str]
    reminder_days: list[int]
    state: OfferState


class MoveView(BaseModel):
    """That a slot was moved, and when it would have begun before."""

    at: datetime
    starts_local: WallClock


class SlotView(BaseModel):
    id: str
    campaign_id: str
    offer: OfferInSlot
    starts_local: WallClock
    ends_local: WallClock
    zone: str
    starts_at: datetime
    ends_at: datetime
    places: int
    taken: int
    free: int
    groups: int
    groups_taken: int
    waiting: int
    grades: list[int]
    state: Literal["open", "cancelled"]
    reason: str
    approval: Approval
    waiting_list: WaitingList
    groups_per_school: int | None
    distance_km: float | None = None
    moves: list[MoveView] = []
    revision: int
    version: int


class LeftOut(BaseModel):
    day: date
    reason: str


class SlotsOpened(BaseModel):
    slots: list[SlotView]
    skipped: list[LeftOut]


class MailTrouble(BaseModel):
    recipient_role: str
    answer: str
    failed_at: datetime


class RegistrationView(BaseModel):
    id: str
    state: RegistrationState
    slot_id: str
    campaign_id: str
    company_id: str
    school_id: str
    school_name: str
    group: GroupFacts
    contact: Contact
    acknowledged: bool
    version: int
    created_at: datetime
    changed_at: datetime
    offer_expires_at: datetime | None
    waiting_before: int | None = None
    cancelled_by: Side | None
    cause: Cause = ""
    reason: str
    question: QuestionView | None = None
    pupils_attended: int | None
    mail_trouble: MailTrouble | None
    registered_by: str = Field("", exclude=True)  # for the pages of the school, which may know its name
    slot: SlotView | None = None
    company_contact: Contact | None = None


class SkippedView(BaseModel):
    registration_id: str
    pupils: int
    reason: Literal["group_larger_than_free_places", "no_room_for_another_group"]


class RunView(BaseModel):
    at: datetime
    free: int
    free_groups: int
    offered: list[str]
    skipped: list[SkippedView]
    skipped_in_all: int


class WaitingView(BaseModel):
    registration: RegistrationView
    place_in_line: int | None
    last_skipped_at: datetime | None = None
    last_skipped_because: Literal["group_larger_than_free_places", "no_room_for_another_group"] | None = None
    times_skipped: int = 0


class WaitingListView(BaseModel):
    """Who waits, in order; who is offered places; and what became of places that came free, latest first."""

    slot_id: str
    policy: WaitingList
    waiting: list[WaitingView]
    offered: list[RegistrationView]
    log: list[RunView]


class SelfFoundView(BaseModel):
    id: str
    campaign_id: str
    school_id: str
    group: GroupFacts
    company_name: str
    field: str
    day: date
    withdrawn: bool
    version: int


class Difference(BaseModel):
    slot_id: str
    what: str
    counter: int
    rows: int


class Reconciliation(BaseModel):
    slots_checked: int
    differences: list[Difference]
    carried_out: int = 0


def offer_view(offer: Offer, with_contact: bool) -> OfferView:
    """The offer; its contact only for those who may see it."""
    facts = offer.facts.model_dump(exclude={"offer_id", "contact", "state", "reminders"})
    return OfferView(
        id=offer.id,
        contact=offer.facts.contact if with_contact else None,
        state=offer.state,
        check_reason=offer.check_reason if with_contact else "",
        grades=list(offer.grades),
        approval=offer.approval,
        waiting_list=offer.waiting_list,
        offer_school_days=offer.offer_school_days,
        groups_per_school=offer.groups_per_school,
        confirm_again=ConfirmAgainView(**asdict(offer.confirm_again)) if offer.confirm_again else None,
        reminders=_reminders(offer.facts),
        version=offer.version,
        **facts,
    )


def _reminders(facts: OfferFacts) -> str:
    """Short texts; empty when it is as the campaign says."""
    own = own_offsets(facts.reminders, facts.reminder_days)
    return "" if own is None else ", ".join(texts_of(own)) or "none"


def slot_view(slot: Slot, offer: Offer, distance_km: float | None = None) -> SlotView:
    """The slot with what must be known of its offer before booking."""
    facts = offer.facts
    return SlotView(
        id=slot.id,
        campaign_id=slot.campaign_id,
        offer=OfferInSlot(
            id=offer.id,
            title=facts.title,
            description=facts.description,
            field=facts.field,
            company_id=facts.company_id,
            company_name=facts.company_name,
            place=facts.place,
            requirements=facts.requirements,
            reminder_days=facts.reminder_days,
            state=offer.state,
        ),
        starts_local=slot.starts_local,
        ends_local=slot.ends_local,
        zone=slot.zone,
        starts_at=slot.starts_utc,
        ends_at=slot.ends_utc,
        places=slot.places,
        taken=slot.taken,
        free=slot.free,
        groups=slot.groups,
        groups_taken=slot.groups_taken,
        waiting=slot.waiting,
        grades=list(slot.grades),
        state=slot.state,
        reason=slot.reason,
        approval=slot.approval,
        waiting_list=slot.waiting_list,
        groups_per_school=slot.groups_per_school,
        distance_km=distance_km,
        moves=[MoveView(at=move.at, starts_local=move.starts_local) for move in slot.moves],
        revision=slot.revision,
        version=slot.version,
    )


def registration_view(
    registration: Registration,
    slot: SlotView | None = None,
    *,
    waiting_before: int | None = None,
    company_contact: Contact | None = None,
) -> RegistrationView:
    """The registration as its school and its company see it."""
    trouble, question = registration.mail_trouble, registration.question
    about_this = question is not None and (slot is None or question.revision == slot.revision)
    return RegistrationView(
        id=registration.id,
        state=registration.state,
        slot_id=registration.slot_id,
        campaign_id=registration.campaign_id,
        company_id=registration.company_id,
        school_id=registration.school_id,
        school_name=registration.school_name,
        group=registration.group,
        contact=registration.contact,
        acknowledged=registration.acknowledged,
        version=registration.version,
        created_at=registration.created_at.astimezone(UTC),
        changed_at=registration.changed_at.astimezone(UTC),
        offer_expires_at=registration.offer_expires_at,
        waiting_before=waiting_before,
        cancelled_by=registration.cancelled_by,
        cause=registration.cause,
        reason=registration.reason,
        question=_question_view(registration, question) if question and about_this else None,
        pupils_attended=registration.pupils_attended,
        mail_trouble=MailTrouble(**trouble) if trouble else None,
        registered_by=registration.registered_by,
        slot=slot,
        company_contact=company_contact,
    )


def _question_view(registration: Registration, question: Question) -> QuestionView:
    facts = asdict(question)
    awaits_answer = registration.awaits_answer(facts.pop("revision"))
    return QuestionView(**facts, awaits_answer=awaits_answer)
