"""What companies offer."""

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from services.events.domain import errors
from services.events.domain.facts import Campaign, Check, Offer
from services.events.domain.offers import first_check, in_state
from services.events.domain.planning import may_offer
from services.events.store.documents import offer_of
from services.events.store.store import Store
from services.events.usecases.inputs import OfferFilter, OpenOffer, PlaceInput
from services.events.usecases.paging import cursor, cut
from services.events.usecases.results import ListOf, OfferView, offer_view
from shared import offsets
from shared.auth import Identity
from shared.errors import NotAllowed, RuleBroken, TryLater
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import Document
from shared.offsets import DaysBefore
from shared.region import career_fields, postal_code
from shared.schemas.base import Message
from shared.schemas.events import OfferChanged, OfferFacts, OfferPublished, Place

OfferState = Literal["published", "paused", "withdrawn"]
ALREADY: dict[OfferState, type[RuleBroken]] = {
    "published": errors.AlreadyPublished,
    "paused": errors.AlreadyPaused,
    "withdrawn": errors.AlreadyWithdrawn,
}


async def open_offer(
    store: Store, identity: Identity, command: OpenOffer, *, now: datetime, request_id: str
) -> OfferView:
    """Publish a company's offer in a campaign, or hand it in where the coordinator looks at offers before."""
    identity.must_act_for_company(command.company_id)
    offer_id = derived_id(request_id, "offer")
    if known := await store.offer(offer_id):
        return offer_view(known, with_contact=True)
    campaign = await campaign_to_offer_in(store, command.campaign_id, now)
    offer = await plan_offer(store, campaign, offer_id, command, now, request_id)
    messages = [] if offer.check else [published(offer, now)]
    await store.add_offer_with_slots(offer, erasure_of_offer(store, campaign), [], messages)
    return offer_view(offer, with_contact=True)


async def campaign_to_offer_in(store: Store, campaign_id: str, now: datetime) -> Campaign:
    """The campaign, when offers can be made in it now. CampaignUnknown, OffersNotOpenYet, CampaignIsOver."""
    campaign = await store.campaign(campaign_id)
    if campaign is None:
        raise errors.CampaignUnknown
    zone = ZoneInfo(store.zone)
    may_offer(campaign, now, now.astimezone(zone), _naive(campaign.offers_from, zone))
    return campaign


async def plan_offer(
    store: Store, campaign: Campaign, offer_id: str, command: OpenOffer, now: datetime, request_id: str
) -> Offer:
    """The offer as it will be written. FieldUnknown, CompanyUnknown."""
    if command.field not in career_fields():
        raise errors.FieldUnknown
    company = await store.db.companies.find_one({"_id": command.company_id})
    if company is None or not company["active"]:
        raise errors.CompanyUnknown
    return _new_offer(offer_id, command, company["name"], now, request_id, first_check(campaign))


def published(offer: Offer, now: datetime, checked: bool = False) -> Message:
    """What is said when an offer can be found."""
    return OfferPublished.about(
        f"offer:{offer.id}", offer.version, now=now, correlation_id=correlation_id.get(), offer=offer.facts,
        checked=checked,
    )  # fmt: skip


def erasure_of_offer(store: Store, campaign: Campaign) -> datetime:
    """When the contact of an offer in the campaign goes."""
    return datetime.combine(campaign.ends_on, datetime.max.time(), ZoneInfo(store.zone)) + store.contact_kept


async def change_offer_state(
    store: Store, identity: Identity, offer_id: str, state: OfferState, *, now: datetime, request_id: str
) -> OfferView:
    """Pause, resume (`published`) or withdraw an offer. Its registrations stay."""
    before = await offer_of_own_company(store, identity, offer_id)
    if before.last_request_id == request_id:
        return offer_view(before, with_contact=True)
    if before.facts.state == state:
        raise ALREADY[state]
    if before.facts.state == "withdrawn":
        raise errors.OfferIsWithdrawn
    if before.check and state != "withdrawn":
        raise errors.OfferIsNotPublished
    after = in_state(before, state, request_id)
    messages = [] if after.check else [_changed(after, now)]
    if not await store.change_offer(before, after, messages):
        raise TryLater
    return offer_view(after, with_contact=True)


