"""A campaign's report, from this service's own copies."""

from dataclasses import dataclass
from datetime import datetime

from services.outreach.domain.reports import Totals, add_up
from services.outreach.store import reports as stored
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
    """The campaign's figures, counted now. CampaignNotFound."""
    identity.must_coordinate()
    campaign = await get_campaign(store, identity, campaign_id)
    rows = await stored.rows(store, campaign_id)
    return Report(campaign_id, add_up(rows, campaign.districts), now)
