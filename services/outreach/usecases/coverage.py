"""Which schools and municipalities a campaign has not reached, for the coordinator."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.coverage import WITHOUT_TOURS, SchoolReach, Share, reach_of, shares
from services.outreach.store import coverage as stored
from services.outreach.store import figures
from services.outreach.store.core import Store
from services.outreach.store.remembered import KnownSchool
from services.outreach.usecases.campaigns import get_campaign
from shared.auth import Identity

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
    """As of now. Primary schools count only when they are chosen by `school_type`. CampaignNotFound."""
    identity.must_coordinate()
    campaign = await get_campaign(store, identity, campaign_id)
    known, (reached, asked) = await asyncio.gather(store.register.schools(), figures.reach(store.tally, campaign_id))
    districts, types = frozenset(campaign.districts), frozenset({school_type} if school_type else ())
    wanted = {each for each in {school.school_type for school in known} if _fits(each, types)}
    here = [each for each in known if each.district_ags in districts and each.school_type in wanted]
    left_out = [each for each in here if each.id not in reached]
    listed = [each for each in left_out if municipality_ags in ("", each.municipality_ags)]
    start = next((place for place, each in enumerate(listed, 1) if each.id == after), 0)
    shown = [_seen(each, reached, asked) for each in listed[start : start + SHOWN]]
    following = shown[-1].id if len(listed) > start + SHOWN else None
    by_municipality = shares((each.municipality_ags, reach_of(each.id, reached, asked)) for each in here)
    return Coverage(campaign, by_municipality, await _with_addresses(store, shown), len(listed), following)


def _fits(school_type: str, chosen: frozenset[str]) -> bool:
    return school_type in chosen if chosen else school_type not in WITHOUT_TOURS


async def _with_addresses(store: Store, schools: list[SchoolReach]) -> list[SchoolReach]:
    teachers = await stored.teachers_of(store, [each.id for each in schools])
    return [replace(each, email=teachers.get(each.id) or each.email) for each in schools]


def _seen(school: KnownSchool, reached: set[str], asked: set[str]) -> SchoolReach:
    return SchoolReach(
        school.id,
        school.name,
        school.school_type,
        school.municipality_ags,
        school.district_ags,
        school.pupils,
        reach_of(school.id, reached, asked),
        school.email,
    )
