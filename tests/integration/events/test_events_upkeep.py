"""What other services say, and what goes by itself: copies, trouble with mails, erasure."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.events.consumer import HANDLERS, Context
from services.events.domain import commands as do
from services.events.usecases.inputs import WithReason
from services.events.usecases.offer_checks import send_offer_back
from services.events.usecases.upkeep import erase_due, finish_left_behind
from shared.auth import Directory
from shared.mongo import Database
from shared.schemas.notify import DeliveryFailed
from shared.schemas.outreach import SchoolChanged
from tests.support.events_world import NOW, STARTS, about, coordinator, furnish, offer, register, slot


def school_changed(version: int, name: str, days=()) -> SchoolChanged:
    return SchoolChanged.about(
        "school:s9", version, now=NOW, school_id="s9", name=name, short_name="", school_type="15", street="",
        postal_code="", town="", municipality_ags="", district_ags="05958", lat=None, lon=None, pupils=None, open=True,
        movable_days=list(days),
    )  # fmt: skip


async def hear(store, message) -> None:
    await HANDLERS[type(message)](message, Context(store, Directory(store.db)), NOW)


async def test_an_older_message_about_a_school_changes_nothing(db: Database):
    store = await furnish(db)
    for message in (school_changed(2, "neu", ["2026-12-08"]), school_changed(1, "alt"), school_changed(2, "neu")):
        await hear(store, message)
    known = await store.school("s9")
    assert known.name == "neu" and len(known.movable_days) == 1


async def test_a_mail_that_failed_shows_at_its_registration_and_survives_the_next_decision(db: Database):
    store = await furnish(db, [slot()])
    made = await store.decide("slot-1", register("9a", 10))
    failed = DeliveryFailed.about(
        "delivery:1", 1, now=NOW, delivery_id="1", kind="confirmed", concerns=f"registration:{made.id}",
        recipient_role="teacher", answer="550 no such user", failed_at=NOW,
    )  # fmt: skip
    for _ in range(2):
        await hear(store, failed)
    seen = await store.registration(made.id)
    assert (seen.mail_trouble["answer"], seen.version, seen.state) == ("550 no such user", 1, "confirmed")
    await store.decide("slot-1", do.Resize(**about(made), pupils=9))
    seen = await store.registration(made.id)
    assert seen.mail_trouble["answer"] == "550 no such user" and seen.group.pupils == 9
    assert await db.inbox.count_documents({}) == 1


async def test_a_mail_about_something_else_is_not_our_concern(db: Database):
    store = await furnish(db, [slot()])
    message = DeliveryFailed.about(
        "delivery:1", 1, now=NOW, delivery_id="1", kind="visit", concerns="visit:7", recipient_role="teacher",
        answer="550", failed_at=NOW,
    )  # fmt: skip
    await hear(store, message)
    assert await db.inbox.count_documents({}) == 0


async def test_contacts_are_erased_on_their_day_everywhere_and_the_counts_stay(db: Database):
    store = await furnish(db, [slot()])
    made = await store.decide("slot-1", register("9a", 10))
    await store.places.close()
    day = STARTS + timedelta(hours=3) + store.contact_kept
    assert await erase_due(store, now=day - timedelta(days=1)) == 0
    assert (await store.registration(made.id)).contact.name == "Erika Muster"
    assert await erase_due(store, now=day) == 1
    emptied = await store.registration(made.id)
    assert (emptied.contact.name, emptied.contact.email, emptied.group.pupils) == ("", "", 10)
    rows = [row async for row in db.outbox.find({})] + [row async for row in db.registrations.find({})]
    assert "erika" not in json.dumps(rows, default=str).lower()
    receipt = await db.erasure_receipts.find_one({})
    assert (receipt["what"], receipt["count"]) == ("registration contacts", 1)
    assert await erase_due(store, now=day) == 0


async def test_a_moved_slot_moves_the_day_of_erasure(db: Database):
    store = await furnish(db, [slot()])
    made = await store.decide("slot-1", register("9a", 10))
    later = {"starts_utc": STARTS + timedelta(days=14), "ends_utc": STARTS + timedelta(days=14, hours=3)}
    local = {"starts_local": datetime(2026, 12, 15, 9), "ends_local": datetime(2026, 12, 15, 12)}
    await store.decide("slot-1", do.MoveSlot(now=NOW, request_id="m", zone="Europe/Berlin", **later, **local))
    day = STARTS + timedelta(hours=3) + store.contact_kept
    assert await erase_due(store, now=day) == 0
    assert (await store.registration(made.id)).contact.name == "Erika Muster"
    assert await erase_due(store, now=day + timedelta(days=14)) == 1


async def test_the_contact_of_an_offer_is_erased_with_its_campaign(db: Database):
    store = await furnish(db, [slot()])
    await store.decide("slot-1", register("9a", 10))
    await store.places.close()
    await erase_due(store, now=datetime(2030, 1, 1, tzinfo=UTC))
    collections = (db.offers, db.outbox, db.registrations, db.slots)
    rows = [row for collection in collections async for row in collection.find({}, {"pending": 0})]
    text = json.dumps(rows, default=str).lower()
    assert "beispiel.example" not in text and "max.beispiel" not in text and "erika" not in text
    assert "beispiel gmbh" in text


async def test_the_reasons_people_wrote_are_erased_too(db: Database):
    store = await furnish(db, [slot()])
    made = await store.decide("slot-1", register("9a", 10))
    await store.decide("slot-1", do.Cancel(**about(made), by="school", reason="Frau Muster ist krank"))
    await store.places.close()
    await erase_due(store, now=STARTS + timedelta(hours=3) + store.contact_kept)
    rows = [row async for row in db.outbox.find({})] + [row async for row in db.registrations.find({})]
    assert "krank" not in json.dumps(rows, default=str)


async def test_what_the_coordinator_wrote_about_an_offer_is_erased_with_its_campaign(db: Database):
    store = await furnish(db, offered=replace(offer(state="paused"), check="waiting"))
    back = WithReason(reason="Frau Muster fragt nach der Haltestelle")
    await send_offer_back(store, coordinator(), "offer-1", back, now=NOW, request_id="r-1")
    held = [db.offers, db.outbox]
    assert "Haltestelle" in json.dumps([row for each in held async for row in each.find({})], default=str)
    await erase_due(store, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert "Haltestelle" not in json.dumps([row for each in held async for row in each.find({})], default=str)


async def test_a_batch_left_behind_is_carried_out_before_its_contacts_are_erased(db: Database, monkeypatch):
    store = await furnish(db, [slot()])

    async def stays(*_: object) -> None:
        """As when the process dies before it tidies up."""

    monkeypatch.setattr(store.places, "_forget_pending", stays)
    await store.decide("slot-1", register("9a", 10))
    assert "erika" in json.dumps(await db.slots.find_one({}), default=str).lower()
    assert await erase_due(store, now=STARTS + timedelta(hours=3) + store.contact_kept) == 1
    rows = [row for each in (db.slots, db.outbox, db.registrations) async for row in each.find({})]
    assert "erika" not in json.dumps(rows, default=str).lower()


async def test_a_cancelled_slot_that_cannot_be_cleared_does_not_keep_the_others_waiting(db: Database):
    store = await furnish(db, [slot(id=f"slot-{number}") for number in (1, 2)])
    for slot_id in ("slot-1", "slot-2"):
        await store.decide(slot_id, register(f"9a {slot_id}", 10))
        await store.decide(slot_id, do.CancelSlot(now=NOW, request_id=f"off {slot_id}", reason=""))
    await store.places.close()
    broken, fine = await store.cancelled_slots_with_registrations()
    await db.registrations.update_one({"slot_id": broken}, {"$unset": {"group": ""}})
    await finish_left_behind(store, now=NOW)
    assert (await db.registrations.find_one({"slot_id": fine}))["state"] == "cancelled"
    assert await store.cancelled_slots_with_registrations() == [broken]
