"""Pages for campaigns: the coordinator's home, a campaign's form, and its report."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import FormData

from services.outreach.domain.campaigns import Campaign, CampaignGiven
from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, Zone, wrong
from services.outreach.usecases import campaigns, feedback, reports, visits
from services.outreach.web.charts import parts
from shared import region
from shared.offsets import USUAL, in_words, offsets_of
from shared.set_aside import count_set_aside
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, nested, posted, see_other, validated

router = APIRouter()
_MOMENTS = ("offers_from", "booking_from", "closes_at")


@router.get("/")
async def home(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The coordinator's home: what needs attention, then all campaigns, the newest first."""
    person.must_coordinate()
    found, _ = await campaigns.list_campaigns(store, person, limit=200)
    shown = [(campaign, campaign.phase(now)) for campaign in reversed(found)]
    set_aside = await count_set_aside(store.db, person)
    told = await feedback.count_open_feedback(store, person)
    return pages.show(
        request, "home.html", campaigns=shown, set_aside=set_aside, told=told,
        without_team=await visits.count_without_team(store, person),
    )  # fmt: skip


@router.get("/campaigns/new")
async def new(request: Request, pages: ThePages, person: Person) -> Response:
    """An empty form."""
    person.must_coordinate()
    everywhere = {"districts": [district.ags for district in region.districts()], "kinds": ["tour", "visit"]}
    return _form(request, pages, None, everywhere)


@router.post("/campaigns/new")
async def open_campaign(
    request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """Open a campaign."""
    person.must_coordinate()
    form = await posted(request)
    try:
        command = validated(CampaignGiven, _fields(form, zone))
        request_id = form_request_id(person, form)
        campaign = await campaigns.open_campaign(store, person, command, zone=zone, now=now, request_id=request_id)
    except FORM_ERRORS as error:
        return _form(request, pages, None, _typed(form), 422, **wrong(request, error))
    return see_other(f"/outreach/campaigns/{campaign.id}?done=opened")


@router.get("/campaigns/{campaign_id}")
async def show(
    campaign_id: str,
    request: Request,
    pages: ThePages,
    store: TheStore,
    zone: Zone,
    now: Now,
    person: Person,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """A campaign with its report."""
    campaign = await campaigns.get_campaign(store, person, campaign_id)
    report = await reports.report_on_campaign(store, person, campaign_id, now=now)
    language = language_of(request)
    return pages.show(
        request,
        "campaign.html",
        campaign=campaign,
        done=done,
        phase=campaign.phase(now),
        moments={name: _wall(getattr(campaign, name), zone) for name in _MOMENTS},
        districts=[district.name for district in region.districts() if district.ags in campaign.districts],
        totals=report.figures.totals,
        parts=parts(report.figures, language),
        as_of=_wall(report.as_of, zone),
        reminders=_reminders(campaign, language) or in_words(USUAL, language),
    )


@router.get("/campaigns/{campaign_id}/change")
async def edit(
    campaign_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, person: Person
) -> Response:
    """The form with the campaign's facts."""
    person.must_coordinate()
    campaign = await campaigns.get_campaign(store, person, campaign_id)
    facts = campaign.model_dump(mode="json") | {
        name: _wall(getattr(campaign, name), zone).isoformat(timespec="minutes") for name in _MOMENTS
    }
    facts["reminders"] = _reminders(campaign, language_of(request))
    return _form(request, pages, campaign, facts)


@router.post("/campaigns/{campaign_id}/change")
async def change(
    campaign_id: str, request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person
) -> Response:
    """Replace a campaign's facts."""
    form = await posted(request)
    campaign = await campaigns.get_campaign(store, person, campaign_id)
    try:
        command = validated(CampaignGiven, _fields(form, zone))
        await campaigns.change_campaign(
            store, person, campaign_id, command, zone=zone, now=now, request_id=form_request_id(person, form)
        )
    except FORM_ERRORS as error:
        return _form(request, pages, campaign, _typed(form), 422, **wrong(request, error))
    return see_other(f"/outreach/campaigns/{campaign_id}?done=saved")


def _form(
    request: Request, pages: Any, campaign: Campaign | None, values: dict[str, Any], status: int = 200, **more: Any
) -> Response:
    return pages.show(
        request, "campaign_form.html", status, campaign=campaign, districts=region.districts(), values=values, **more
    )


def _typed(form: FormData) -> dict[str, Any]:
    return {**form, "districts": form.getlist("districts"), "kinds": form.getlist("kinds")}


def _fields(form: FormData, zone: str) -> dict[str, Any]:
    fields = nested(form, lists=("districts", "kinds"))
    return fields | {name: _instant(fields[name], zone) for name in _MOMENTS if name in fields}


def _reminders(campaign: Campaign, language: str) -> str:
    return "" if campaign.reminders is None else in_words(offsets_of(campaign.reminders), language)


def _instant(text: str, zone: str) -> datetime | str:
    """The instant of a wall time such as 2026-12-01T09:00; any other text stays, to be refused with its reason."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return text


def _wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
