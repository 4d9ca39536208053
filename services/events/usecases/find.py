"""The search over this service: offers, their next slots, registrations. A teacher finds the own schools'
registrations."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.events.domain.facts import Offer, Registration, Slot
from services.events.store.documents import offer_of, registration_of, slot_of
from services.events.store.store import WITHOUT_PENDING, Store
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.mongo import Document
from shared.search import SHOWN
from shared.words import beginning_with, typed_words

LOOKED_AT = 60


@dataclass(frozen=True)
class Found:
    """What fits; `slots` and `offers` also hold those that the hits refer to."""

    registrations: list[Registration]
    offers: list[Offer]
    slots: list[Slot]
    slots_by_id: dict[str, Slot]
    offers_by_id: dict[str, Offer]


def may_search(identity: Identity) -> None:
    """NotAllowed unless this is a coordinator or a teacher."""
    if not (identity.coordinates or identity.has("teacher")):
        raise NotAllowed


async def find_everything(store: Store, identity: Identity, q: str, *, now: datetime) -> Found:
    """Registrations by number, school, class, contact; offers by title, company, contact; slots of these offers that
    are ahead, and those of a day that was typed."""
    may_search(identity)
    day, words = _day(q), typed_words(q)
    registrations = await _registrations(store, identity, words) if words else []
    offers = await _offers(store, words) if words and identity.coordinates else []
    slots = await _slots(store, offers, day, now) if identity.coordinates else []
    return Found(
        registrations,
        offers,
        slots,
        await store.slots([each.slot_id for each in registrations]),
        await store.offers([each.offer_id for each in (*registrations, *slots)]),
    )


async def _registrations(store: Store, identity: Identity, words: list[str]) -> list[Registration]:
    own: Document = {} if identity.coordinates else {"school_id": {"$in": identity.organisations("teacher")}}
    rows = await store.db.registrations.find({**own, **beginning_with(words)}).limit(LOOKED_AT).to_list(LOOKED_AT)
    rows.sort(key=lambda row: row["created_at"], reverse=True)
    return [registration_of(row) for row in rows[: SHOWN + 1]]


async def _offers(store: Store, words: list[str]) -> list[Offer]:
    rows = await store.db.offers.find(beginning_with(words)).limit(SHOWN + 1).to_list(SHOWN + 1)
    return [offer_of(row) for row in rows]


async def _slots(store: Store, offers: list[Offer], day: date | None, now: datetime) -> list[Slot]:
    if day:
        midnight = datetime.combine(day, time(), ZoneInfo(store.zone))
        where: Document = {"starts_utc": {"$gte": midnight, "$lt": midnight + timedelta(days=1)}}
    elif offers:
        where = {"offer_id": {"$in": [offer.id for offer in offers]}, "starts_utc": {"$gte": now}}
    else:
        return []
    found = store.db.slots.find(where, WITHOUT_PENDING).sort("starts_utc", 1).limit(SHOWN + 1)
    return [slot_of(row) async for row in found]


def _day(q: str) -> date | None:
    """The day that was typed, like 2.12.2026 or 2026-12-02."""
    for pattern in ("%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(q.strip(), pattern).date()
        except ValueError:
            continue
    return None
