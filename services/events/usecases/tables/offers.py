"""Offers as a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from services.events.domain import errors
from services.events.domain.planning import may_offer
from services.events.store.documents import offer_of
from services.events.store.store import Store
from services.events.usecases import offers
from services.events.usecases.inputs import OfferFilter, OpenOffer
from services.events.usecases.results import OfferView, offer_view
from services.events.usecases.tables.words import LANGUAGES, NewHasNoState, StateNotReachable, fields
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import derived_id
from shared.region import career_fields
from shared.tables.columns import Column, Row, Table, labelled, nested
from shared.tables.lines import Importer, Work
from shared.tables.paging import PER_PAGE, every_page

STATES = labelled(
    published="Published",
    paused="Paused",
    withdrawn="Withdrawn",
    submitted="with the coordinator",
    sent_back="please change",
)
APPROVAL = labelled(automatic="automatic", company="by the company")
WAITING_LIST = labelled(none="none", strict_order="strictly in order", next_that_fits="next that fits")
PLACE = ("name", "street", "postal_code", "town", "directions")
CONTACT = ("name", "email", "phone", "language")
PLAIN = (
    "campaign_id", "company_id", "title", "description", "field", "requirements", "grades", "approval", "waiting_list",
    "offer_school_days", "groups_per_school", "reminders",
)  # fmt: skip
NEW = (*PLAIN, *(f"place.{name}" for name in PLACE), *(f"contact.{name}" for name in CONTACT))
TABLE = Table(
    "offers",
    "Offers",
    (
        Column("id", "Id", width=34),
        Column("version", "Version", "whole", "shown", width=9),
        Column("state", "State", "choice", options=STATES, width=14),
        Column("campaign_id", "Campaign’s id", use="once", width=34),
        Column("company_id", "Company’s id", use="once", width=34),
        Column("company_name", "Company", use="shown", width=28),
        Column("title", "Title", use="once", width=34),
        Column("description", "Description", use="once", width=50),
        Column("field", "Field of work", "choice", "once", fields, width=28),
        Column("place.name", "Place: name", use="once", width=26),
        Column("place.street", "Place: street", use="once", width=26),
        Column("place.postal_code", "Place: postal code", use="once", width=12),
        Column("place.town", "Place: town", use="once"),
        Column("place.directions", "Place: how to get there", use="once", width=40),
        Column("requirements", "Requirements, one in a line", "texts", "once", width=36),
        Column("grades", "Grades", "wholes", "once", width=14),
        Column("contact.name", "Contact: name", use="once", width=26),
        Column("contact.email", "Contact: e-mail address", use="once", width=32),
        Column("contact.phone", "Contact: phone", use="once"),
        Column("contact.language", "Contact: language", "choice", "once", LANGUAGES, width=12),
        Column("approval", "Approval", "choice", "once", APPROVAL, width=16),
        Column("waiting_list", "Waiting list", "choice", "once", WAITING_LIST, width=18),
        Column("offer_school_days", "School days to accept offered places", "whole", "once", width=12),
        Column("groups_per_school", "Groups per school at most", "whole", "once", width=12),
        Column("reminders", "When to remind", use="once", width=22),
    ),
    "/events/offers",
    label="title",
)


async def export_offers(
    store: Store, identity: Identity, *, campaign_id: str | None = None
) -> AsyncIterator[Sequence[Row]]:
    """The own companies' offers, all for the coordinator."""
    companies = [None] if identity.coordinates else identity.organisations("company")
    if not companies:
        raise NotAllowed
    for company_id in companies:

        async def page(after: str | None, company_id: str | None = company_id) -> tuple[list[OfferView], str | None]:
            wanted = OfferFilter(campaign_id=campaign_id, company_id=company_id, limit=PER_PAGE, after=after)
            found = await offers.find_offers(store, identity, wanted)
            return found.items, found.next

        async for found in every_page(page):
            yield [_row(offer) for offer in found]


def _row(offer: OfferView) -> Row:
    contact = offer.contact
    return {
        **{name: getattr(offer, name) for name in ("id", "version", "state", "company_name", *PLAIN)},
        **{f"place.{name}": getattr(offer.place, name) for name in PLACE},
        **{f"contact.{name}": getattr(contact, name) if contact else "" for name in CONTACT},
    }


async def _known(work: Work, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = work.store.db.offers.find({"_id": {"$in": list(ids)}})
    return {row["_id"]: _row(offer_view(offer_of(row), with_contact=True)) async for row in rows}


async def _check(work: Work, row: Row, before: Row | None) -> None:
    if before is not None:
        _must_be_reachable(row, before)
        return
    if row.get("state") not in (None, "", "published"):
        raise NewHasNoState
    command = OpenOffer.model_validate(nested(row, NEW))
    campaign = await work.store.campaign(command.campaign_id)
    if campaign is None:
        raise errors.CampaignUnknown
    zone = ZoneInfo(work.zone)
    may_offer(campaign, work.now, work.now.astimezone(zone), campaign.offers_from.astimezone(zone).replace(tzinfo=None))
    if command.field not in career_fields():
        raise errors.FieldUnknown
    company = await work.store.db.companies.find_one({"_id": command.company_id})
    if company is None or not company["active"]:
        raise errors.CompanyUnknown


async def _write(work: Work, row: Row, before: Row | None, request_id: str) -> None:
    common = {"now": work.now, "request_id": request_id}
    if before is None:
        command = OpenOffer.model_validate(nested(row, NEW))
        await offers.open_offer(work.store, work.identity, command, **common)
        return
    _must_be_reachable(row, before)
    await offers.change_offer_state(work.store, work.identity, before["id"], row["state"], **common)


def _must_be_reachable(row: Row, before: Row) -> None:
    if row["state"] not in ("published", "paused", "withdrawn"):
        raise StateNotReachable
    if before["state"] == "withdrawn":
        raise errors.OfferIsWithdrawn


IMPORTER = Importer(TABLE, _known, _check, _write, lambda request_id, row: derived_id(request_id, "offer"))
