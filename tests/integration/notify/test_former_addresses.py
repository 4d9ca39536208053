"""Addresses that people have left: nobody who was erased is written to again, and what waits follows a person."""

import hashlib
from datetime import UTC, datetime, timedelta

from services.notify.usecases.erasure import erase_due
from shared.schemas import events
from shared.schemas.outreach import Role
from tests.support.notify_builders import (
    COMPANY,
    NOW,
    TEACHER,
    coordinator,
    offer,
    registration,
    said,
    slot,
    slot_moved,
)
from tests.support.notify_world import World

NEW = "neu@schule.example"
REMINDED = datetime(2026, 11, 17, 9, tzinfo=UTC)


def teacher(version: int, email: str, **changes: object) -> object:
    """What outreach says of the teacher; without an address she was erased."""
    gone = {} if email else {"name": "", "active": False}
    return coordinator(9, version, person_id="p1", email=email, roles=[], **{**gone, **changes})


async def named(world: World) -> list[str]:
    """Mails to the teacher as the log knows them."""
    shown = ("recipient", "recipient_key", "recipient_name", "words")
    return [row["_id"] for row in await world.deliveries() if "tessa" in str([row[name] for name in shown]).lower()]


async def test_whoever_was_erased_gets_no_more_mails_and_stands_in_no_copy(world: World) -> None:
    await world.hear(teacher(1, TEACHER.email), said(events.RegistrationConfirmed, registration("confirmed", 1)))
    await world.send_all()
    await world.hear(*[teacher(2, "")] * 2)
    world.server.recipients.clear()
    await world.hear(slot_moved(slot(2, datetime(2026, 12, 8, 9))))
    later = registration("confirmed", 2, previous_pupils=28, slot=slot(2, datetime(2026, 12, 8, 9)))
    await world.hear(said(events.RegistrationResized, later))
    await world.send_all()
    world.clock.set(REMINDED + timedelta(days=7))
    await world.send_all()
    assert set(world.server.recipients) == {COMPANY.email}
    assert not await named(world)
    for name in ("registrations", "slots", "former_addresses"):
        assert "tessa" not in str(await world.db[name].find().to_list(None)).lower(), name
    assert (await erase_due(world.context, now=NOW + timedelta(days=366)))["former_addresses"] == 1


async def test_what_waits_for_a_former_address_goes_to_the_present_one(world: World) -> None:
    await world.hear(teacher(1, TEACHER.email), said(events.RegistrationConfirmed, registration("confirmed", 1)))
    await world.send_all()
    await world.hear(*[teacher(2, NEW)] * 2, teacher(1, TEACHER.email))
    world.server.recipients.clear()
    world.clock.set(REMINDED)
    await world.hear(said(events.RegistrationResized, registration("confirmed", 2, previous_pupils=28)))
    await world.send_all()
    assert sorted(world.server.recipients) == sorted([NEW, COMPANY.email] * 2)
    assert len(await world.context.store.feeds.registrations_by_email("contact", NEW)) == 1
    assert await world.deliveries(recipient_key=TEACHER.email)
    await world.hear(teacher(3, ""))
    assert not await named(world)
    world.server.recipients.clear()
    await world.hear(said(events.RegistrationCancelled, registration("cancelled", 3, cancelled_by="company")))
    await world.send_all()
    assert world.server.recipients == [COMPANY.email]


async def test_somebody_who_has_the_address_again_is_written_to(world: World) -> None:
    await world.hear(teacher(1, TEACHER.email), teacher(2, ""))
    await world.hear(coordinator(8, 1, person_id="p2", email=TEACHER.email.upper(), roles=[]))
    await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted", 1)))
    await world.send_all()
    assert world.server.recipients == [TEACHER.email]


async def test_a_choice_counts_however_the_directory_writes_the_address(world: World) -> None:
    company = [Role(kind="company", organisation_id="company1")]
    await world.hear(coordinator(9, email=COMPANY.email.title(), roles=company, reminders="none"))
    await world.db.people.update_many({}, {"$unset": {"email_key": ""}})
    await world.context.store.create_indexes()
    await world.hear(said(events.RegistrationConfirmed, registration("confirmed", 1)))
    await world.send_all()
    world.server.recipients.clear()
    world.clock.set(REMINDED)
    await world.send_all()
    assert world.server.recipients == [TEACHER.email]
    assert await world.context.store.person_with(COMPANY.email) == "coordinator9"


async def test_a_plain_hash_of_an_address_stays_nowhere(world: World) -> None:
    plain = hashlib.sha256(f"address:{TEACHER.email}".encode()).hexdigest()
    keyed = world.context.store.hash_of(TEACHER.email)
    dates = {"since": NOW, "erase_after": NOW + timedelta(days=365)}
    await world.db.reminder_stops.insert_one({"_id": plain, **dates})
    row = {"masked": "te…@schule.example", "reason": "refused", "active": True, "order": None, **dates}
    await world.db.suppressions.insert_one({"_id": plain, **row})
    kinds = ("slot_moved", "pupil_reminder", "address_suppressed")
    await world.hear(said(events.RegistrationConfirmed, registration("confirmed", 1)))
    (example, *_) = await world.deliveries()
    rows = [{**example, "_id": kind, "kind": kind, "suppression": plain} for kind in kinds]
    rows[2]["facts"] = {"suppression": {"id": plain}}
    await world.db.deliveries.insert_many([*rows, {**rows[0], "_id": "gone", "suppression": "f" * 64}])
    await world.context.store.create_indexes()
    assert await world.context.store.reminder_stops.has(TEACHER.email)
    assert (await world.context.store.suppressions.active(TEACHER.email)) is not None
    kept = {row["_id"]: row["suppression"] for row in await world.deliveries(_id={"$in": [*kinds, "gone"]})}
    assert kept == {"slot_moved": keyed, "pupil_reminder": "", "address_suppressed": keyed, "gone": ""}
    for name in ("suppressions", "reminder_stops", "deliveries"):
        assert plain not in str(await world.db[name].find().to_list(None)), name
    await world.context.store.deliveries.erase({"_id": "slot_moved"})
    assert (await world.delivery("slot_moved"))["suppression"] == ""


async def test_an_offer_that_still_names_a_former_address_changes_nobodys_calendar(world: World) -> None:
    await world.hear(teacher(1, COMPANY.email), said(events.RegistrationConfirmed, registration("confirmed", 1)))
    await world.hear(teacher(2, NEW))
    await world.hear(events.OfferChanged.about("offer:offer1", 5, now=NOW, offer=offer(title="Anders")))
    assert await world.deliveries(kind="contact_changed") == []
    assert len(await world.context.store.feeds.registrations_by_email("slot.offer.contact", NEW)) == 1
