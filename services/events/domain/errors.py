"""The rules that a request can break, one class per rule; the docstring is the sentence that a person reads."""

from shared.errors import Conflict, Invalid, NotFound


class CampaignUnknown(Invalid):
    """This campaign is not known here (yet)."""

    field = "campaign_id"


class CompanyUnknown(Invalid):
    """This company is not known here (yet), or it no longer takes part."""

    field = "company_id"


class SchoolUnknown(Invalid):
    """This school is not known here (yet)."""

    field = "school_id"


class SchoolIsClosed(Invalid):
    """{school} is closed according to the school register."""

    field = "school_id"


class SchoolNotInCampaign(Invalid):
    """{school} does not lie in one of the campaign's districts."""

    field = "school_id"


class FieldUnknown(Invalid):
    """This is not one of the 16 fields of work."""

    field = "field"


class OffersNotOpenYet(Conflict):
    """Companies can enter offers for this campaign from {offers_from} on."""


class CampaignIsOver(Conflict):
    """This campaign ended on {ended}; nothing can be added to it."""


class OfferNotFound(NotFound):
    """There is no such offer."""


class OfferIsNotPublished(Conflict):
    """The coordinator has not published this offer yet."""


class OfferChangedMeanwhile(Conflict):
    """Somebody else changed this offer meanwhile. Please look at it again."""


class NotWaitingForCheck(Conflict):
    """This offer does not wait for a check: it was published or sent back already, or the company withdrew it."""


class ReasonNeeded(Invalid):
    """Please write what the company should change."""

    field = "reason"


class NothingChosen(Invalid):
    """Nothing is chosen. Please tick at least one entry."""


class OfferIsWithdrawn(Conflict):
    """This offer has been withdrawn."""


class AlreadyPaused(Conflict):
    """This offer is paused already."""


class AlreadyPublished(Conflict):
    """This offer is open for booking already."""


class AlreadyWithdrawn(Conflict):
    """This has been withdrawn already."""


class OfferTakesNoBookings(Conflict):
    """The company takes no bookings for this offer at the moment."""


class SlotNotFound(NotFound):
    """There is no such date."""


class SlotEndsBeforeItStarts(Invalid):
    """The end must be after the start, on the same day."""

    field = "ends_local"


class SlotInThePast(Invalid):
    """This date has passed already."""

    field = "starts_local"


class SlotOutsideCampaign(Invalid):
    """This date lies outside the campaign, which runs from {starts_on} to {ends_on}."""

    field = "starts_local"


class SlotOnDayOff(Invalid):
    """There is no school on {day}: {name_en}. Choose another day, or allow days off for this date."""

    field = "starts_local"


class CalendarNotKnown(Invalid):
    """The school holidays around {day} are not known yet, only until {known_until}. Allow days off to enter this date
    all the same."""

    field = "starts_local"


class WallTimeUnknown(Invalid):
    """On {day} the clock is put forward and this time does not exist."""

    field = "starts_local"


class ZoneNotKnown(Invalid):
    """This is not the name of a time zone; Europe/Berlin is one."""

    field = "zone"


class TooLongForUnder15(Invalid):
    """Pupils under 15 may spend at most 7 hours a day at a company; this date lasts {hours} hours and is open to
    grade {grade}."""

    field = "ends_local"


class GradesNotOffered(Invalid):
    """This offer is for the grades {grades} only."""

    field = "grades"


class NothingTicked(Invalid):
    """Please tick at least one date."""

    field = "series.only"


class SeriesIsEmpty(Invalid):
    """No day of this series is left: choose other weekdays or a longer period."""

    field = "series"


class SeriesTooLong(Invalid):
    """A series can have at most {most} dates; this one has {count}."""

    field = "series"


class SlotIsCancelled(Conflict):
    """The company has called off this date."""


class AlreadyCancelled(Conflict):
    """This has been called off already."""


class SlotHasGroups(Conflict):
    """Groups are registered for this date, or wait for it; please move it or call it off."""


class SlotHasStarted(Conflict):
    """This date has begun; that can no longer be changed."""


