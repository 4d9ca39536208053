"""Opening and changing campaigns."""

from datetime import datetime

from services.outreach.domain.campaigns import Campaign, CampaignGiven, CampaignNotFound
from services.outreach.domain.common import must_have_a_role
from services.outreach.store.core import Store
from shared.auth import Identity
from shared.ids import derived_id
from shared.log import correlation_id


async def open_campaign(
    store: Store, identity: Identity, command: CampaignGiven, *, zone: str, now: datetime, request_id: str
) -> Campaign:
    """A new campaign; `zone` is the region's. EndsBeforeItStarts, BookingBeforeOffers, ClosesBeforeBooking, …"""
    identity.must_coordinate()
    campaign = Campaign.opened(derived_id(request_id, "campaign"), command, request_id, zone)
    return await store.insert_once("campaigns", campaign, [campaign.message(now, correlation_id.get())])


async def change_campaign(
    store: Store,
    identity: Identity,
    campaign_id: str,
    command: CampaignGiven,
    *,
    zone: str,
    now: datetime,
    request_id: str,
) -> Campaign:
    """The campaign with other facts; the same errors as when opening, CampaignNotFound, ChangedMeanwhile."""
    identity.must_coordinate()
    campaign = await get_campaign(store, identity, campaign_id)
    if campaign.last_request_id == request_id:
        return campaign
    changed = campaign.with_facts(command, request_id, zone)
    await store.save("campaigns", changed, [changed.message(now, correlation_id.get())])
    return changed


async def get_campaign(store: Store, identity: Identity, campaign_id: str) -> Campaign:
    """One campaign, for everybody with a role. CampaignNotFound."""
    must_have_a_role(identity)
    campaign = await store.get("campaigns", Campaign, campaign_id)
    if campaign is None:
        raise CampaignNotFound
    return campaign


async def list_campaigns(
    store: Store, identity: Identity, *, limit: int = 50, after: str | None = None
) -> tuple[list[Campaign], str | None]:
    """Campaigns by their first day."""
    must_have_a_role(identity)
    return await store.page("campaigns", Campaign, {}, "starts_on", limit, after)
