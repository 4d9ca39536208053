"""When reminders come: at offsets before a date, on school days, outside quiet hours. Pure: no await, no I/O."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.notify.domain import Delivery, Role, instant
from shared.offsets import USUAL, DaysBefore, Offset, in_order, offsets_of, own_offsets
from shared.schemas.events import OfferFacts
from shared.school_calendar import CalendarUnknown, day_off

Choice = Literal["all", "last", "none"]
OffDay = Callable[[date, Offset], bool]
VISIT_OFFSETS: tuple[Offset, ...] = (DaysBefore(2),)
LONGEST_SHIFT = 60  # days; the longest holidays have 45
BEFORE_QUIET = timedelta(hours=1)
SATURDAY = 5

# Somebody has just asked for these, and waits for them: they go out in quiet hours, too.
_TO_ANYBODY = frozenset({"sign_in", "parent_question", "pupil_confirmation", "pupil_welcome"})
_TO_THE_TEACHER = frozenset(
    {"registration_requested", "registration_waitlisted", "registration_resized", "visit_requested"}
)


@dataclass(frozen=True)
class QuietHours:
    """From `begins` to `ends` (wall time of the IANA `zone`, over midnight when it begins later) nothing is sent."""

    begins: time
    ends: time
    zone: str

    def until(self, moment: datetime) -> datetime | None:
        """When the quiet hours end in which `moment` lies; None when it lies in none."""
        local = moment.astimezone(ZoneInfo(self.zone))
        at = local.time()
        over_midnight = self.begins > self.ends
        inside = (at >= self.begins or at < self.ends) if over_midnight else self.begins <= at < self.ends
        if not inside:
            return None
        day = local.date() + timedelta(days=over_midnight and at >= self.begins)
        return instant(datetime.combine(day, self.ends), self.zone)

    def before(self, moment: datetime) -> datetime:
        """An hour before the quiet hours begin in which `moment` lies."""
        local = moment.astimezone(ZoneInfo(self.zone))
        began = local.date() - timedelta(days=self.begins > self.ends and local.time() < self.ends)
        return instant(datetime.combine(began, self.begins), self.zone) - BEFORE_QUIET


def parse_quiet_hours(text: str, zone: str) -> QuietHours | None:
    """`20:00-07:00`; None for an empty text, which is none. ValueError for any other."""
    if not text.strip():
        return None
    begins, ends = (time.fromisoformat(part.strip()) for part in text.split("-"))
    return QuietHours(begins, ends, zone) if begins != ends else None


def waits_for_morning(delivery: Delivery, quiet: QuietHours | None, now: datetime) -> datetime | None:
    """Until when a mail waits because of quiet hours; None when it goes out now.

    Exempt is what somebody has just asked for: sign-in, the questions that pupils cause, a teacher's receipts, and
    what was sent again by hand.
    """
    asked_for = delivery.kind in _TO_ANYBODY or bool(delivery.last_request_id)
    asked_for |= delivery.to.role == "teacher" and _answers_the_teacher(delivery)
    return None if quiet is None or asked_for else quiet.until(now)


def _answers_the_teacher(delivery: Delivery) -> bool:
    """Whether a mail follows from what the teacher has just done, not the company or the coordinator."""
    facts = delivery.facts or {}
    if delivery.kind == "registration_cancelled":
        return facts.get("registration", {}).get("cancelled_by") == "school"
    if delivery.kind == "registration_confirmed":
        return bool(facts.get("own_act"))
    return delivery.kind in _TO_THE_TEACHER


def offsets_for(offer: OfferFacts, of_campaign: Sequence[str] | None) -> tuple[Offset, ...]:
    """The offer's own offsets, else the campaign's, else the usual ones."""
    own = own_offsets(offer.reminders, offer.reminder_days)
    if own is not None:
        return own
    return USUAL if of_campaign is None else offsets_of(of_campaign)


def visit_offsets(of_campaign: Sequence[str] | None) -> tuple[Offset, ...]:
    """The campaign's offsets, else the usual one of visits."""
    return VISIT_OFFSETS if of_campaign is None else offsets_of(of_campaign)


