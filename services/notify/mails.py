"""Who gets which mail: one function per kind. The words stand in the folder of the same name below mails/."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.notify.consent import Participant
from services.notify.domain import Letter, Recipient
from shared.schemas.events import OfferFacts, RegistrationFacts
from shared.schemas.outreach import ColleagueInvited, Contact, SignInRequested, TeamMember, VisitFacts


@dataclass(frozen=True)
class RegistrationCase:
    """A registration with its slot as it is known now. `company_knows`: the company got a mail about it before."""

    facts: RegistrationFacts
    company_knows: bool

    @property
    def teacher(self) -> Recipient:
        """The contact of the group."""
        return _contact("teacher", self.facts.contact)

    @property
    def company(self) -> Recipient:
        """The contact of the offer."""
        return _contact("company", self.facts.slot.offer.contact)

    @property
    def confirmed(self) -> bool:
        """Whether the group has its places, and so an entry in calendars."""
        return self.facts.state == "confirmed"


@dataclass(frozen=True)
class VisitCase:
    """A visit, and who coordinates."""

    facts: VisitFacts
    coordinators: tuple[Recipient, ...]

    @property
    def school(self) -> Recipient:
        """The contact of the group."""
        return _contact("teacher", self.facts.contact)

    @property
    def team(self) -> list[Recipient]:
        """The ambassadors who were asked and did not decline."""
        return [_member(member) for member in self.facts.team if member.answer != "declined"]

    @property
    def gone(self) -> list[Recipient]:
        """The ambassadors who said that they do not come."""
        return [_member(member) for member in self.facts.team if member.answer == "declined"]


def sign_in(message: SignInRequested) -> list[Letter]:
    """To whoever asked to sign in: the link and the code."""
    return [Letter("sign_in", Recipient("person", message.name, message.email, message.language))]


def invitation(message: ColleagueInvited) -> list[Letter]:
    """To whoever is asked to act for a school or company."""
    return [Letter("invitation", Recipient("person", message.name, message.email, message.language))]


def registration_requested(case: RegistrationCase) -> list[Letter]:
    """A receipt to the teacher; to the company: please approve or decline."""
    return [Letter("registration_requested", case.teacher), Letter("registration_requested", case.company)]


def registration_confirmed(case: RegistrationCase) -> list[Letter]:
    """To both, with the entry for their calendars."""
    return [
        Letter("registration_confirmed", case.teacher, "REQUEST"),
        Letter("registration_confirmed", case.company, "REQUEST"),
    ]


def registration_declined(case: RegistrationCase) -> list[Letter]:
    """To the teacher: the company cannot take the group."""
    return [Letter("registration_declined", case.teacher)]


def registration_waitlisted(case: RegistrationCase) -> list[Letter]:
    """To the teacher: what the waiting list means."""
    return [Letter("registration_waitlisted", case.teacher)]


def places_offered(case: RegistrationCase) -> list[Letter]:
    """To the teacher: places came free, until when they are held."""
    return [Letter("places_offered", case.teacher)]


def offered_places_expired(case: RegistrationCase) -> list[Letter]:
    """To the teacher: the places went on to the next group."""
    return [Letter("offered_places_expired", case.teacher)]


def registration_cancelled(case: RegistrationCase) -> list[Letter]:
    """To the teacher, and to the company when it had heard of the group; entries disappear."""
    letters = [Letter("registration_cancelled", case.teacher, "CANCEL")]
    return letters + [Letter("registration_cancelled", case.company, "CANCEL")] * case.company_knows


def registration_called_off(case: RegistrationCase) -> list[Letter]:
    """By somebody, or because the school was asked again and has not answered."""
    if case.facts.cause == "not_confirmed_again":
        return registration_released(case)
    return registration_cancelled(case)


def registration_released(case: RegistrationCase) -> list[Letter]:
    """To both: nobody said in time that the group still comes; entries disappear."""
    return [
        Letter("registration_released", case.teacher, "CANCEL"),
        Letter("registration_released", case.company, "CANCEL"),
    ]


def confirmation_asked(case: RegistrationCase) -> list[Letter]:
    """To the teacher: does the group still come?"""
    return [Letter("confirmation_asked", case.teacher)]


def registration_resized(case: RegistrationCase) -> list[Letter]:
    """To the teacher, and to the company when it had heard of the group; entries are brought up to date."""
    method = "REQUEST" if case.confirmed else None
    letters = [Letter("registration_resized", case.teacher, method)]
    return letters + [Letter("registration_resized", case.company, method)] * case.company_knows


def slot_moved(case: RegistrationCase) -> list[Letter]:
    """To every teacher with a live registration; to the company for the groups that have an entry."""
    if not case.confirmed:
        return [Letter("slot_moved", case.teacher)]
    return [Letter("slot_moved", case.teacher, "REQUEST"), Letter("slot_moved", case.company, "REQUEST")]


def offer_changed(case: RegistrationCase) -> list[Letter]:
    """To every teacher with a live registration: place or requirements are others; teachers' entries are brought up to
    date. Not to the company, which made the change; its entry gets the new facts with its next mail."""
    return [Letter("offer_changed", case.teacher, "REQUEST" if case.confirmed else None)]


def offer_published(offer: OfferFacts) -> list[Letter]:
    """To the company: the coordinator has published the offer."""
    return [Letter("offer_published", _contact("company", offer.contact))]


def offer_sent_back(offer: OfferFacts) -> list[Letter]:
    """To the company: the coordinator asks for a change."""
    return [Letter("offer_sent_back", _contact("company", offer.contact))]


def slot_reminder(case: RegistrationCase) -> list[Letter]:
    """To both."""
    return [Letter("slot_reminder", case.teacher), Letter("slot_reminder", case.company)]


def contact_changed(former: RegistrationCase, present: RegistrationCase) -> list[Letter]:
    """The entry leaves the calendar of the company's former contact, and comes into that of the present one."""
    return [
        Letter("contact_changed", former.company, "CANCEL"), Letter("contact_changed", present.company, "REQUEST"),
    ]  # fmt: skip


