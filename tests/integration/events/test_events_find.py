"""The search over offers, slots and registrations."""

from datetime import timedelta

import pytest

from services.events.store.erasure import erase_registrations
from services.events.usecases.find import find_everything
from shared.errors import NotAllowed
from shared.ids import registration_number
from shared.mongo import Database
from tests.support.events_world import NOW, STARTS, company, coordinator, furnish, register, slot, teacher

pytestmark = pytest.mark.processes_only


async def _booked(store, **facts) -> str:
    command = register(**facts)
    await store.decide("slot-1", command)
    return command.registration_id


async def found(store, q: str, who=None) -> list[str]:
    return [each.id for each in (await find_everything(store, who or coordinator(), q, now=NOW)).registrations]


async def test_a_registration_is_found_by_number_class_school_and_contact(db: Database):
    store = await furnish(db, [slot()])
    id = await _booked(store, name="9c")
    other = await _booked(store, name="7b", school_id="school-2")
    row = await db.registrations.find_one({"_id": id})
    assert row
    number = registration_number(id)
    for q in (number, number.lower(), number.replace("-", ""), number[:4], "9C", row["contact"]["email"].upper()):
        assert id in await found(store, q), q
    assert await found(store, f"{row['contact']['name'].split()[-1][:3]} 9c") == [id]
    assert await found(store, "9x") == [] and await found(store, "--") == []
    assert set(await found(store, row["contact"]["email"])) == {id, other}


async def test_a_teacher_finds_the_own_schools_registrations_and_nothing_else(db: Database):
    store = await furnish(db, [slot()])
    id = await _booked(store, name="9c")
    await _booked(store, name="9c", school_id="school-2")
    assert await found(store, "9c", teacher()) == [id]
    everything = await find_everything(store, teacher(), "beispiel", now=NOW)
    assert (everything.offers, everything.slots) == ([], [])
    with pytest.raises(NotAllowed):
        await found(store, "9c", company())


async def test_offers_lead_to_their_coming_slots_and_a_day_to_its_slots(db: Database):
    past = slot(id="slot-0", starts_utc=NOW - timedelta(days=9), ends_utc=NOW - timedelta(days=9))
    store = await furnish(db, [slot(), past])
    offer = (await db.offers.find_one({}))["facts"]
    everything = await find_everything(store, coordinator(), offer["title"][:5], now=NOW)
    assert [each.facts.title for each in everything.offers] == [offer["title"]]
    assert [each.id for each in everything.slots] == ["slot-1"]
    by_day = await find_everything(store, coordinator(), STARTS.strftime("%d.%m.%Y"), now=NOW)
    assert [each.id for each in by_day.slots] == ["slot-1"]


async def test_after_erasure_nobody_is_found_by_name_but_the_number_still_leads_there(db: Database):
    store = await furnish(db, [slot()])
    id = await _booked(store, name="9c")
    row = await db.registrations.find_one({"_id": id})
    assert row
    await erase_registrations(store, row["erase_after"] + timedelta(days=1))
    assert await found(store, row["contact"]["email"]) == []
    assert await found(store, registration_number(id)) == [id]


async def test_the_search_uses_its_index(db: Database):
    store = await furnish(db, [slot()])
    await _booked(store, name="9c")
    plan = await db.registrations.find({"$and": [{"words": {"$regex": "^mus"}}]}).explain()
    assert "words_1" in str(plan["queryPlanner"]["winningPlan"]) and "COLLSCAN" not in str(plan["queryPlanner"])
