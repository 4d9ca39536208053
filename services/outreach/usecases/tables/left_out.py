"""Schools that a campaign has not reached, and the share of each municipality; both can be exported only."""

from collections.abc import AsyncIterator, Sequence

from services.outreach.domain.coverage import SchoolReach, Share
from services.outreach.store.core import Store
from services.outreach.usecases.coverage import show_coverage
from services.outreach.usecases.tables.words import districts, school_types
from shared.auth import Identity
from shared.region import municipalities
from shared.tables.columns import Column, Row, Table, labelled

REACHES = labelled(asked="has asked and waits", nothing="has asked for nothing")
SCHOOLS = Table(
    "schools-without",
    "Schools that got nothing",
    (
        Column("id", "School number", width=13),
        Column("name", "Name", width=44),
        Column("school_type", "School type", "choice", options=school_types, width=24),
        Column("municipality", "Municipality", width=24),
        Column("district_ags", "District", "choice", options=districts, width=26),
        Column("pupils", "Pupils", "whole", width=9),
        Column("reach", "State", "choice", options=REACHES, width=24),
        Column("email", "E-mail address", width=34),
    ),
)
MUNICIPALITIES = Table(
    "municipalities",
    "By municipality",
    (
        Column("ags", "Key", width=10),
        Column("name", "Municipality", width=24),
        Column("district", "District", width=26),
        Column("schools", "Schools", "whole", width=9),
        Column("reached", "Reached", "whole", width=9),
        Column("asked", "Wait", "whole", width=9),
        Column("left_out", "Schools that got nothing", "whole", width=12),
    ),
)


async def export_schools(
    store: Store, identity: Identity, *, campaign_id: str = "", school_type: str = "", municipality: str = ""
) -> AsyncIterator[Sequence[Row]]:
    """All of them, as their list shows them. CampaignNotFound."""
    after: str | None = ""
    while after is not None:
        seen = await show_coverage(
            store, identity, campaign_id, school_type=school_type, municipality_ags=municipality, after=after
        )
        yield [_school_row(school) for school in seen.schools]
        after = seen.following


def _school_row(school: SchoolReach) -> Row:
    place = municipalities().get(school.municipality_ags)
    plain = {name: getattr(school, name) for name in ("id", "name", "school_type", "district_ags", "pupils", "email")}
    return {**plain, "municipality": place.name if place else "", "reach": school.reach}


async def export_municipalities(
    store: Store, identity: Identity, *, campaign_id: str = "", school_type: str = ""
) -> AsyncIterator[Sequence[Row]]:
    """Those with schools of the kind, by name. CampaignNotFound."""
    seen = await show_coverage(store, identity, campaign_id, school_type=school_type)
    rows = [_municipality_row(share) for ags, share in seen.by_municipality.items() if ags in municipalities()]
    yield sorted(rows, key=lambda row: row["name"])


def _municipality_row(share: Share) -> Row:
    place = municipalities()[share.ags]
    counts = {name: getattr(share, name) for name in ("schools", "reached", "asked", "left_out")}
    return {"ags": share.ags, "name": place.name, "district": place.district, **counts}
