"""School visits: asked for with alternative dates, proposed to a team, confirmed by it, moved, called off, done."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from services.outreach.domain.ambassadors import Ambassador, Booking
from services.outreach.domain.common import Aggregate
from services.outreach.domain.people import Person
from services.outreach.domain.schools import School
from services.outreach.domain.visit_commands import MoveVisit, RequestDates, RequestVisit
from services.outreach.domain.visit_dates import Bounds, PlannedDate, WallTime
from services.outreach.domain.visit_errors import (
    AlreadyAccepted,
    AlreadyCancelled,
    AlreadyConfirmed,
    AlreadyDone,
    AlreadyProposed,
    AlternativeUnknown,
    AmbassadorTwice,
    ConfirmedCannotBeDeclined,
    ConfirmedCannotBeWithdrawn,
    ConfirmedHasItsDate,
    DateAccepted,
    LastOfTheTeam,
    NotConfirmedYet,
    NothingPlannedToMove,
    NothingProposed,
    NothingToMove,
    NotInTeam,
    NoVisitsInCampaign,
    TeamMissing,
    VisitFieldUnknown,
    VisitHasNotStarted,
    VisitHasStarted,
    VisitIsCancelled,
    VisitIsDone,
    VisitSchoolClosed,
    VisitSchoolNotInCampaign,
    VisitsClosed,
    VisitsNotOpenYet,
)
from shared import region
from shared.schemas.base import Facts
from shared.schemas.outreach import Contact, TeamMember, VisitFacts

State = Literal["requested", "proposed", "confirmed", "cancelled", "done"]
Answer = Literal["open", "accepted", "declined"]
MOST_DECLINES = 20


class Member(Facts):
    """An ambassador who is asked, with the answer; name and address are the person's."""

    ambassador_id: str
    person_id: str
    company_id: str
    answer: Answer = "open"


class Decline(Facts):
    """An earlier no, no answer in time, or a yes taken back: for which date, and why."""

    ambassador_id: str
    starts_local: WallTime
    reason: str = ""
    kind: Literal["declined", "no_answer", "left"] = "declined"


