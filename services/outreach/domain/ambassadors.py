"""Ambassadors: who visits schools, within limits of their own. A booking takes one of them for one visit."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal, Self

from services.outreach.domain.ambassador_commands import (
    BlockDays,
    ChangeAmbassador,
    EnterAmbassador,
    Limits,
    UnblockDays,
)
from services.outreach.domain.common import Aggregate
from services.outreach.domain.people import Person
from services.outreach.domain.visit_dates import PlannedDate, WallTime, week_of
from shared import region
from shared.errors import Conflict, Invalid, NotFound
from shared.schemas.base import Facts

MOST_BLOCKED_DAYS = 400


class AmbassadorNotFound(NotFound):
    """There is no ambassador with this id."""


class AmbassadorUnknown(Invalid):
    """There is no such ambassador."""

    field = "ambassador_ids"


class AlreadyAnAmbassador(Conflict):
    """This person is an ambassador already. Everybody is entered once, so that nobody is booked twice."""

    field = "email"


class AlreadyPaused(Conflict):
    """This ambassador is not asked already."""


class AlreadyTakesPart(Conflict):
    """This ambassador takes part already."""


class AmbassadorFieldUnknown(Invalid):
    """{code} is not one of the 16 fields of work."""

    field = "fields"


class BlockEndsBeforeItStarts(Invalid):
    """“Until” lies before “day”. Please give the later day there."""

    field = "until"


class TooManyBlockedDays(Invalid):
    """At most {most} days can be blocked."""

    field = "days"


class BlockedDayHasVisit(Conflict):
    """There is a visit on {date} already. Please ask the agency to move it or call it off (an open proposal can be
    declined); then the day can be blocked."""

    field = "days"


class LimitBelowBookings(Conflict):
    """There are {count} visits already, so the limit cannot be {most}. Please ask the agency to call one off first."""

    field = "limits"


class NotFree(Conflict):
    """{name} is not free then."""

    field = "ambassador_ids"


class AmbassadorHasLeft(NotFree):
    """{name} no longer takes part."""


class AmbassadorPauses(NotFree):
    """{name} takes a break from visits at the moment."""


class AmbassadorIsBooked(NotFree):
    """{name} has another visit at that time; it begins on {starts}."""


class AmbassadorIsBlocked(NotFree):
    """{name} is not available on {day}{because}."""


class AmbassadorWeekIsFull(NotFree):
    """{name} is fully booked in that week: {count} of at most {most}, their own limit."""


class AmbassadorCampaignIsFull(NotFree):
    """{name} is fully booked in this campaign: {count} of at most {most}, their own limit."""


class BlockedDay(Facts):
    day: date
    reason: str = ""


class BlockedWeekday(Facts):
    weekday: int
    reason: str = ""


class BlockedSpan(Facts):
    """Blocked days that follow each other, both ends included."""

    first: date
    last: date
    reason: str = ""

    @property
    def days(self) -> list[date]:
        """Each of them."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


class Booking(Facts):
    """One ambassador is taken for one visit; `held` until the whole team accepted. `week` as of `week_of`."""

    ambassador_id: str
    visit_id: str
    campaign_id: str
    starts_local: WallTime
    ends_local: WallTime
    zone: str
    starts_utc: datetime
    ends_utc: datetime
    day: date
    week: str
    state: Literal["held", "confirmed"] = "held"

    @classmethod
    def of(cls, ambassador_id: str, visit_id: str, campaign_id: str, when: PlannedDate, state: str) -> Self:
        """The booking of an ambassador for a visit at `when`."""
        return cls(
            ambassador_id=ambassador_id,
            visit_id=visit_id,
            campaign_id=campaign_id,
            starts_local=when.starts_local,
            ends_local=when.ends_local,
            zone=when.zone,
            starts_utc=when.starts_utc,
            ends_utc=when.ends_utc,
            day=when.day,
            week=week_of(when.day),
            state=state,
        )

    def overlaps(self, when: PlannedDate) -> bool:
        """Whether both need the same moment; one may start as the other ends."""
        return self.starts_utc < when.ends_utc and when.starts_utc < self.ends_utc