def off_days(role: Role, movable: Collection[date] = ()) -> OffDay:
    """Whether somebody in this role is not reminded on a day, by the offset. Teachers: a school's days off. Companies
    and ambassadors: weekends and public holidays. A pupil is reminded the day before, whichever day that is, and of
    what is further away while there is school."""
    days = frozenset(movable)
    if role in ("pupil", "parent"):
        return lambda day, offset: not _the_day_before(offset) and _no_school(day, days)
    return lambda day, _: _no_school(day, days) if role == "teacher" else _no_work(day)


def never(day: date, offset: Offset) -> bool:
    """No day is a day off."""
    return False


def _the_day_before(offset: Offset) -> bool:
    return isinstance(offset, DaysBefore) and offset.days <= 1


def reminder_times(
    starts_local: datetime,
    zone: str,
    offsets: Iterable[Offset],
    now: datetime,
    off: OffDay,
    quiet: QuietHours | None = None,
) -> list[tuple[Offset, datetime]]:
    """(offset, moment) of each reminder, the earliest first.

    On a day `off` it comes on the last day before that is not; when that moment is past by now, the nearest one comes
    on the day off after all, so that everybody is reminded once. In quiet hours it comes at their end, or an hour
    before they begin when the date begins sooner. Of two that fall on one day the nearer one counts.

    The late policy: a reminder whose moment has come or passed at planning is not created, nor one that would come
    after the start. One that becomes late afterwards is sent until the start.
    """
    starts, ordered = instant(starts_local, zone), in_order(offsets)
    moments = [(each, _outside_quiet(_shifted(each, starts_local, zone, off), starts, quiet)) for each in ordered]
    if ordered and moments[-1][1] <= now:
        moments[-1] = (ordered[-1], _outside_quiet(_shifted(ordered[-1], starts_local, zone, never), starts, quiet))
    coming = [(each, moment) for each, moment in moments if now < moment < starts]
    by_day = {_slot_of(each, moment, zone): (each, moment) for each, moment in coming}  # the later one, so the nearer
    return sorted(by_day.values(), key=lambda found: found[1])


def _slot_of(offset: Offset, moment: datetime, zone: str) -> object:
    return local_day(moment, zone) if isinstance(offset, DaysBefore) else offset


def local_day(moment: datetime, zone: str) -> str:
    """The wall date of a moment, as text."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


def week_of(moment: datetime, zone: str) -> str:
    """The calendar week of a moment in the zone: `2026-W48`."""
    year, week, _ = moment.astimezone(ZoneInfo(zone)).isocalendar()
    return f"{year}-W{week:02}"


def _shifted(offset: Offset, starts_local: datetime, zone: str, off: OffDay) -> datetime:
    if not isinstance(offset, DaysBefore):
        return instant(starts_local, zone) - timedelta(hours=offset.hours)
    day = _last_not_off(starts_local.date() - timedelta(days=offset.days), offset, off)
    return instant(datetime.combine(day, offset.at), zone)


def _outside_quiet(moment: datetime, starts: datetime, quiet: QuietHours | None) -> datetime:
    ends = quiet.until(moment) if quiet else None
    if quiet is None or ends is None:
        return moment
    return ends if ends < starts else quiet.before(moment)


def _last_not_off(day: date, offset: Offset, off: OffDay) -> date:
    earlier = (day - timedelta(days=back) for back in range(LONGEST_SHIFT))
    return next((each for each in earlier if not off(each, offset)), day)


def _no_school(day: date, movable: frozenset[date]) -> bool:
    try:
        return day_off(day, movable) is not None
    except CalendarUnknown:
        return day.weekday() >= SATURDAY or day in movable


def _no_work(day: date) -> bool:
    try:
        reason = day_off(day)
    except CalendarUnknown:
        reason = None
    return day.weekday() >= SATURDAY or (reason is not None and reason.kind == "public_holiday")
