"""What teachers see of their schools' registrations, with a real MongoDB."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.events.domain import commands as do
from services.events.domain.facts import Registration
from services.events.store.documents import offer_document, slot_document
from services.events.store.store import Store
from services.events.usecases import at_school, choosing, nearest, registrations, search
from services.events.usecases.inputs import RegisterGroup, RegistrationFilter, SlotFilter
from services.events.usecases.paging import CursorUnknown
from services.events.usecases.upkeep import erase_due
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.ids import random_id
from shared.mongo import Database
from shared.schemas.outreach import Role
from tests.support.events_world import (
    NOW,
    STARTS,
    about,
    company,
    coordinator,
    furnish,
    offer,
    school,
    slot,
    teacher,
)

HOME = (51.40, 8.07)
LATER = NOW + timedelta(hours=1)


async def booked(store: Store, slot_id: str = "slot-1", name: str = "9a", pupils: int = 10, who: Identity | None = None,
                 school_id: str = "school-1") -> Registration:  # fmt: skip
    fields: dict[str, Any] = {
        "school_id": school_id, "group": {"name": name, "grade": 9, "pupils": pupils}, "acknowledged": True,
        "contact": {"name": "Erika Muster", "email": "erika@schule.example", "phone": "02931 123"},
    }  # fmt: skip
    made = await registrations.register_group(
        store, who or teacher(school_id), slot_id, RegisterGroup.model_validate(fields), now=NOW, request_id=random_id()
    )
    found = await store.registration(made.id)
    assert found
    return found


def moved_to(day: int, at: datetime = LATER) -> do.MoveSlot:
    starts = datetime(2026, 12, day, 10)
    return do.MoveSlot(
        now=at, request_id=random_id(), starts_local=starts, ends_local=starts + timedelta(hours=3),
        zone="Europe/Berlin", starts_utc=STARTS + timedelta(days=day - 1, hours=1),
        ends_utc=STARTS + timedelta(days=day - 1, hours=4), reason="Umbau",
    )  # fmt: skip


async def test_a_home_sorts_by_what_needs_an_answer(db: Database) -> None:
    slots = [slot(id="full", places=20, groups=1), slot(id="past", starts_utc=NOW + timedelta(minutes=1),
             ends_utc=NOW + timedelta(minutes=2)), slot(id="ahead")]  # fmt: skip
    store = await furnish(db, slots)
    first, offered = await booked(store, "full", "9a"), await booked(store, "full", "9b")
    past, ahead = await booked(store, "past", "9c"), await booked(store, "ahead", "9d")
    await store.decide("full", do.Cancel(**about(first, now=LATER), by="school"))
    home = await at_school.show_home(store, teacher(), now=LATER)
    assert [each.id for each in home.offered] == [offered.id]
    assert [each.id for each in home.attendance] == [past.id]
    assert [each.id for each in home.coming] == [ahead.id]
    assert [each.id for each in home.past] == [first.id]
    assert home.answers == 2


async def test_another_schools_registrations_are_not_at_home(db: Database) -> None:
    store = await furnish(db, [slot()])
    await booked(store)
    home = await at_school.show_home(store, teacher("school-2"), now=NOW)
    assert not home.coming and not home.past and home.answers == 0
    for stranger in (company(), coordinator()):
        with pytest.raises(NotAllowed):
            await at_school.show_home(store, stranger, now=NOW)


async def test_a_moved_date_needs_an_answer_until_it_is_noted_and_again_when_it_moves_again(db: Database) -> None:
    store = await furnish(db, [slot()])
    made = await booked(store)
    await store.decide("slot-1", moved_to(2))
    change = (await at_school.show_home(store, teacher(), now=LATER)).changed[0]
    assert (change.what, change.moved_from, change.registration.id) == ("moved", datetime(2026, 12, 1, 9), made.id)
    await at_school.note_changes(store, teacher(), made.id, now=LATER + timedelta(minutes=1))
    assert (await at_school.show_home(store, teacher(), now=LATER)).changed == []
    await store.decide("slot-1", moved_to(3, LATER + timedelta(minutes=2)))
    change = (await at_school.show_home(store, teacher(), now=LATER)).changed[0]
    assert change.moved_from == datetime(2026, 12, 2, 10)


async def test_what_the_company_called_off_needs_to_be_noted_and_what_the_school_did_does_not(db: Database) -> None:
    store = await furnish(db, [slot()])
    ours, theirs = await booked(store, name="9a"), await booked(store, name="9b")
    await store.decide("slot-1", do.Cancel(**about(ours, now=LATER), by="school"))
    await store.decide("slot-1", do.Cancel(**about(theirs, now=LATER), by="company", reason="Umbau"))
    changed = (await at_school.show_home(store, teacher(), now=LATER)).changed
    assert [(change.what, change.registration.id) for change in changed] == [("cancelled", theirs.id)]
    await at_school.note_changes(store, teacher(), theirs.id, now=LATER)
    assert (await at_school.show_home(store, teacher(), now=LATER)).changed == []


async def test_requirements_that_nobody_confirmed_are_asked_for_once(db: Database) -> None:
    store = await furnish(db, [slot()], offered=offer(requirements=["Feste Schuhe"]))
    made = await booked(store)
    await store.db.registrations.update_one({"_id": made.id}, {"$set": {"acknowledged": False}})
    assert len((await at_school.show_home(store, teacher(), now=NOW)).unacknowledged) == 1
    await at_school.acknowledge_requirements(store, teacher(), made.id)
    assert (await at_school.show_home(store, teacher(), now=NOW)).unacknowledged == []


async def test_nobody_answers_for_another_school(db: Database) -> None:
    store = await furnish(db, [slot()])
    made = await booked(store)
    for stranger in (teacher("school-2"), company()):
        with pytest.raises(NotAllowed):
            await at_school.note_changes(store, stranger, made.id, now=NOW)
        with pytest.raises(NotAllowed):
            await at_school.acknowledge_requirements(store, stranger, made.id)
    for stranger in (teacher("school-2"), company("company-2")):
        with pytest.raises(NotAllowed):
            await at_school.show_history(store, stranger, made.id)
    for own in (teacher(), company(), coordinator()):
        assert len(await at_school.show_history(store, own, made.id)) == 1


async def test_the_history_tells_every_step_in_order(db: Database) -> None:
    store = await furnish(db, [slot(approval="company")])
    made = await booked(store)
    for minutes, command in enumerate((do.Approve, do.Resize, do.Cancel), 1):
        more: dict[str, Any] = {do.Resize: {"pupils": 8}, do.Cancel: {"by": "company"}}.get(command, {})
        await store.decide("slot-1", command(**about(made, now=NOW + timedelta(minutes=minutes)), **more))
        if command is do.Resize:
            await store.decide("slot-1", moved_to(2, NOW + timedelta(minutes=2, seconds=30)))
    steps = await at_school.show_history(store, teacher(), made.id)
    assert [step.what for step in steps] == [
        "RegistrationRequested", "RegistrationConfirmed", "RegistrationResized", "SlotMoved", "RegistrationCancelled",
    ]  # fmt: skip
    assert (steps[2].previous_pupils, steps[2].pupils, steps[4].by) == (10, 8, "company")
    assert steps[3].moved_from == datetime(2026, 12, 1, 9)


async def test_a_batch_that_is_carried_out_twice_leaves_each_step_once(db: Database) -> None:
    store = await furnish(db, [slot()])
    made = await booked(store)
    await store.decide("slot-1", do.Resize(**about(made, now=LATER), pupils=8))
    await store.places.close()
    await store.db.slots.update_one({"_id": "slot-1"}, {"$set": {"pending": await _last_batch(store, made)}})
    await Store(db).places.carry_out_pending("slot-1")
    steps = await at_school.show_history(store, teacher(), made.id)
    assert [step.what for step in steps] == ["RegistrationConfirmed", "RegistrationResized"]


async def _last_batch(store: Store, made: Registration) -> dict[str, Any]:
    """The batch of the resizing, as a process that died would have left it."""
    row = await store.db.registrations.find_one({"_id": made.id})
    changed = {name: row[name] for name in ("_id", "state", "changed_at", "version", "offer_expires_at", "active",
               "cancelled_by", "reason", "pupils_attended", "last_request_id")}  # fmt: skip
    changed |= {"pupils": 8, "adults": 1, "history": row["history"][-1:]}
    return {"new": [], "changed": [changed], "log": [], "outbox": [], "slots": [], "at": LATER}


async def test_who_registered_is_shown_to_the_school_and_goes_with_the_contact(db: Database) -> None:
    store = await furnish(db, [slot()])
    await db.people.insert_one({"_id": "person-2", "name": "Erika Muster", "active": True})
    made = await booked(store)
    _, names = await at_school.find_registrations_latest_first(store, teacher(), RegistrationFilter())
    assert names == {"person-2": "Erika Muster"}
    view = await registrations.show_registration(store, company(), made.id)
    assert await at_school.name_of_registrar(store, company(), view) == ""
    await store.places.close()
    await erase_due(store, now=STARTS + timedelta(days=400))
    erased = await db.registrations.find_one({"_id": made.id})
    assert "registered_by" not in erased and "person-2" not in str(erased)


async def test_registrations_are_paged_latest_first_without_gaps(db: Database) -> None:
    store = await furnish(db, [slot(places=500, groups=100)])
    made = [await booked(store, name=f"9{n}", pupils=1) for n in range(7)]
    seen, after = [], None
    while True:
        wanted = RegistrationFilter(limit=3, after=after)
        found, _ = await at_school.find_registrations_latest_first(store, teacher(), wanted)
        seen += [each.id for each in found.items]
        if (after := found.next) is None:
            break
    assert seen == sorted((each.id for each in made), reverse=True)
    for stranger, count in ((teacher("school-2"), 0), (coordinator(), 7)):
        found, _ = await at_school.find_registrations_latest_first(store, stranger, RegistrationFilter())
        assert len(found.items) == count
    with pytest.raises(NotAllowed):
        await at_school.find_registrations_latest_first(store, company(), RegistrationFilter())


async def test_known_classes_are_those_of_the_own_schools_within_a_year(db: Database) -> None:
    store = await furnish(db, [slot(places=500, groups=100)])
    await booked(store, name="9a", pupils=20)
    await booked(store, name="8b", school_id="school-2")
    assert [group.name for group in await at_school.find_known_groups(store, teacher(), now=NOW)] == ["9a"]
    assert await at_school.find_known_groups(store, teacher(), now=NOW + timedelta(days=366)) == []
    assert await at_school.find_known_groups(store, company(), now=NOW) == []


async def test_nearest_first_is_the_order_of_the_distances_over_many_pages(db: Database) -> None:
    dice = random.Random(3)
    store = await furnish(db)
    await db.offers.delete_many({})
    for n in range(30):
        lat, lon = HOME[0] + dice.randint(-3, 3) / 20, HOME[1] + dice.randint(-3, 3) / 20
        facts = offer().facts
        place = facts.place.model_copy(update={"lat": lat, "lon": lon} if n else {"lat": None, "lon": None})
        made = replace(offer(), facts=facts.model_copy(update={"offer_id": f"o{n:02}", "place": place}))
        await db.offers.insert_one(offer_document(made, NOW))
        two = [slot(id=f"s{n:02}-{k}", offer_id=made.id, starts_utc=STARTS + timedelta(days=k)) for k in (1, 0)]
        await db.slots.insert_many([slot_document(each, made) for each in two])
    seen, after = [], None
    while True:
        wanted = SlotFilter(near_school="school-1", state="bookable", limit=7, after=after)
        found = await nearest.find_slots_nearest_first(store, wanted, now=NOW)
        seen += found.items
        if (after := found.next) is None:
            break
    assert len({each.id for each in seen}) == len(seen) == 60
    ranked = [
        (each.distance_km if each.distance_km is not None else 1e9, each.offer.id, each.starts_at) for each in seen
    ]
    assert ranked == sorted(ranked) and seen[-1].distance_km is None
    near = SlotFilter(near_school="school-1", state="bookable", max_km=9.0)
    within = await nearest.find_slots_nearest_first(store, near, now=NOW)
    by_time = await search.find_slots(store, near, now=NOW)
    assert {each.id for each in within.items} == {each.id for each in by_time.items}


@pytest.mark.parametrize("after", ["nonsense", "bm9uc2Vuc2U=", "YX5ifmN-ZA=="])
async def test_a_place_in_the_list_that_nobody_gave_out_is_refused(db: Database, after: str) -> None:
    store = await furnish(db, [slot()])
    with pytest.raises(CursorUnknown):
        wanted = SlotFilter(near_school="school-1", state="bookable", after=after)
        await nearest.find_slots_nearest_first(store, wanted, now=NOW)


async def test_at_most_three_dates_are_compared_in_the_order_asked_and_unknown_ones_left_out(db: Database) -> None:
    store = await furnish(db, [slot(id=f"s{n}") for n in range(5)])
    found = await choosing.compare_slots(store, ["s3", "gone", "s1", "s1", "s2", "s0"], "school-1", now=NOW)
    assert [each.id for each, _ in found] == ["s3", "s1"]
    assert all(booking.phase == "open" and each.distance_km is not None for each, booking in found)


async def test_a_class_that_is_away_on_that_day_is_warned_about(db: Database) -> None:
    store = await furnish(db, [slot(), slot(id="other"), slot(id="next", starts_local=datetime(2026, 12, 2, 9))])
    await booked(store, "other", "9 A")
    found = await choosing.find_warnings(store, teacher(), "slot-1", "school-1", name="9a", grade=9, pupils=10)
    assert [each.kind for each in found] == ["away"]
    same = await choosing.find_warnings(store, teacher(), "other", "school-1", name="9a", grade=9, pupils=10)
    assert [each.kind for each in same] == ["registered"]
    assert await choosing.find_warnings(store, teacher(), "next", "school-1", name="9a", grade=9, pupils=10) == []
    with pytest.raises(NotAllowed):
        await choosing.find_warnings(store, teacher("school-2"), "slot-1", "school-1")


async def test_a_movable_day_of_the_own_school_is_warned_about(db: Database) -> None:
    free = school(1, movable_days=frozenset({date(2026, 12, 1)}))
    store = await furnish(db, [slot()], schools=[free])
    found = await choosing.find_warnings(store, teacher(), "slot-1", "school-1")
    assert [each.kind for each in found] == ["movable_day"]


async def test_a_teacher_of_two_schools_sees_both(db: Database) -> None:
    store = await furnish(db, [slot()])
    await booked(store, name="9a")
    await booked(store, name="8b", school_id="school-2")
    roles = tuple(Role(kind="teacher", organisation_id=f"school-{n}") for n in (1, 2))
    home = await at_school.show_home(store, replace(teacher(), roles=roles), now=NOW)
    assert {each.school_id for each in home.coming} == {"school-1", "school-2"}
