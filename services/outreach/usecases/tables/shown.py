"""Lists that can be exported only: visits, campaigns, a campaign's report, feedback and API keys."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.outreach.domain.campaigns import Campaign
from services.outreach.domain.reports import FIGURES
from services.outreach.domain.visits import Visit
from services.outreach.store.core import Store
from services.outreach.store.visits import Around, around
from services.outreach.usecases import api_keys, campaigns, feedback, reports, visits
from services.outreach.usecases.tables.words import LANGUAGES, districts, fields, known, school_types
from shared.auth import Identity
from shared.tables.columns import Column, Row, Table, labelled
from shared.tables.paging import PER_PAGE, every_page
from shared.ui.language import translate

STATES = labelled(
    requested="Asked for", proposed="Team is asked", confirmed="Confirmed", cancelled="Called off", done="Took place"
)
VISITS = Table(
    "visits",
    "School visits",
    (
        Column("id", "Id", width=34),
        Column("state", "State", "choice", options=STATES, width=16),
        Column("campaign", "Campaign", width=28),
        Column("school_id", "School number", width=13),
        Column("school", "School", width=36),
        Column("district_ags", "District", "choice", options=districts, width=26),
        Column("field", "Field of work", "choice", options=fields, width=28),
        Column("grade", "Grade", "whole", width=8),
        Column("group_name", "Class or course", width=16),
        Column("pupils", "Pupils", "whole", width=9),
        Column("starts_local", "Begins", "wall", width=17),
        Column("ends_local", "Ends", "wall", width=17),
        Column("team", "Team", "texts", width=34),
        Column("pupils_reached", "Reached by visits", "whole", width=12),
        Column("contact.name", "Contact: name", width=26),
        Column("contact.email", "Contact: e-mail address", width=32),
        Column("contact.phone", "Contact: phone"),
        Column("requested_at", "Asked for on", "wall", width=17),
    ),
)
CAMPAIGNS = Table(
    "campaigns",
    "Campaigns",
    (
        Column("id", "Id", width=34),
        Column("name", "Name", width=32),
        Column("starts_on", "First day", "day", width=12),
        Column("ends_on", "Last day", "day", width=12),
        Column("districts", "Districts", "choices", options=districts, width=40),
        Column("kinds", "What is offered", "choices", options=labelled(tour="Company tours", visit="School visits")),
        Column("offers_from", "Companies can make offers from", "wall", width=17),
        Column("booking_from", "Schools can book from", "wall", width=17),
        Column("closes_at", "Booking closes at", "wall", width=17),
    ),
)
NAMES = {
    "schools": "Schools", "groups": "Groups on company tours", "pupils": "Pupils in these groups",
    "companies": "Companies", "visits": "School visits", "slots": "Dates", "places_offered": "Places offered",
    "places_taken": "Places taken", "places_attended": "Pupils who came", "self_found_places": "Self-found places",
    "pupils_reached": "Pupils reached by visits",
}  # fmt: skip
PARTS = labelled(whole="Whole campaign", district="District", school_type="School type", field="Field of work")
REPORT = Table(
    "report",
    "Report",
    (
        Column("part", "Part", "choice", options=PARTS, width=18),
        Column("code", "Key", width=10),
        Column("name", "Name", width=34),
        *(Column(name, NAMES[name], "whole", width=12) for name in FIGURES),
        Column("as_of", "As of", "wall", width=17),
    ),
)

FEEDBACK = Table(
    "feedback",
    "Feedback",
    (
        Column("id", "Id", width=34),
        Column("created_at", "Sent", "wall", width=17),
        Column("text", "Feedback", width=80),
        Column("name", "Name", width=26),
        Column("email", "E-mail address", width=32),
        Column("language", "Language", "choice", options=LANGUAGES, width=12),
        Column("done", "Done", "yes_no", width=9),
        Column("erase_after", "Erased on", "wall", width=17),
    ),
)
API_KEYS = Table(
    "api-keys",
    "API keys",
    (
        Column("id", "Id", width=34),
        Column("name", "Name", width=32),
        Column("scopes", "Scopes", "choices", width=40),
        Column("issued_at", "Issued", "wall", width=17),
        Column("revoked", "Revoked", "yes_no", width=12),
    ),
)


async def export_visits(store: Store, identity: Identity, zone: str, **asked: str) -> AsyncIterator[Sequence[Row]]:
    """The visits that `identity` may see, `asked` as their list is; contacts only of those in which it takes part."""
    pages = every_page(lambda after: visits.list_visits(store, identity, **asked, limit=PER_PAGE, after=after))
    async for page in pages:
        names = await around(store, page)
        yield [_visit_row(visit, names, zone) for visit in page]


def _visit_row(visit: Visit, names: Around, zone: str) -> Row:
    facts = visit.model_dump(
        include={"id", "state", "school_id", "district_ags", "field", "grade", "group_name", "pupils", "pupils_reached"}
    )
    school = names.schools.get(visit.school_id)
    team = [names.people[member.person_id].name for member in visit.team if member.person_id in names.people]
    return {
        **facts, "campaign": names.campaigns.get(visit.campaign_id, ""), "school": school.name if school else "",
        "starts_local": visit.chosen.starts_local if visit.chosen else None,
        "ends_local": visit.chosen.ends_local if visit.chosen else None, "team": [name for name in team if name],
        "contact.name": visit.contact.name, "contact.email": visit.contact.email,
        "contact.phone": visit.contact.phone, "requested_at": _wall(visit.requested_at, zone),
    }  # fmt: skip


async def export_campaigns(store: Store, identity: Identity, zone: str) -> AsyncIterator[Sequence[Row]]:
    """All campaigns by their first day, for coordinators: as the list itself."""
    identity.must_coordinate()
    pages = every_page(lambda after: campaigns.list_campaigns(store, identity, limit=PER_PAGE, after=after))
    async for page in pages:
        yield [_campaign_row(campaign, zone) for campaign in page]


def _campaign_row(campaign: Campaign, zone: str) -> Row:
    moments = {name: _wall(getattr(campaign, name), zone) for name in ("offers_from", "booking_from", "closes_at")}
    return {**campaign.model_dump(include={"id", "name", "starts_on", "ends_on", "districts", "kinds"}), **moments}


async def export_report(
    store: Store, identity: Identity, campaign_id: str, zone: str, language: str, *, now: datetime
) -> AsyncIterator[Sequence[Row]]:
    """The figures of a campaign: the whole, and by district, school type and field of work."""
    report = await reports.report_on_campaign(store, identity, campaign_id, now=now)
    figures, as_of = report.figures, _wall(report.as_of, zone)
    labels = {
        "district": (figures.by_district, districts()),
        "school_type": (figures.by_school_type, school_types(known(language))),
        "field": (figures.by_field, fields(known(language))),
    }
    whole = {"part": "whole", "code": "", "name": translate("Whole campaign", language), **figures.totals}
    yield [{**whole, "as_of": as_of}] + [
        {"part": part, "code": code, "name": names.get(code, code), **values, "as_of": as_of}
        for part, (rows, names) in labels.items()
        for code, values in rows.items()
    ]


async def export_feedback(store: Store, identity: Identity, zone: str, *, done: bool) -> AsyncIterator[Sequence[Row]]:
    """What was told, the oldest first: what is open, or what is done."""
    async for page in every_page(lambda after: feedback.list_feedback(store, identity, done=done, after=after)):
        yield [
            {
                **each.model_dump(include={"id", "text", "name", "email", "language", "done"}),
                "created_at": _wall(each.created_at, zone), "erase_after": _wall(each.erase_after, zone),
            }
            for each in page
        ]  # fmt: skip


async def export_api_keys(store: Store, identity: Identity, zone: str) -> AsyncIterator[Sequence[Row]]:
    """All keys by name, the revoked ones too; never the keys themselves."""
    pages = every_page(lambda after: api_keys.list_api_keys(store, identity, limit=PER_PAGE, after=after))
    async for page in pages:
        yield [
            {**each.model_dump(include={"id", "name", "scopes", "revoked"}), "issued_at": _wall(each.issued_at, zone)}
            for each in page
        ]


def _wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)
