"""JSON out: reports."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from services.outreach.edge import Now, Reader, TheStore
from services.outreach.usecases import reports

router = APIRouter(tags=["reports"])


class FiguresOut(BaseModel):
    """schools: with a confirmed or attended group or visit. groups, pupils, places_taken: with places on tours, whether
    they came or not. places_attended: pupils who came. pupils_reached: by visits. Companies have no school type."""

    schools: int
    groups: int
    pupils: int
    companies: int
    visits: int
    slots: int
    places_offered: int
    places_taken: int
    places_attended: int
    self_found_places: int
    pupils_reached: int


class ReportOut(BaseModel):
    """A campaign's figures: schools by their own district, slots and companies by that of their place."""

    campaign_id: str
    totals: FiguresOut
    by_district: dict[str, FiguresOut]
    by_school_type: dict[str, FiguresOut]
    by_field: dict[str, FiguresOut]
    as_of: datetime


@router.get("/reports/campaigns/{campaign_id}")
async def report_on_campaign(campaign_id: str, store: TheStore, who: Reader, now: Now) -> ReportOut:
    """Count a campaign, now."""
    report = await reports.report_on_campaign(store, who, campaign_id, now=now)
    return ReportOut.model_validate({"campaign_id": campaign_id, "as_of": report.as_of, **vars(report.figures)})
