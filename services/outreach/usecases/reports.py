"""A campaign's report, from this service's own copies."""

from dataclasses import dataclass
from datetime import datetime

from services.outreach.domain.reports import Totals, add_up
from services.outreach.store import coverage, figures
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
    """The campaign's figures as they are now. CampaignNotFound."""
    identity.must_coordinate()
    campaign = await get_campaign(store, identity, campaign_id)
    return Report(campaign_id, await figures.totals(store.tally, campaign_id, campaign.districts), now)


async def prove_figures(store: Store) -> bool:
    """Compare what is kept of every campaign with what is counted afresh; see `Tally.prove`. Run by a worker."""
    campaigns = [row["_id"] async for row in store.db.campaigns.find({}, {"_id": 1})]
    return all([await _prove(store, campaign_id) for campaign_id in campaigns])


async def _prove(store: Store, campaign_id: str) -> bool:
    async def kept() -> tuple[Totals, set[str], set[str]]:
        return await figures.totals(store.tally, campaign_id, ()), *await figures.reach(store.tally, campaign_id)

    async def afresh() -> tuple[Totals, set[str], set[str]]:
        counted = add_up(await stored.rows(store, campaign_id))
        return counted, await coverage.reached(store, campaign_id), await coverage.asked(store, campaign_id)

    return await store.tally.prove(kept, afresh)
