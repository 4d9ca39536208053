"""What this service does with the messages it hears: it keeps what its reports count. Copies need no inbox."""

from datetime import datetime

from services.outreach.store import reports
from services.outreach.store.core import Store
from services.outreach.usecases.mail_trouble import mark_mail_trouble
from shared.inbox import Handler
from shared.schemas.base import Message
from shared.schemas.events import (
    OfferChanged,
    OfferPublished,
    RegistrationMessage,
    SelfFoundPlaceRecorded,
    SlotCancelled,
    SlotMoved,
    SlotOpened,
    SlotResized,
)
from shared.schemas.notify import DeliveryFailed


async def on_offer(message: OfferPublished | OfferChanged, store: Store, now: datetime) -> None:
    """An offer is new or changed."""
    await reports.copy_offer(store, message.offer, message.aggregate_version)


async def on_slot(message: SlotOpened | SlotMoved | SlotResized | SlotCancelled, store: Store, now: datetime) -> None:
    """A slot is new, moved, resized or cancelled."""
    await reports.copy_slot(store, message.slot, message.aggregate_version)


async def on_registration(message: RegistrationMessage, store: Store, now: datetime) -> None:
    """A registration is in another state, or of another size."""
    await reports.copy_registration(store, message.registration)


async def on_self_found_place(message: SelfFoundPlaceRecorded, store: Store, now: datetime) -> None:
    """A school found places by itself, or withdrew the record."""
    await reports.copy_self_found(store, message)


async def on_delivery_failed(message: DeliveryFailed, store: Store, now: datetime) -> None:
    """A mail about a visit did not arrive."""
    await mark_mail_trouble(store, message)


HANDLERS: dict[type[Message], Handler] = {
    **dict.fromkeys((OfferPublished, OfferChanged), on_offer),
    **dict.fromkeys((SlotOpened, SlotMoved, SlotResized, SlotCancelled), on_slot),
    **dict.fromkeys(RegistrationMessage.__subclasses__(), on_registration),
    SelfFoundPlaceRecorded: on_self_found_place,
    DeliveryFailed: on_delivery_failed,
}
