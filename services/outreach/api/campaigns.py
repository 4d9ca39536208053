"""JSON in, JSON out: campaigns."""

from datetime import date, datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel

from services.outreach.domain.campaigns import Campaign, CampaignGiven, Kind, Phase
from services.outreach.edge import After, Limit, Listed, Now, Reader, TheStore, Writer, Zone
from services.outreach.usecases import campaigns
from shared.web.callers import RequestId

router = APIRouter(tags=["campaigns"])


class CampaignOut(BaseModel):
    """A campaign and its present phase. Days are the region's wall dates."""

    id: str
    name: str
    starts_on: date
    ends_on: date
    districts: list[str]
    kinds: list[Kind]
    offers_from: datetime
    booking_from: datetime
    closes_at: datetime
    check_offers: bool
    reminders: list[str] | None
    phase: Phase
    version: int

    @classmethod
    def of(cls, campaign: Campaign, now: datetime) -> Self:
        """As the API shows it."""
        return cls.model_validate({**campaign.model_dump(), "phase": campaign.phase(now)})


@router.post("/campaigns", status_code=201)
async def open_campaign(
    command: CampaignGiven, store: TheStore, who: Writer, zone: Zone, now: Now, request_id: RequestId
) -> CampaignOut:
    """Open a campaign."""
    opened = await campaigns.open_campaign(store, who, command, zone=zone, now=now, request_id=request_id)
    return CampaignOut.of(opened, now)


@router.get("/campaigns")
async def list_campaigns(
    store: TheStore, who: Reader, now: Now, limit: Limit = 50, after: After = None
) -> Listed[CampaignOut]:
    """Campaigns by their first day."""
    found, cursor = await campaigns.list_campaigns(store, who, limit=limit, after=after)
    return Listed(items=[CampaignOut.of(campaign, now) for campaign in found], next=cursor)


@router.get("/campaigns/{campaign_id}")
async def get_campaign(campaign_id: str, store: TheStore, who: Reader, now: Now) -> CampaignOut:
    """One campaign."""
    return CampaignOut.of(await campaigns.get_campaign(store, who, campaign_id), now)


@router.post("/campaigns/{campaign_id}/change")
async def change_campaign(
    campaign_id: str, command: CampaignGiven, store: TheStore, who: Writer, zone: Zone, now: Now, request_id: RequestId
) -> CampaignOut:
    """Replace a campaign's facts."""
    changed = await campaigns.change_campaign(
        store, who, campaign_id, command, zone=zone, now=now, request_id=request_id
    )
    return CampaignOut.of(changed, now)