class SlotHasNotStarted(Conflict):
    """Attendance can be recorded from one hour before the start of this date on."""


class SlotHoldsMore(Conflict):
    """{taken} places for {groups_taken} groups are taken on this date; it cannot have fewer."""

    field = "places"


class WaitingGroupIsLarger(Conflict):
    """A waiting group has {pupils} pupils and could never get a place among {places}; cancel its registration first."""

    field = "places"


class NothingToMove(Conflict):
    """The date is at this time already."""


class BookingNotOpenYet(Conflict):
    """Booking opens on {booking_from}."""


class BookingIsClosed(Conflict):
    """Booking closed on {closes_at}."""


class SchoolHasDayOff(Conflict):
    """{school} itself has a day off on {day} (movable school holiday). Please choose another date."""

    field = "school_id"


class GradeNotAccepted(Invalid):
    """This date is for the grades {grades} only."""

    field = "group.grade"


class RequirementsNotAcknowledged(Invalid):
    """Please confirm that you have read what the company requires and will see to it."""

    field = "acknowledged"


class RequirementsChanged(Conflict):
    """The company has changed meanwhile what it requires. Please read it again and confirm it."""

    field = "acknowledged"


class AlreadyRegistered(Conflict):
    """{group} of {school} is registered for this date already."""


class SchoolHasItsGroups(Conflict):
    """Each school can send at most {most} groups to this date, and yours has registered that many."""


class GroupTooLarge(Conflict):
    """The group has {asked} pupils, and this date has {places} places in all; a group is never split."""

    field = "group.pupils"


class SlotIsFull(Conflict):
    """This date cannot take {asked} more places. Free places: {free}; room for further groups: {free_groups}."""


class OthersWaitFirst(Conflict):
    """{waiting} groups are waiting for this date and come first."""


class WaitingListIsFull(Conflict):
    """The waiting list of this date has {most} groups and takes no more."""


class RegistrationNotFound(NotFound):
    """There is no such registration."""


class NotConfirmed(Conflict):
    """This is there once the registration is confirmed."""


class NotWaitingForApproval(Conflict):
    """Class {group} of {school} does not wait for an answer any more: it has been answered, or called off."""


class AlreadyConfirmed(Conflict):
    """This registration is confirmed already."""


class AlreadyDeclined(Conflict):
    """This registration has been declined already."""


class NothingOffered(Conflict):
    """No places are offered to this group at the moment."""


class OfferHasExpired(Conflict):
    """The places were held until {expired}; they have gone to the next group."""


class RegistrationHasEnded(Conflict):
    """This registration is no longer active."""


class AnswerLinkIsOver(Conflict):
    """This link is no longer valid: the registration or its date has changed since the mail."""


class NothingAsked(Conflict):
    """There is nothing to confirm at the moment."""


class AnsweredTooLate(Conflict):
    """The answer could be given until {until}; the places are given to others."""


class ConfirmAgainUnclear(Invalid):
    """Please give both numbers of school days: when to ask, and until when to answer; the first must be larger."""

    field = "confirm_again.asked"


class HoldsNoPlaces(Conflict):
    """Attendance can only be recorded for a group that had places on this date."""


class AlreadyRecorded(Conflict):
    """This attendance is recorded already."""


class RecordedMeanwhile(Conflict):
    """Somebody else has recorded this group meanwhile. Please look at the entry, and correct it if need be."""


class CheckInCodeWrong(NotFound):
    """This check-in code is not valid. Please scan it once more, or take the list of the date."""


class AttendedByNobody(Invalid):
    """How many pupils came? A group that came has at least one."""

    field = "pupils"


class AttendedByTooMany(Invalid):
    """More than {most} pupils cannot have come: this date has no more places."""

    field = "pupils"


class NotTicked(Invalid):
    """Please tick whether the class is here. Nothing was recorded for it."""

    field = "pupils"


class SelfFoundPlaceNotFound(NotFound):
    """There is no such record."""


class DayOutsideCampaign(Invalid):
    """This day lies outside the campaign, which runs from {starts_on} to {ends_on}."""

    field = "day"
