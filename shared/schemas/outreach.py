"""What the service `outreach` says: organisations, people, keys, campaigns and visits."""

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import Field

from shared.schemas.base import Facts, Message

RoleKind = Literal["coordinator", "operator", "teacher", "company", "ambassador"]

Reminders = Literal["all", "last", "none"]


class OutreachMessage(Message):
    SOURCE: ClassVar[str] = "outreach"


class SchoolChanged(OutreachMessage):
    """A school was entered or its facts changed."""

    school_id: str
    name: str
    short_name: str
    school_type: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str
    district_ags: str
    lat: float | None
    lon: float | None
    pupils: int | None
    open: bool
    movable_days: list[date] = []


class CompanyChanged(OutreachMessage):
    """A company was entered or its facts changed."""

    company_id: str
    name: str
    street: str
    postal_code: str
    town: str
    municipality_ags: str | None
    district_ags: str | None
    lat: float | None
    lon: float | None
    active: bool


class Role(Facts):
    kind: RoleKind
    organisation_id: str


class PersonChanged(OutreachMessage):
    """A person was entered, changed, given other roles, signed out everywhere (`session_epoch` rises) or erased."""

    person_id: str
    name: str
    email: str
    language: Literal["de", "en"]
    roles: list[Role]
    session_epoch: int
    active: bool
    organisation_names: dict[str, str] = Field({}, description="Names of the organisations of `roles`, by their id")
    ended_sessions: list[str] = Field([], description="Ids of single sessions that ended within the last 12 hours")
    reminders: Reminders = Field("all", description="Which reminders of a date the person wants")


class ColleagueInvited(OutreachMessage):
    """Somebody was asked to act for an organisation. The token answers the invitation, once, until `expires_at`."""

    invitation_id: str
    kind: RoleKind
    organisation_name: str
    invited_by: str
    email: str
    name: str
    language: Literal["de", "en"]
    token: str
    expires_at: datetime


class ApiKeyChanged(OutreachMessage):
    """A program's key was issued or revoked. Only the SHA-256 of the key travels."""

    key_id: str
    key_hash: str
    name: str
    scopes: list[str]
    roles: list[Role]
    revoked: bool


class CampaignChanged(OutreachMessage):
    """A campaign was opened or changed. Instants are aware; days are the region's wall dates."""

    campaign_id: str
    name: str
    starts_on: date
    ends_on: date
    districts: list[str]
    kinds: list[Literal["tour", "visit"]]
    offers_from: datetime
    booking_from: datetime
    closes_at: datetime
    check_offers: bool = False
    reminders: list[str] | None = Field(
        None, description="When to remind unless an offer says otherwise, as in shared/offsets.py"
    )


class SignInRequested(OutreachMessage):
    """Somebody asked for a sign-in mail. The token works once and until `expires_at`."""

    person_id: str
    email: str
    name: str
    language: Literal["de", "en"]
    token: str
    code: str
    expires_at: datetime


class Contact(Facts):
    name: str
    email: str
    phone: str = ""
    language: Literal["de", "en"] = "de"


class VisitDate(Facts):
    """Local wall time of the region's zone; `lesson` is the school's own numbering when it gave one."""

    starts_local: datetime
    ends_local: datetime
    zone: str
    lesson: int | None = None


class TeamMember(Facts):
    ambassador_id: str
    person_id: str
    name: str
    email: str
    language: Literal["de", "en"]
    company_name: str
    answer: Literal["open", "accepted", "declined"]


class VisitFacts(Facts):
    visit_id: str
    campaign_id: str
    school_id: str
    school_name: str
    school_address: str
    district_ags: str
    field: str
    grade: int
    group_name: str
    pupils: int
    contact: Contact
    alternatives: list[VisitDate]
    chosen: VisitDate | None = None
    team: list[TeamMember] = []
    state: Literal["requested", "proposed", "confirmed", "cancelled", "done"]
    reason: str = ""
    pupils_reached: int | None = None
    version: int
    room: str = ""
    material: str = ""
    preparation: str = ""
    answer_by: datetime | None = None
    school_answer: Literal["accepted", "open"] = "accepted"


class VisitMessage(OutreachMessage):
    visit: VisitFacts


class VisitRequested(VisitMessage):
    """A school asked for a visit and gave alternative dates; or it gave others before a team was asked."""


class VisitProposed(VisitMessage):
    """A team was proposed for one of the dates; its members are asked to answer, until `visit.answer_by`.

    With `visit.school_answer` open it is a date that the school has not asked for: the school is asked too."""


class VisitProposalDeclined(VisitMessage):
    """A member declined (`reason`); the whole team is free again and the visit is back to `requested`.

    `visit.team` is the team that was asked, with the answers given."""


class VisitProposalWithdrawn(VisitMessage):
    """A proposal was taken back before it was confirmed, or the school wants other dates (`reason`); the visit is back
    to `requested`. `visit.team` is the team that was asked, with the answers given."""


class VisitProposalExpired(VisitMessage):
    """The answers were not complete in time; the visit is back to `requested`. `visit.team` as above."""


class VisitConfirmed(VisitMessage):
    """Every member accepted."""


class VisitMoved(VisitMessage):
    """A confirmed visit has another date."""


class VisitMemberLeft(VisitMessage):
    """A member of a confirmed team can no longer come (`reason`); the visit takes place with the others.

    `visit.team` is the team with the one who left, whose answer is `declined`."""


class VisitCancelled(VisitMessage):
    """A visit was called off, by the school, the coordinator or the company."""


class VisitCompleted(VisitMessage):
    """A visit took place and reached `pupils_reached` pupils."""