def reminder_digest(to: Recipient) -> list[Letter]:
    """To whom several reminders would go on one day; see `digest`."""
    return [Letter("reminder_digest", to)]


def no_mail(case: RegistrationCase | VisitCase) -> list[Letter]:
    """Some transitions need no mail: attendance, and a visit that took place."""
    return []


def visit_requested(case: VisitCase) -> list[Letter]:
    """A receipt to the school; to every coordinator: a team is wanted."""
    letters = [Letter("visit_requested", case.school)]
    return letters + [Letter("visit_requested", coordinator) for coordinator in case.coordinators]


def visit_proposed(case: VisitCase) -> list[Letter]:
    """To each ambassador: please accept or decline; to the school, too, when it has not asked for this date."""
    letters = [Letter("visit_proposed", member) for member in case.team]
    return letters + [Letter("visit_date_proposed", case.school)] * (case.facts.school_answer == "open")


def visit_date_proposed(case: VisitCase) -> list[Letter]:
    """To the school: does this date suit? It goes along with `visit_proposed`."""
    return [Letter("visit_date_proposed", case.school)]


def visit_proposal_declined(case: VisitCase) -> list[Letter]:
    """To every coordinator: another team is wanted; to the others of the team: they are free again."""
    return _fallen("visit_proposal_declined", case)


def visit_proposal_withdrawn(case: VisitCase) -> list[Letter]:
    """To every coordinator and the whole team."""
    return _fallen("visit_proposal_withdrawn", case)


def visit_proposal_expired(case: VisitCase) -> list[Letter]:
    """To every coordinator and the whole team."""
    return _fallen("visit_proposal_expired", case)


def _fallen(kind: str, case: VisitCase) -> list[Letter]:
    return [Letter(kind, to) for to in (*case.coordinators, *case.team)]


def visit_confirmed(case: VisitCase) -> list[Letter]:
    """To the school and each ambassador, with the entry for their calendars."""
    return [Letter("visit_confirmed", to, "REQUEST") for to in (case.school, *case.team)]


def visit_moved(case: VisitCase) -> list[Letter]:
    """To the school and each ambassador; entries move."""
    return [Letter("visit_moved", to, "REQUEST") for to in (case.school, *case.team)]


def visit_member_left(case: VisitCase) -> list[Letter]:
    """To who dropped out, whose entry disappears; to the school, the others and every coordinator, whose entries stay:
    the visit takes place with a smaller team."""
    letters = [Letter("visit_member_left", to, "CANCEL") for to in case.gone]
    return letters + [Letter("visit_team_smaller", to) for to in (case.school, *case.team, *case.coordinators)]


def visit_cancelled(case: VisitCase) -> list[Letter]:
    """To the school, each ambassador and every coordinator; entries disappear."""
    letters = [Letter("visit_cancelled", to, "CANCEL") for to in (case.school, *case.team)]
    return letters + [Letter("visit_cancelled", coordinator) for coordinator in case.coordinators]


def visit_reminder(case: VisitCase) -> list[Letter]:
    """To the school and each ambassador."""
    return [Letter("visit_reminder", to) for to in (case.school, *case.team)]


def pupil_question(participant: Participant) -> list[Letter]:
    """What is to be said or asked now: a parent first, then the pupil, then the pupil's own page."""
    to = Recipient("pupil", "", participant.email, participant.language, participant.id)
    if participant.state == "parent_asked":
        return [Letter("parent_question", Recipient("parent", "", participant.parent_email, to.language, to.id))]
    return [Letter("pupil_confirmation" if participant.state == "pupil_asked" else "pupil_welcome", to)]


def pupil_reminder(participant: Participant) -> list[Letter]:
    """To the pupil, and to nobody else."""
    to = Recipient("pupil", "", participant.email, participant.language, participant.id)
    return [Letter("pupil_reminder", to)]


def address_suppressed(coordinators: Sequence[Recipient]) -> list[Letter]:
    """To every coordinator: an address refuses mails."""
    return [Letter("address_suppressed", coordinator) for coordinator in coordinators]


def webhook_paused(coordinators: Sequence[Recipient]) -> list[Letter]:
    """To every coordinator: a program is not told any more, because nothing arrives."""
    return [Letter("webhook_paused", coordinator) for coordinator in coordinators]


KINDS = (
    "sign_in", "invitation",
    "registration_requested", "registration_confirmed", "registration_declined", "registration_waitlisted",
    "places_offered", "offered_places_expired", "registration_cancelled", "registration_resized", "slot_moved",
    "confirmation_asked", "registration_released",
    "slot_reminder", "reminder_digest", "visit_requested", "visit_proposed", "visit_date_proposed",
    "visit_proposal_declined",
    "visit_proposal_withdrawn", "visit_proposal_expired", "visit_confirmed", "visit_moved", "visit_cancelled",
    "visit_member_left", "visit_team_smaller",
    "visit_reminder", "address_suppressed", "webhook_paused", "offer_changed", "contact_changed", "offer_published",
    "offer_sent_back",
    "parent_question", "pupil_confirmation", "pupil_welcome", "pupil_reminder",
)  # fmt: skip


def _member(member: TeamMember) -> Recipient:
    return Recipient("ambassador", member.name, member.email, member.language, member.ambassador_id)


def _contact(role: Literal["teacher", "company"], contact: Contact) -> Recipient:
    return Recipient(role, contact.name, contact.email, contact.language)
