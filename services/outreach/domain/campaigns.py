"""Campaigns: a period, districts, kinds of offers, and phases."""

from datetime import date, datetime
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field

from services.outreach.domain.common import Aggregate, Command, Line, OptionalLine
from shared import offsets, region
from shared.bounds import Day, Instant
from shared.errors import Invalid, NotFound
from shared.schemas.outreach import CampaignChanged

Kind = Literal["tour", "visit"]
Phase = Literal["planned", "offers", "booking", "closed"]


class CampaignNotFound(NotFound):
    """There is no campaign with this id."""


class EndsBeforeItStarts(Invalid):
    """The campaign must not end before it starts."""

    field = "ends_on"


class BookingBeforeOffers(Invalid):
    """Booking must not open before companies can make offers."""

    field = "booking_from"


class ClosesBeforeBooking(Invalid):
    """Booking must close after it opens."""

    field = "closes_at"


class ClosesAfterTheEnd(Invalid):
    """Booking must close on the campaign's last day at the latest."""

    field = "closes_at"


class DistrictUnknown(Invalid):
    """The district {ags} does not belong to the region."""

    field = "districts"


class CampaignGiven(Command):
    """A campaign as it shall be. Days are the region's wall dates, instants have an offset or Z. `reminders` says in
    words or short texts when to remind of its dates; empty for the usual."""

    name: Line
    starts_on: Day
    ends_on: Day
    districts: list[str] = Field(min_length=1, max_length=100)
    kinds: list[Kind] = Field(min_length=1, max_length=2)
    offers_from: Instant
    booking_from: Instant
    closes_at: Instant
    check_offers: bool = False
    reminders: OptionalLine = ""


class Campaign(Aggregate):
    """A named programme; see CampaignGiven."""

    name: str
    starts_on: date
    ends_on: date
    districts: tuple[str, ...]
    kinds: tuple[Kind, ...]
    offers_from: datetime
    booking_from: datetime
    closes_at: datetime
    check_offers: bool = False
    reminders: tuple[str, ...] | None = None

    @classmethod
    def opened(cls, id: str, given: CampaignGiven, request_id: str, zone: str) -> Self:
        """A new campaign; one of the errors above when its dates or districts do not fit."""
        return cls(id=id, last_request_id=request_id, **_checked(given, zone))

    def with_facts(self, given: CampaignGiven, request_id: str, zone: str) -> Self:
        """The next version, as `given`; the same errors as when opening."""
        return self.changed(request_id, **_checked(given, zone))

    def phase(self, now: datetime) -> Phase:
        """What can be done in this campaign now."""
        if now < self.offers_from:
            return "planned"
        if now < self.booking_from:
            return "offers"
        return "booking" if now < self.closes_at else "closed"

    def message(self, now: datetime, correlation_id: str) -> CampaignChanged:
        """What the other services are told."""
        facts = self.model_dump(exclude={"id", "version", "last_request_id"})
        return CampaignChanged.about(
            f"campaign:{self.id}", self.version, now=now, correlation_id=correlation_id, campaign_id=self.id, **facts
        )


def _checked(given: CampaignGiven, zone: str) -> dict[str, object]:
    if given.ends_on < given.starts_on:
        raise EndsBeforeItStarts
    if given.booking_from < given.offers_from:
        raise BookingBeforeOffers
    if given.closes_at <= given.booking_from:
        raise ClosesBeforeBooking
    if given.closes_at.astimezone(ZoneInfo(zone)).date() > given.ends_on:
        raise ClosesAfterTheEnd
    known = {district.ags for district in region.districts()}
    for ags in given.districts:
        if ags not in known:
            raise DistrictUnknown(ags=ags)
    reminders = offsets.given(given.reminders)
    facts = given.model_dump() | {"reminders": None if reminders is None else tuple(reminders)}
    return {**facts, "districts": tuple(sorted(set(given.districts))), "kinds": tuple(dict.fromkeys(given.kinds))}
