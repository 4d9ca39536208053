"""JSON in, JSON out: ambassadors, their limits and blocked days, and who is free."""

from datetime import date
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.outreach.domain.ambassadors import BlockDays, ChangeAmbassador, EnterAmbassador, UnblockDays
from services.outreach.domain.visit_dates import DateGiven
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer, Zone
from services.outreach.usecases import ambassadors
from services.outreach.usecases.ambassadors import Candidate, Known
from shared.bounds import WallMoment
from shared.ui.language import preferred, sentence
from shared.web.callers import RequestId

router = APIRouter(tags=["ambassadors"])


class LimitsOut(BaseModel):
    """At most so many visits."""

    per_week: int
    per_campaign: int


class BlockedDayOut(BaseModel):
    """A day without visits."""

    day: date
    reason: str


class BlockedWeekdayOut(BaseModel):
    """A weekday without visits; 0 is Monday."""

    weekday: int
    reason: str


class AmbassadorOut(BaseModel):
    """An ambassador; name, address and language are the person's."""

    id: str
    person_id: str
    name: str
    email: str
    language: Literal["de", "en"]
    company_id: str
    also_for: list[str] = Field(description="Further companies for which this ambassador visits schools")
    company_name: str
    limits: LimitsOut
    fields: list[str]
    blocked_days: list[BlockedDayOut]
    blocked_weekdays: list[BlockedWeekdayOut]
    home_postal_code: str | None
    active: bool
    version: int

    @classmethod
    def of(cls, known: Known) -> Self:
        """As the API shows it."""
        person = known.person
        facts = {"email": person.email if person else "", "language": person.language if person else "de"}
        names = {"name": known.name, "company_name": known.company_name}
        return cls.model_validate({**known.ambassador.model_dump(), **facts, **names})


class CandidateOut(BaseModel):
    """Whether an ambassador is free, and if not why; `rule` is stable, `why_not` is for people.

    `distance_km` is the straight line from home to the school when both are known.
    """

    ambassador_id: str
    name: str
    company_id: str
    company_name: str
    fields: list[str]
    field_fits: bool
    free: bool
    rule: str | None
    why_not: str | None
    distance_km: float | None

    @classmethod
    def of(cls, candidate: Candidate, language: str) -> Self:
        """As the API shows it."""
        known, why_not = candidate.known, candidate.why_not
        return cls(
            ambassador_id=known.ambassador.id,
            name=known.name,
            company_id=known.ambassador.company_id,
            company_name=known.company_name,
            fields=list(known.ambassador.fields),
            field_fits=candidate.field_fits,
            free=why_not is None,
            rule=why_not.slug() if why_not else None,
            why_not=sentence(why_not, language) if why_not else None,
            distance_km=candidate.distance_km,
        )


class Candidates(BaseModel):
    """The free ones first, then by field and distance."""

    items: list[CandidateOut]


@router.post("/ambassadors", status_code=201)
async def enter_ambassador(
    command: EnterAmbassador, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> AmbassadorOut:
    """Enter an ambassador; the person gets the role, and is entered when the address is not known."""
    return AmbassadorOut.of(await ambassadors.enter_ambassador(store, who, command, now=now, request_id=request_id))


@router.get("/ambassadors")
async def list_ambassadors(
    store: TheStore,
    who: Reader,
    company_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Listed[AmbassadorOut]:
    """Active ambassadors."""
    found, cursor = await ambassadors.list_ambassadors(store, who, company_id=company_id, limit=limit, after=after)
    return Listed(items=[AmbassadorOut.of(known) for known in found], next=cursor)


@router.get("/ambassadors/free")
async def free_ambassadors(
    request: Request,
    store: TheStore,
    who: Reader,
    zone: Zone,
    starts_local: WallMoment,
    ends_local: WallMoment,
    in_zone: Annotated[str | None, Query(alias="zone", max_length=64)] = None,
    visit_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Candidates:
    """Who is free then, and who is not and why; with a visit also its campaign's limits and the distance."""
    date = DateGiven(starts_local=starts_local, ends_local=ends_local, zone=in_zone)
    found = await ambassadors.free_ambassadors(store, who, date, visit_id=visit_id, zone=zone)
    language = preferred(request.headers.get("accept-language"))
    return Candidates(items=[CandidateOut.of(candidate, language) for candidate in found])


@router.get("/ambassadors/{ambassador_id}")
async def get_ambassador(ambassador_id: str, store: TheStore, who: Reader) -> AmbassadorOut:
    """One ambassador."""
    return AmbassadorOut.of(await ambassadors.get_ambassador(store, who, ambassador_id))


@router.post("/ambassadors/{ambassador_id}/change")
async def change_ambassador(
    ambassador_id: str, command: ChangeAmbassador, store: TheStore, who: Writer, now: Now, request_id: RequestId
) -> AmbassadorOut:
    """Replace limits, fields and home."""
    return AmbassadorOut.of(
        await ambassadors.change_ambassador(store, who, ambassador_id, command, now=now, request_id=request_id)
    )


@router.post("/ambassadors/{ambassador_id}/blocked-days")
async def block_days(
    ambassador_id: str, command: BlockDays, store: TheStore, who: Writer, zone: Zone, now: Now, request_id: RequestId
) -> AmbassadorOut:
    """Block more days or weekdays; refused when a visit lies on one of them."""
    return AmbassadorOut.of(
        await ambassadors.block_days(store, who, ambassador_id, command, zone=zone, now=now, request_id=request_id)
    )


@router.post("/ambassadors/{ambassador_id}/unblocked-days")
async def unblock_days(
    ambassador_id: str, command: UnblockDays, store: TheStore, who: Writer, request_id: RequestId
) -> AmbassadorOut:
    """Free blocked days or weekdays again."""
    return AmbassadorOut.of(await ambassadors.unblock_days(store, who, ambassador_id, command, request_id=request_id))
