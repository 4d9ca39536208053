"""When a school may book a slot at all, before anybody looks at its places."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.events.domain import errors
from services.events.domain.commands import Register
from services.events.domain.facts import Campaign, Offer, Registration, School, Slot

ARRIVING = timedelta(hours=1)  # before the start groups come, and are checked in


def may_book(
    command: Register, slot: Slot, offer: Offer, campaign: Campaign | None, schools: Mapping[str, School]
) -> School:
    """The school that books; raises the rule that forbids it."""
    must_be_ahead(slot, command.now)
    if offer.facts.state != "published":
        raise errors.OfferTakesNoBookings
    if campaign is None:
        raise errors.CampaignUnknown
    _in_its_phase(command.now, slot, campaign)
    school = _school_that_may_come(schools.get(command.school_id), slot, campaign)
    if command.group.grade not in slot.grades:
        raise errors.GradeNotAccepted(grades=listed(slot.grades))
    if offer.facts.requirements and not command.acknowledged:
        raise errors.RequirementsNotAcknowledged
    if command.requirements is not None and set(offer.facts.requirements) - set(command.requirements):
        raise errors.RequirementsChanged
    return school


def must_have_room_to_grow(slot: Slot, before: Registration, pupils: int) -> None:
    """A group that holds places gets more when they are free and, in strict order, when nobody waits for them. One
    that waits may become as large as the slot. GroupTooLarge, SlotIsFull, OthersWaitFirst."""
    if pupils > slot.places and pupils > before.group.pupils:
        raise errors.GroupTooLarge(asked=pupils, places=slot.places)
    more = pupils - before.held
    if not before.held or more <= 0:
        return
    if more > slot.free:
        raise errors.SlotIsFull(free=slot.free, free_groups=slot.free_groups, asked=more)
    if slot.waiting and slot.waiting_list == "strict_order":
        raise errors.OthersWaitFirst(waiting=slot.waiting)


def must_be_ahead(slot: Slot, now: datetime) -> None:
    """Raises unless the slot takes place and has not begun."""
    if slot.state == "cancelled":
        raise errors.SlotIsCancelled
    must_not_have_started(slot, now)


def must_not_have_started(slot: Slot, now: datetime) -> None:
    """Raises once the slot has begun."""
    if now >= slot.starts_utc:
        raise errors.SlotHasStarted


def wall_time(moment: datetime, slot: Slot) -> datetime:
    """What clocks at the slot show at `moment`."""
    return moment.astimezone(ZoneInfo(slot.zone)).replace(tzinfo=None)


def listed(grades: Iterable[int]) -> str:
    """Grades as a reader writes them: `8, 9, 10`."""
    return ", ".join(str(grade) for grade in grades)


def _in_its_phase(now: datetime, slot: Slot, campaign: Campaign) -> None:
    if now < campaign.booking_from:
        raise errors.BookingNotOpenYet(booking_from=wall_time(campaign.booking_from, slot))
    if now >= campaign.closes_at:
        raise errors.BookingIsClosed(closes_at=wall_time(campaign.closes_at, slot))


def _school_that_may_come(school: School | None, slot: Slot, campaign: Campaign) -> School:
    if school is None:
        raise errors.SchoolUnknown
    if not school.open:
        raise errors.SchoolIsClosed(school=school.name)
    if campaign.districts and school.district_ags not in campaign.districts:
        raise errors.SchoolNotInCampaign(school=school.name)
    day = slot.starts_local.date()
    if day in school.movable_days:
        raise errors.SchoolHasDayOff(school=school.name, day=day)
    return school
