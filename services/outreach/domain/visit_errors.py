"""The rules of school visits that a request can break; see visit_dates.py for dates, ambassadors.py for teams."""

from shared.errors import Conflict, Invalid, NotFound


class VisitNotFound(NotFound):
    """There is no such visit."""


class VisitCampaignUnknown(Invalid):
    """There is no such campaign."""

    field = "campaign_id"


class VisitSchoolUnknown(Invalid):
    """There is no such school."""

    field = "school_id"


class VisitSchoolClosed(Invalid):
    """{school} is closed according to the school register."""

    field = "school_id"


class VisitSchoolNotInCampaign(Invalid):
    """{school} does not lie in one of the campaign's districts."""

    field = "school_id"


class NoVisitsInCampaign(Invalid):
    """This campaign has no school visits."""

    field = "campaign_id"


class VisitFieldUnknown(Invalid):
    """This is not one of the 16 fields of work."""

    field = "field"


class VisitsNotOpenYet(Conflict):
    """Visits can be asked for from {booking_from} on."""


class VisitsClosed(Conflict):
    """Visits could be asked for until {closes_at}."""


class AlternativeUnknown(Invalid):
    """The visit has no such alternative; they are numbered from 0."""

    field = "alternative"


class AmbassadorTwice(Invalid):
    """Each ambassador can be in the team once."""

    field = "ambassador_ids"


class TeamMissing(Invalid):
    """Please choose at least one ambassador."""

    field = "ambassador_ids"


class VisitIsCancelled(Conflict):
    """This visit has been called off."""


class VisitIsDone(Conflict):
    """This visit has taken place."""


class AlreadyProposed(Conflict):
    """A team is proposed for this visit already. It can be proposed anew when a member has declined."""


class AlreadyConfirmed(Conflict):
    """This visit is confirmed already."""


class AlreadyAccepted(Conflict):
    """This ambassador has accepted already."""


class AlreadyCancelled(Conflict):
    """This visit has been called off already."""


class AlreadyDone(Conflict):
    """That this visit took place is recorded already."""


class NothingProposed(Conflict):
    """No date is proposed for this visit at the moment."""


class NotAskedAnyMore(Conflict):
    """You have said that you cannot come, or your answer did not come in time. This visit is not yours any more, and
    there is nothing to do."""


class NotInTeam(Conflict):
    """This ambassador is not asked for this visit (any more)."""

    field = "ambassador_id"


class ConfirmedCannotBeDeclined(Conflict):
    """This visit is confirmed already. Please ask the agency to move it or call it off."""


class ConfirmedCannotBeWithdrawn(Conflict):
    """This visit is confirmed already. It can only be moved or called off."""


class ConfirmedHasItsDate(Conflict):
    """This visit is confirmed already. Please ask the agency to move it, or call it off and ask again."""


class LastOfTheTeam(Conflict):
    """Nobody else is in the team. Please call the visit off, or ask the agency to move it."""


class DateAccepted(Conflict):
    """The school has agreed to this date already."""


class NotConfirmedYet(Conflict):
    """This visit is not confirmed yet."""


class NothingPlannedToMove(Conflict):
    """This visit has no date yet that could be moved."""


class NothingToMove(Conflict):
    """The visit is at this time already."""


class VisitHasStarted(Conflict):
    """This visit began on {date}; that can no longer be changed."""


class VisitHasNotStarted(Conflict):
    """The visit begins on {date}; only then can it be recorded as done."""
