"""Places that schools found outside the system: they count in every report."""

from datetime import date, datetime
from typing import Any

from services.events.domain import errors
from services.events.store.store import Store
from services.events.usecases.inputs import RecordSelfFoundPlace, SelfFoundFilter
from services.events.usecases.offers import identity_may_ask
from services.events.usecases.paging import cursor, cut
from services.events.usecases.results import ListOf, SelfFoundView
from shared.auth import Identity
from shared.errors import NotAllowed, TryLater
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import Document
from shared.region import career_fields
from shared.schemas.events import GroupFacts, SelfFoundPlaceRecorded

REPORTED = (
    "campaign_id", "school_id", "school_type", "school_district_ags", "group", "company_name", "field", "day",
)  # fmt: skip


async def record_self_found_place(
    store: Store, identity: Identity, command: RecordSelfFoundPlace, *, now: datetime, request_id: str
) -> SelfFoundView:
    """Record places that a school found itself."""
    identity.must_act_for_school(command.school_id)
    record_id = derived_id(request_id, "self-found place")
    if known := await store.db.self_found_places.find_one({"_id": record_id}):
        return view(known)
    document = {"_id": record_id, **await _checked(store, command), "withdrawn": False, "version": 1}
    document |= {"created_at": now, "last_request_id": request_id}
    await store.add_self_found_place(document, [_recorded(document, now)])
    return view(document)


async def withdraw_self_found_place(
    store: Store, identity: Identity, record_id: str, *, now: datetime, request_id: str
) -> SelfFoundView:
    """Take back a record, for example one entered twice."""
    document = await store.db.self_found_places.find_one({"_id": record_id})
    if document is None:
        identity_may_ask(identity)
        raise errors.SelfFoundPlaceNotFound
    identity.must_act_for_school(document["school_id"])
    if document["last_request_id"] == request_id and document["withdrawn"]:
        return view(document)
    if document["withdrawn"]:
        raise errors.AlreadyWithdrawn
    changes = {"withdrawn": True, "last_request_id": request_id}
    after = {**document, **changes, "version": document["version"] + 1}
    changed = await store.change_self_found_place(record_id, document["version"], changes, [_recorded(after, now)])
    if not changed:
        raise TryLater
    return view(after)


async def show_self_found_place(store: Store, identity: Identity, record_id: str) -> SelfFoundView:
    """One record, for its school and the coordinator."""
    document = await store.db.self_found_places.find_one({"_id": record_id})
    if document is None:
        identity_may_ask(identity)
        raise errors.SelfFoundPlaceNotFound
    identity.must_act_for_school(document["school_id"])
    return view(document)


async def find_self_found_places(
    store: Store, identity: Identity, wanted: SelfFoundFilter, *, latest_first: bool = False
) -> ListOf[SelfFoundView]:
    """Records of the own schools in the order in which they were made; all for the coordinator."""
    if not (identity.coordinates or identity.has("teacher")):
        raise NotAllowed
    own: Document = {} if identity.coordinates else {"school_id": {"$in": identity.organisations("teacher")}}
    given = {"campaign_id": wanted.campaign_id, "school_id": wanted.school_id}
    filter: Document = {"$and": [own, {name: value for name, value in given.items() if value}]}
    rows = await store.page(
        store.db.self_found_places, filter, "created_at", wanted.limit, cursor(wanted.after), latest_first=latest_first
    )
    shown, following = cut(rows, "created_at", wanted.limit)
    return ListOf(items=[view(row) for row in shown], next=following)


async def _checked(store: Store, command: RecordSelfFoundPlace) -> dict[str, Any]:
    campaign = await store.campaign(command.campaign_id)
    if campaign is None:
        raise errors.CampaignUnknown
    school = await store.school(command.school_id)
    if school is None:
        raise errors.SchoolUnknown
    if command.field not in career_fields():
        raise errors.FieldUnknown
    if not campaign.starts_on <= command.day <= campaign.ends_on:
        raise errors.DayOutsideCampaign(starts_on=campaign.starts_on, ends_on=campaign.ends_on)
    return {
        **command.model_dump(exclude={"day"}),
        "day": command.day.isoformat(),
        "school_type": school.school_type,
        "school_district_ags": school.district_ags,
    }


def _recorded(document: Document, now: datetime) -> SelfFoundPlaceRecorded:
    facts = {name: document[name] for name in REPORTED}
    return SelfFoundPlaceRecorded.about(
        f"self_found_place:{document['_id']}", document["version"], now=now, correlation_id=correlation_id.get(),
        record_id=document["_id"], withdrawn=document["withdrawn"], **facts,
    )  # fmt: skip


def view(document: Document) -> SelfFoundView:
    """The record in its document."""
    return SelfFoundView(
        id=document["_id"],
        campaign_id=document["campaign_id"],
        school_id=document["school_id"],
        group=GroupFacts(**document["group"]),
        company_name=document["company_name"],
        field=document["field"],
        day=date.fromisoformat(document["day"]),
        withdrawn=document["withdrawn"],
        version=document["version"],
    )
