"""Which schools and municipalities a campaign has not reached, for the coordinator."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.coverage import WITHOUT_TOURS, SchoolReach, Share, reach_of, shares
from services.outreach.store import coverage as stored
from services.outreach.store.core import Store
from services.outreach.usecases.campaigns import get_campaign
from shared.auth import Identity
from shared.mongo import Document
from shared.region import municipality

SHOWN = 50


@dataclass(frozen=True)
class Coverage:
    """The share of each municipality; and a stretch of the schools that got nothing, by municipality and name.

    `left_out` counts them all, `following` is the school after which the list goes on.
    """

    campaign: Campaign
    by_municipality: Mapping[str, Share]
    schools: list[SchoolReach]
    left_out: int
    following: str | None


async def show_coverage(
    store: Store, identity: Identity, campaign_id: str, *, school_type: str = "", municipality_ags: str = "",
    after: str = "",
) -> Coverage:  # fmt: skip
    """Counted now. Primary schools count only when they are chosen by `school_type`. CampaignNotFound."""
    identity.must_coordinate()
    campaign = await get_campaign(store, identity, campaign_id)
    types: Document = {"$eq": school_type} if school_type else {"$nin": sorted(WITHOUT_TOURS)}
    rows, reached, asked = await asyncio.gather(
        stored.schools(store, campaign.districts, types), stored.reached(store, campaign_id),
        stored.asked(store, campaign_id),
    )  # fmt: skip
    schools = [_seen(row, reached, asked) for row in rows]
    left_out = [each for each in schools if each.reach != "reached"]
    listed = sorted((each for each in left_out if municipality_ags in ("", each.municipality_ags)), key=_order)
    start = next((place for place, each in enumerate(listed, 1) if each.id == after), 0)
    shown = listed[start : start + SHOWN]
    following = shown[-1].id if len(listed) > start + SHOWN else None
    with_address = await _with_addresses(store, shown)
    return Coverage(campaign, shares(schools), with_address, len(listed), following)


async def _with_addresses(store: Store, schools: list[SchoolReach]) -> list[SchoolReach]:
    teachers = await stored.teachers_of(store, [each.id for each in schools])
    return [replace(each, email=teachers.get(each.id) or each.email) for each in schools]


def _seen(row: Document, reached: set[str], asked: set[str]) -> SchoolReach:
    return SchoolReach(
        row["_id"], stored.name_of(row), row["school_type"], row["municipality_ags"], row["district_ags"],
        row.get("pupils"), reach_of(row["_id"], reached, asked), row.get("email") or "",
    )  # fmt: skip


def _order(school: SchoolReach) -> tuple[str, str, str]:
    place = municipality(school.municipality_ags)
    return place.name if place else "", school.name.casefold(), school.id
