"""What somebody can do with a visit now, and which step comes next: for pages, which say it in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.outreach.domain.visits import Visit
from services.outreach.usecases import visit_rights as rights
from shared.auth import Identity

Step = Literal[
    "propose", "wait_for_proposal", "dates_passed", "answer", "agree", "wait_for_answers", "unanswered", "come",
    "record",
    "wait_for_record", "over",
]  # fmt: skip
NEEDS_ME: frozenset[Step] = frozenset({"propose", "answer", "agree", "record"})


@dataclass(frozen=True)
class Steps:
    """`next` is the step that comes next, `accepted` this person's own answer; the others say what is possible."""

    next: Step
    can_propose: bool
    can_answer: bool
    can_agree: bool
    can_change_dates: bool
    can_withdraw: bool
    can_move: bool
    can_cancel: bool
    can_complete: bool
    can_leave: bool
    can_take_out: bool
    accepted: bool

    @property
    def needs_me(self) -> bool:
        """Whether the next step is up to this person."""
        stuck = self.next in ("dates_passed", "unanswered") and self.can_cancel
        return self.next in NEEDS_ME or stuck


def steps(identity: Identity, visit: Visit, now: datetime) -> Steps:
    """What `identity` can do with `visit` now."""
    active = visit.state in ("requested", "proposed", "confirmed")
    member = visit.member_of(identity.id) if rights.in_team(identity, visit) else None
    begun = visit.chosen is not None and visit.chosen.starts_utc <= now
    school = rights.for_school(identity, visit)
    droppable = visit.state == "confirmed" and not begun and len(visit.team) > 1
    possible = {
        "can_propose": visit.state == "requested" and (identity.coordinates or identity.has("company")),
        "can_answer": visit.state == "proposed" and not begun and member is not None and member.answer == "open",
        "can_agree": visit.state == "proposed" and not begun and school and visit.school_answer == "open",
        "can_change_dates": visit.state in ("requested", "proposed") and school,
        "can_withdraw": visit.state == "proposed" and rights.withdraws(identity, visit),
        "can_move": identity.coordinates and (visit.state == "proposed" or (visit.state == "confirmed" and not begun)),
        "can_cancel": active and rights.calls_off(identity, visit),
        "can_complete": visit.state == "confirmed" and begun and rights.sees_contact(identity, visit),
        "can_leave": droppable and member is not None,
        "can_take_out": droppable and any(rights.takes_out(identity, each) for each in visit.team),
        "accepted": visit.state == "proposed" and member is not None and member.answer == "accepted",
    }
    return Steps(_next(visit, possible, begun, identity.coordinates, now), **possible)


def _next(visit: Visit, possible: dict[str, bool], begun: bool, coordinates: bool, now: datetime) -> Step:
    if visit.state == "requested":
        if all(date.starts_utc <= now for date in visit.alternatives):
            return "dates_passed"
        return "propose" if possible["can_propose"] else "wait_for_proposal"
    if visit.state == "proposed":
        if begun:
            return "unanswered"
        if possible["can_answer"]:
            return "answer"
        return "agree" if possible["can_agree"] and not coordinates else "wait_for_answers"
    if visit.state == "confirmed":
        if not begun:
            return "come"
        return "record" if possible["can_complete"] else "wait_for_record"
    return "over"