class Visit(Aggregate):
    """A visit; `chosen` is the date of the proposal or confirmation, `answer_by` until when a proposal is held.

    `school_answer` is open while a date is proposed that the school has not asked for. Contact, reasons and the texts
    of the team go at `erase_after`.
    """

    campaign_id: str
    school_id: str
    district_ags: str
    field: str
    grade: int
    group_name: str
    pupils: int
    contact: Contact
    alternatives: tuple[PlannedDate, ...]
    state: State = "requested"
    chosen: PlannedDate | None = None
    team: tuple[Member, ...] = ()
    declines: tuple[Decline, ...] = ()
    reason: str = ""
    pupils_reached: int | None = None
    room: str = ""
    material: str = ""
    preparation: str = ""
    answer_by: datetime | None = None
    school_answer: Literal["accepted", "open"] = "accepted"
    went_well: str = ""
    notes: str = ""
    requested_at: datetime
    erase_after: datetime | None = None

    @classmethod
    def requested(cls, id: str, command: RequestVisit, bounds: Bounds, erase_after: datetime, request_id: str) -> Self:
        """A new visit; one of the errors above when campaign, school, field or a date does not fit."""
        _must_take_requests(bounds)
        if command.field not in region.career_fields():
            raise VisitFieldUnknown
        return cls(
            id=id,
            last_request_id=request_id,
            district_ags=bounds.school.district_ags,
            group_name=command.group.name,
            pupils=command.group.pupils,
            contact=Contact(**command.contact.model_dump()),
            alternatives=bounds.check_all(command.alternatives),
            requested_at=bounds.now,
            erase_after=erase_after,
            **command.model_dump(include={"campaign_id", "school_id", "field", "grade", "room"}),
        )

    def proposed(
        self, alternative: int, team: Sequence[Ambassador], bounds: Bounds, request_id: str, **texts: str
    ) -> Self:
        """The next version: `team` is asked for one of the alternatives. AlreadyProposed, AlternativeUnknown, …

        `texts`: material and preparation.
        """
        self._must_be_active()
        if self.state != "requested":
            raise AlreadyProposed if self.state == "proposed" else AlreadyConfirmed
        if alternative >= len(self.alternatives):
            raise AlternativeUnknown
        if not team:
            raise TeamMissing
        if len({ambassador.id for ambassador in team}) < len(team):
            raise AmbassadorTwice
        chosen = self.alternatives[alternative]
        bounds.must_be_possible(chosen)
        members = tuple(
            Member(ambassador_id=each.id, person_id=each.person_id, company_id=each.company_id) for each in team
        )
        until = bounds.deadline(chosen)
        return self.changed(
            request_id, state="proposed", chosen=chosen, team=members, answer_by=until, reason="", **texts
        )

    def accepted(self, ambassador_id: str, now: datetime, request_id: str) -> Self:
        """The next version with a member's yes; `confirmed` with the last one. AlreadyAccepted, NotInTeam, …"""
        self._must_be_active()
        member = self._asked(ambassador_id)
        if member.answer == "accepted":
            raise AlreadyAccepted
        if self.chosen is None or self.state != "proposed":
            raise NothingProposed
        if self.chosen.starts_utc <= now:
            raise VisitHasStarted(date=self.chosen.starts_local)
        return self._with_answers(request_id, team=self._answered(member, "accepted"))

    def school_accepted(self, now: datetime, request_id: str) -> Self:
        """The next version with the school's yes to a date it had not asked for. DateAccepted, NothingProposed, …"""
        self._must_be_active()
        if self.chosen is None:
            raise NothingProposed
        if self.school_answer == "accepted":
            raise DateAccepted
        if self.chosen.starts_utc <= now:
            raise VisitHasStarted(date=self.chosen.starts_local)
        return self._with_answers(request_id, school_answer="accepted")

    def declined(self, ambassador_id: str, reason: str, request_id: str) -> tuple[Self, Self]:
        """The next version, open for another proposal, and the same with the team that was asked, for the message.

        ConfirmedCannotBeDeclined, NothingProposed, NotInTeam.
        """
        self._must_be_active()
        if self.state == "confirmed":
            raise ConfirmedCannotBeDeclined
        member = self._asked(ambassador_id)
        if self.chosen is None:
            raise NothingProposed
        decline = Decline(ambassador_id=ambassador_id, starts_local=self.chosen.starts_local, reason=reason)
        return self._open_again(request_id, [decline], team=self._answered(member, "declined"), reason=reason)

    def left_by(self, ambassador_id: str, reason: str, now: datetime, request_id: str) -> tuple[Self, Self]:
        """The next version, confirmed with the others of the team, and the same with the one who left, for the message.

        LastOfTheTeam, NotConfirmedYet, NotInTeam, VisitHasStarted.
        """
        self._must_be_active()
        member = self._asked(ambassador_id)
        if self.state != "confirmed" or self.chosen is None:
            raise NotConfirmedYet
        if self.chosen.starts_utc <= now:
            raise VisitHasStarted(date=self.chosen.starts_local)
        if len(self.team) == 1:
            raise LastOfTheTeam
        no = Decline(ambassador_id=ambassador_id, starts_local=self.chosen.starts_local, reason=reason, kind="left")
        told = self.changed(
            request_id, team=self._answered(member, "declined"), declines=(*self.declines, no)[-MOST_DECLINES:]
        )
        staying = tuple(each for each in self.team if each != member)
        return told.model_copy(update={"team": staying}), told.model_copy(update={"reason": reason})

    def withdrawn(self, reason: str, request_id: str) -> tuple[Self, Self]:
        """As `declined`, but taken back by those who proposed. ConfirmedCannotBeWithdrawn, NothingProposed."""
        self._must_be_active()
        if self.state == "confirmed":
            raise ConfirmedCannotBeWithdrawn
        if self.chosen is None:
            raise NothingProposed
        return self._open_again(request_id, [], reason=reason)

    def expired(self, now: datetime, request_id: str) -> tuple[Self, Self] | None:
        """As `declined`, when the answers are not complete at `answer_by`; None while they may still come."""
        if self.state != "proposed" or self.chosen is None or self.answer_by is None or now < self.answer_by:
            return None
        late = [
            Decline(ambassador_id=each.ambassador_id, starts_local=self.chosen.starts_local, kind="no_answer")
            for each in self.team
            if each.answer == "open"
        ]
        return self._open_again(request_id, late, reason="")

    def with_dates(self, command: RequestDates, bounds: Bounds, request_id: str) -> tuple[Self, Self | None]:
        """The next version with other dates, and what the team is told that was asked for one of the former.

        ConfirmedHasItsDate, and the errors of dates.
        """
        self._must_be_active()
        if self.state == "confirmed":
            raise ConfirmedHasItsDate
        given = self.model_copy(update={"alternatives": bounds.check_all(command.alternatives)})
        if self.chosen is None:
            return given.changed(request_id, reason=""), None
        return given._open_again(request_id, [], reason=command.reason)

    def moved(self, command: MoveVisit, bounds: Bounds, request_id: str) -> Self:
        """The next version at another date. A confirmed team stays; a team that is only asked is asked anew, and so is
        the school when it has not asked for this date.

        NothingPlannedToMove, NothingToMove, VisitHasStarted, and the errors of a date.
        """
        self._must_be_active()
        if self.chosen is None:
            raise NothingPlannedToMove
        if self.state == "confirmed" and self.chosen.starts_utc <= bounds.now:
            raise VisitHasStarted(date=self.chosen.starts_local)
        planned = bounds.check(command)
        if planned.same_time(self.chosen):
            raise NothingToMove
        if self.state == "confirmed":
            return self.changed(request_id, chosen=planned, reason=command.reason)
        asked_for = any(planned.same_time(each) for each in self.alternatives)
        return self.changed(
            request_id,
            chosen=planned,
            team=tuple(member.model_copy(update={"answer": "open"}) for member in self.team),
            answer_by=bounds.deadline(planned),
            school_answer="accepted" if asked_for else "open",
            reason=command.reason,
        )

    def cancelled(self, reason: str, request_id: str) -> Self:
        """The next version, called off; date and team stay, to tell of. AlreadyCancelled, VisitIsDone."""
        if self.state == "cancelled":
            raise AlreadyCancelled
        if self.state == "done":
            raise VisitIsDone
        return self.changed(request_id, state="cancelled", reason=reason, answer_by=None)

    def completed(self, pupils_reached: int, now: datetime, request_id: str, **texts: str) -> Self:
        """The next version, done; `texts`: went_well and notes. AlreadyDone, NotConfirmedYet, VisitHasNotStarted."""
        if self.state == "done":
            raise AlreadyDone
        self._must_be_active()
        if self.state != "confirmed" or self.chosen is None:
            raise NotConfirmedYet
        if now < self.chosen.starts_utc:
            raise VisitHasNotStarted(date=self.chosen.starts_local)
        return self.changed(request_id, state="done", pupils_reached=pupils_reached, **texts)

    def erased(self) -> Self:
        """The same without anything personal; `version` stays, for nobody else is told."""
        contact = Contact(name="", email="", language=self.contact.language)
        declines = tuple(each.model_copy(update={"reason": ""}) for each in self.declines)
        texts = dict.fromkeys(("reason", "room", "material", "preparation", "went_well", "notes"), "")
        return self.model_copy(update={"contact": contact, "declines": declines, "erase_after": None, **texts})

    def bookings(self) -> list[Booking]:
        """What the team's members are taken for by this visit."""
        if self.chosen is None or self.state in ("requested", "cancelled"):
            return []
        state = "held" if self.state == "proposed" else "confirmed"
        return [Booking.of(member.ambassador_id, self.id, self.campaign_id, self.chosen, state) for member in self.team]

    def member_of(self, person_id: str) -> Member | None:
        """The member who is this person."""
        return next((member for member in self.team if member.person_id == person_id), None)

    def companies(self) -> set[str]:
        """The companies of the team."""
        return {member.company_id for member in self.team}

    def facts(self, school: School, people: Mapping[str, Person], companies: Mapping[str, str]) -> VisitFacts:
        """As messages tell it; `people` by id, `companies`: names by id."""
        return VisitFacts(
            visit_id=self.id,
            school_name=school.short_name or school.name,
            school_address=f"{school.street}, {school.postal_code} {school.town}",
            alternatives=[date.facts() for date in self.alternatives],
            chosen=self.chosen.facts() if self.chosen else None,
            team=[_told(member, people.get(member.person_id), companies) for member in self.team],
            **self.model_dump(
                include={
                    "campaign_id", "school_id", "district_ags", "field", "grade", "group_name", "pupils", "contact",
                    "state", "reason", "pupils_reached", "version", "room", "material", "preparation", "answer_by",
                    "school_answer",
                }
            ),
        )  # fmt: skip

    def _with_answers(self, request_id: str, **answers: object) -> Self:
        """The next version with another answer; `confirmed` when it was the last one."""
        given = self.changed(request_id, **answers)
        everybody = all(each.answer == "accepted" for each in given.team) and given.school_answer == "accepted"
        return given.model_copy(update={"state": "confirmed", "answer_by": None}) if everybody else given

    def _open_again(self, request_id: str, declines: Sequence[Decline], **fields: object) -> tuple[Self, Self]:
        """The next version, open for another proposal, and the same with the team that was asked, for the message."""
        told = self.changed(
            request_id,
            state="requested",
            declines=(*self.declines, *declines)[-MOST_DECLINES:],
            answer_by=None,
            school_answer="accepted",
            **fields,
        )
        return told.model_copy(update={"team": (), "chosen": None}), told

    def _must_be_active(self) -> None:
        if self.state == "cancelled":
            raise VisitIsCancelled
        if self.state == "done":
            raise VisitIsDone

    def _asked(self, ambassador_id: str) -> Member:
        if not self.team:
            raise NothingProposed
        member = next((each for each in self.team if each.ambassador_id == ambassador_id), None)
        if member is None:
            raise NotInTeam
        return member

    def _answered(self, member: Member, answer: Answer) -> tuple[Member, ...]:
        given = member.model_copy(update={"answer": answer})
        return tuple(given if each == member else each for each in self.team)


def aggregate(visit_id: str) -> str:
    """What messages about a visit are about."""
    return f"visit:{visit_id}"


def _must_take_requests(bounds: Bounds) -> None:
    campaign, school = bounds.campaign, bounds.school
    if "visit" not in campaign.kinds:
        raise NoVisitsInCampaign
    if bounds.now < campaign.booking_from:
        raise VisitsNotOpenYet(booking_from=bounds.wall(campaign.booking_from))
    if bounds.now >= campaign.closes_at:
        raise VisitsClosed(closes_at=bounds.wall(campaign.closes_at))
    if not school.open:
        raise VisitSchoolClosed(school=school.short_name or school.name)
    if school.district_ags not in campaign.districts:
        raise VisitSchoolNotInCampaign(school=school.short_name or school.name)


def _told(member: Member, person: Person | None, companies: Mapping[str, str]) -> TeamMember:
    return TeamMember(
        ambassador_id=member.ambassador_id,
        person_id=member.person_id,
        name=person.name if person else "",
        email=person.email if person else "",
        language=person.language if person else "de",
        company_name=companies.get(member.company_id, ""),
        answer=member.answer,
    )