class Ambassador(Aggregate):
    """A person who visits schools for a company, and perhaps `also_for` others: limits, days and bookings are one.
    Name and address are the person's; bookings stand beside this. Who is `paused` is not asked until that ends;
    `active` is false for good.

    `version` also rises with every booking: that is what makes two bookings at once meet.
    """

    person_id: str
    company_id: str
    also_for: tuple[str, ...] = ()
    limits: Limits = Limits()
    fields: tuple[str, ...] = ()
    blocked_days: tuple[BlockedDay, ...] = ()
    blocked_weekdays: tuple[BlockedWeekday, ...] = ()
    home_postal_code: str | None = None
    active: bool = True
    paused: bool = False

    @classmethod
    def entered(cls, id: str, person_id: str, command: EnterAmbassador, request_id: str) -> Self:
        """A new ambassador; AmbassadorFieldUnknown."""
        return cls(
            id=id,
            person_id=person_id,
            company_id=command.company_id,
            limits=command.limits,
            fields=known_fields(command.fields),
            home_postal_code=command.home_postal_code,
            last_request_id=request_id,
        )

    def reopened(self, command: EnterAmbassador, request_id: str) -> Self:
        """The next version of one who had left: begins anew, perhaps for another company. AmbassadorFieldUnknown."""
        new = self.entered(self.id, self.person_id, command, request_id)
        return new.model_copy(update={"version": self.version + 1})

    def why_not_free(
        self, when: PlannedDate, campaign_id: str | None, bookings: Sequence[Booking], name: str
    ) -> NotFree | None:
        """The rule that keeps this ambassador from a visit at `when`, or None. `bookings` are those of other visits."""
        if not self.active:
            return AmbassadorHasLeft(name=name)
        if self.paused:
            return AmbassadorPauses(name=name)
        if clash := next((booking for booking in bookings if booking.overlaps(when)), None):
            return AmbassadorIsBooked(name=name, starts=clash.starts_local)
        if (reason := self._block_on(when.day)) is not None:
            return AmbassadorIsBlocked(name=name, day=when.day, because=f" ({reason})" if reason else "")
        in_week = sum(booking.week == week_of(when.day) for booking in bookings)
        if in_week >= self.limits.per_week:
            return AmbassadorWeekIsFull(name=name, count=in_week, most=self.limits.per_week)
        in_campaign = sum(booking.campaign_id == campaign_id for booking in bookings)
        if in_campaign >= self.limits.per_campaign:
            return AmbassadorCampaignIsFull(name=name, count=in_campaign, most=self.limits.per_campaign)
        return None

    @property
    def companies(self) -> tuple[str, ...]:
        """All for which this ambassador visits schools; the first one entered it."""
        return (self.company_id, *self.also_for)

    def joining(self, company_id: str, request_id: str) -> Self:
        """The next version, which visits schools for another company too."""
        return self.changed(request_id, also_for=(*self.also_for, company_id))

    def seen_by(self, companies: Sequence[str]) -> Self:
        """As the contact of these companies sees it: for the first of them, and nothing of others."""
        own = [each for each in self.companies if each in companies]
        return self.model_copy(update={"company_id": own[0], "also_for": tuple(own[1:])}) if own else self

    def as_person(self, person: Person | None) -> Self:
        """This ambassador for the companies for which the person has the role; without any no longer active."""
        held = [role for role in person.roles if role.kind == "ambassador"] if person and person.active else []
        left = {role.organisation_id for role in held} & set(self.companies)
        return self.seen_by(sorted(left)) if left else self.model_copy(update={"active": False})

    def must_be_free(self, when: PlannedDate, campaign_id: str, bookings: Sequence[Booking], name: str) -> None:
        """One of the errors above unless a visit at `when` is possible."""
        if (reason := self.why_not_free(when, campaign_id, bookings, name)) is not None:
            raise reason

    def blocking(self, command: BlockDays, upcoming: Sequence[Booking], request_id: str, today: date) -> Self:
        """The next version with more blocked days; BlockedDayHasVisit when one of `upcoming` lies on one of them.

        Days before `today` are forgotten.
        """
        for booking in sorted(upcoming, key=lambda booking: booking.starts_utc):
            if booking.day in command.days or booking.day.weekday() in command.weekdays:
                raise BlockedDayHasVisit(date=booking.starts_local)
        days = {each.day: each for each in self.blocked_days if each.day >= today}
        days |= {day: BlockedDay(day=day, reason=command.reason) for day in command.days if day >= today}
        if len(days) > MOST_BLOCKED_DAYS:
            raise TooManyBlockedDays(most=MOST_BLOCKED_DAYS)
        weekdays = {each.weekday: each for each in self.blocked_weekdays}
        weekdays |= {day: BlockedWeekday(weekday=day, reason=command.reason) for day in command.weekdays}
        return self._with_blocks(days, weekdays, request_id)

    def unblocking(self, command: UnblockDays, request_id: str) -> Self:
        """The next version without these blocked days and weekdays."""
        days = {each.day: each for each in self.blocked_days if each.day not in command.days}
        weekdays = {each.weekday: each for each in self.blocked_weekdays if each.weekday not in command.weekdays}
        return self._with_blocks(days, weekdays, request_id)

    def with_settings(
        self, command: ChangeAmbassador, bookings: Sequence[Booking], request_id: str, now: datetime
    ) -> Self:
        """The next version with other limits, fields and home.

        LimitBelowBookings when `bookings` (all there are) are more already in a week or campaign with visits to come.
        """
        upcoming = [booking for booking in bookings if booking.starts_utc > now]
        weeks, campaigns = {each.week for each in upcoming}, {each.campaign_id for each in upcoming}
        _must_hold(command.limits.per_week, [each.week for each in bookings if each.week in weeks])
        _must_hold(
            command.limits.per_campaign, [each.campaign_id for each in bookings if each.campaign_id in campaigns]
        )
        facts = {"limits": command.limits, "home_postal_code": command.home_postal_code}
        return self.changed(request_id, fields=known_fields(command.fields), **facts)

    def pausing(self, paused: bool, request_id: str) -> Self:
        """The next version, not asked any more or asked again. AlreadyPaused, AlreadyTakesPart."""
        if self.paused == paused:
            raise AlreadyPaused if paused else AlreadyTakesPart
        return self.changed(request_id, paused=paused)

    def blocked_spans(self, today: date) -> list[BlockedSpan]:
        """The single blocked days from `today` on, days that follow each other for one reason put together."""
        spans: list[BlockedSpan] = []
        for each in sorted((day for day in self.blocked_days if day.day >= today), key=lambda each: each.day):
            last = spans[-1] if spans else None
            if last and last.reason == each.reason and last.last + timedelta(days=1) == each.day:
                spans[-1] = last.model_copy(update={"last": each.day})
            else:
                spans.append(BlockedSpan(first=each.day, last=each.day, reason=each.reason))
        return spans

    def forgotten(self, request_id: str) -> Self:
        """The next version, which takes no part any more and holds nothing personal."""
        gone = {"home_postal_code": None, "blocked_days": (), "blocked_weekdays": (), "also_for": (), "active": False}
        return self.changed(request_id, **gone)

    def distance_km(self, lat: float | None, lon: float | None) -> float | None:
        """Straight line from home to a point (WGS84 degrees), in kilometres; None unless both are known."""
        home = region.postal_code(self.home_postal_code) if self.home_postal_code else None
        if home is None or lat is None or lon is None:
            return None
        return round(region.distance_km(home.lat, home.lon, lat, lon), 1)

    def _block_on(self, day: date) -> str | None:
        for each in self.blocked_days:
            if each.day == day:
                return each.reason
        for each in self.blocked_weekdays:
            if each.weekday == day.weekday():
                return each.reason
        return None

    def _with_blocks(self, days: dict[date, BlockedDay], weekdays: dict[int, BlockedWeekday], request_id: str) -> Self:
        ordered = tuple(days[day] for day in sorted(days))
        return self.changed(
            request_id, blocked_days=ordered, blocked_weekdays=tuple(weekdays[day] for day in sorted(weekdays))
        )


def _must_hold(most: int, booked: Sequence[str]) -> None:
    count = max(Counter(booked).values(), default=0)
    if count > most:
        raise LimitBelowBookings(count=count, most=most)


def known_fields(codes: Sequence[str]) -> tuple[str, ...]:
    """These fields of work, each once. AmbassadorFieldUnknown."""
    known = region.career_fields()
    for code in codes:
        if code not in known:
            raise AmbassadorFieldUnknown(code=code)
    return tuple(sorted(set(codes)))
