"""A campaign's report, from this service's own copies."""

from dataclasses import dataclass
from datetime import datetime

from services.outreach.domain.reports import Totals
from services.outreach.store import figures
from services.outreach.store.core import Store
from services.outreach.usecases.campaigns import get_campaign
from shared.auth import Identity


@dataclass(frozen=True)
class Report:
    """The figures of a campaign as this service knew them at `as_of`."""

    campaign_id: str
    figures: Totals
    as_of: datetime


async def report_on_campaign(store: Store, identity: Identity, campaign_id: str, *, now: datetime) -> Report:
    """The campaign's figures as they are now. CampaignNotFound."""
    identity.must_coordinate()
    campaign = await get_campaign(store, identity, campaign_id)
    return Report(campaign_id, await figures.totals(store, campaign_id, campaign.districts), now)
