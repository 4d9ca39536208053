"""Need against supply, for the coordinator."""

from services.events.domain.coverage import Coverage
from services.events.domain.errors import CampaignUnknown
from services.events.domain.facts import Campaign
from services.events.store import coverage, need
from services.events.store.documents import campaign_of
from services.events.store.store import Store
from shared.auth import Identity
from shared.region import districts


async def compare_need_and_supply(store: Store, identity: Identity, campaign_id: str | None) -> Coverage:
    """The sums per district, field and week, of one campaign or of all, as of now. CampaignUnknown."""
    identity.must_coordinate()
    campaign = await store.campaign(campaign_id) if campaign_id else None
    if campaign_id and campaign is None:
        raise CampaignUnknown
    shown = campaign.districts if campaign else tuple(each.ags for each in districts())
    return await need.sums(store.tally, campaign_id, shown)


async def prove_need_and_supply(store: Store) -> bool:
    """Compare what is kept with what is counted afresh; see `Tally.prove`. Run by a worker."""
    return await store.tally.prove(
        lambda: need.sums(store.tally, None, ()), lambda: coverage.counted_afresh(store.db, None, ())
    )


async def list_campaigns(store: Store, identity: Identity) -> list[Campaign]:
    """All campaigns, the newest first, to choose from."""
    identity.must_coordinate()
    return [campaign_of(row) for row in await store.db.campaigns.find({}).sort("starts_on", -1).to_list(200)]