def _changed(offer: Offer, now: datetime) -> Message:
    return OfferChanged.about(
        f"offer:{offer.id}", offer.version, now=now, correlation_id=correlation_id.get(), offer=offer.facts
    )


async def find_offers(store: Store, identity: Identity | None, wanted: OfferFilter) -> ListOf[OfferView]:
    """Offers in the order in which they were published. Anybody may look; contacts are for those concerned."""
    given = {"campaign_id": wanted.campaign_id, "company_id": wanted.company_id}
    asked: Document = {name: value for name, value in given.items() if value}
    filter = {"$and": [asked, visible(identity, "check", ["waiting", "sent_back"])]}
    rows = await store.page(store.db.offers, filter, "created_at", wanted.limit, cursor(wanted.after))
    shown, following = cut(rows, "created_at", wanted.limit)
    offers = [offer_of(row) for row in shown]
    return ListOf(items=[offer_view(o, _sees_contact(identity, o)) for o in offers], next=following)


async def show_offer(store: Store, identity: Identity | None, offer_id: str) -> OfferView:
    """One offer. Anybody may look; the contact is for those concerned."""
    offer = await store.offer(offer_id)
    if offer is None or (offer.check and not _sees_contact(identity, offer)):
        raise errors.OfferNotFound
    return offer_view(offer, _sees_contact(identity, offer))


def visible(identity: Identity | None, field: str, hidden: list[str]) -> Document:
    """The filter for what this identity may see: what is not published yet is for its company and the coordinator."""
    if identity is not None and identity.coordinates:
        return {}
    own = identity.organisations("company") if identity else []
    public: Document = {field: {"$nin": hidden}}
    return {"$or": [public, {"company_id": {"$in": own}}]} if own else public


def _sees_contact(identity: Identity | None, offer: Offer) -> bool:
    return identity is not None and (identity.coordinates or identity.has("company", offer.facts.company_id))


async def offer_of_own_company(store: Store, identity: Identity, offer_id: str) -> Offer:
    """The offer for somebody of its company; NotAllowed for others."""
    offer = await store.offer(offer_id)
    if offer is None:
        identity_may_ask(identity)
        raise errors.OfferNotFound
    identity.must_act_for_company(offer.facts.company_id)
    return offer


def identity_may_ask(identity: Identity) -> None:
    """NotAllowed for somebody with no part in this service, so that ids cannot be tried out."""
    if not (identity.coordinates or identity.has("company") or identity.has("teacher")):
        raise NotAllowed


def _new_offer(
    offer_id: str, command: OpenOffer, company_name: str, now: datetime, request_id: str, check: Check
) -> Offer:
    return Offer(
        facts=OfferFacts(
            offer_id=offer_id,
            campaign_id=command.campaign_id,
            company_id=command.company_id,
            company_name=company_name,
            title=command.title,
            description=command.description,
            field=command.field,
            place=located(command.place),
            requirements=command.requirements,
            contact=command.contact.facts(),
            **remind(_reminders(command)),
            state="paused" if check else "published",
        ),
        grades=tuple(sorted(set(command.grades))),
        approval=command.approval,
        waiting_list=command.waiting_list,
        offer_school_days=command.offer_school_days,
        groups_per_school=command.groups_per_school,
        confirm_again=command.confirm_again.rule(),
        created_at=now,
        last_request_id=request_id,
        check=check,
    )


def _reminders(command: OpenOffer) -> list[str] | None:
    if command.reminders.strip() or command.reminder_days is None:
        return offsets.given(command.reminders)
    return offsets.texts_of(offsets.in_order(DaysBefore(days) for days in command.reminder_days))


def remind(reminders: list[str] | None) -> dict[str, list[Any] | None]:
    """When an offer reminds, as its facts say it; None is: as the campaign says."""
    own = offsets.USUAL if reminders is None else offsets.offsets_of(reminders)
    return {"reminders": reminders, "reminder_days": [each.days for each in own if isinstance(each, DaysBefore)]}


def located(place: PlaceInput) -> Place:
    """The place with its district and a point, as far as the postal code tells."""
    found = postal_code(place.postal_code)
    where = {"district_ags": found.district_ags, "lat": found.lat, "lon": found.lon} if found else {}
    return Place(**place.model_dump(), **where)


def _naive(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
