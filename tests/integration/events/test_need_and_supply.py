"""Need against supply, counted by hand, and for the coordinator alone."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.events.domain.coverage import Need, SlotNeed, add_up
from services.events.domain.errors import CampaignUnknown
from services.events.store.documents import offer_document, slot_document
from services.events.usecases import registrations
from services.events.usecases.coverage import compare_need_and_supply, list_campaigns
from services.events.usecases.inputs import CancelRegistration, RegisterGroup
from services.events.usecases.tables.need import export_need_and_supply
from services.events.web.coverage import lines
from shared.errors import NotAllowed
from shared.ids import random_id
from shared.tally import changed_again
from tests.support.events_world import (
    NOW,
    STARTS,
    STARTS_LOCAL,
    company,
    coordinator,
    furnish,
    offer,
    school,
    slot,
    teacher,
)

WEEK = timedelta(days=7)
SCHOOLS = [school(1), school(2), school(3, district_ags="05966"), school(4), school(5)]


def booking(school_id: str, pupils: int) -> RegisterGroup:
    return RegisterGroup.model_validate(
        {
            "school_id": school_id, "group": {"name": f"9-{pupils}", "grade": 9, "pupils": pupils, "adults": 1},
            "contact": {"name": "Erika Muster", "email": "erika@schule.example"}, "acknowledged": True,
        }
    )  # fmt: skip


def numbers(need: Need) -> tuple[int, int, int, int]:
    return need.offered, need.taken, need.requested, need.waiting


@pytest.fixture
async def store(db):
    """Two dates of one offer and one of an offer with approval, asked for by schools of two districts."""
    slots = [
        slot(),
        slot(id="slot-2", starts_local=STARTS_LOCAL + WEEK, ends_local=STARTS_LOCAL + WEEK + timedelta(hours=3),
             starts_utc=STARTS + WEEK, ends_utc=STARTS + WEEK + timedelta(hours=3), places=20),
        slot(id="slot-off", places=99, state="cancelled"),
    ]  # fmt: skip
    store = await furnish(db, slots, schools=SCHOOLS, during=None)
    await db.campaigns.update_one({"_id": "campaign-1"}, {"$set": {"districts": ["05958", "05966"]}})
    facts = offer().facts
    asking = replace(
        offer(), approval="company", facts=facts.model_copy(update={"offer_id": "offer-2", "field": "M"})
    )  # fmt: skip
    await db.offers.insert_one(offer_document(asking, NOW + timedelta(days=400)))
    third = slot(id="slot-3", offer_id="offer-2", approval="company", places=15)
    await db.slots.insert_one(slot_document(third, asking))

    async def book(slot_id: str, school_id: str, pupils: int):
        command = booking(school_id, pupils)
        who = teacher(school_id)
        return await registrations.register_group(store, who, slot_id, command, now=NOW, request_id=random_id())

    await book("slot-1", "school-1", 20)  # firm
    await book("slot-1", "school-2", 15)  # does not fit: waits
    await book("slot-2", "school-3", 12)  # firm, from the other district
    gone = await book("slot-2", "school-2", 8)
    await book("slot-3", "school-1", 10)  # requested
    await registrations.cancel_registration(
        store, teacher("school-2"), gone.id, CancelRegistration(), now=NOW, request_id=random_id()
    )
    return store


async def test_the_sums_are_those_counted_by_hand(store) -> None:
    sums = await compare_need_and_supply(store, coordinator(), "campaign-1")
    assert numbers(sums.total) == (65, 32, 10, 15)
    assert {ags: numbers(need) for ags, need in sums.by_district.items()} == {
        "05958": (65, 20, 10, 15), "05966": (0, 12, 0, 0),
    }  # fmt: skip
    assert {code: numbers(need) for code, need in sums.by_field.items()} == {
        "BAV": (50, 32, 0, 15), "M": (15, 0, 10, 0),
    }  # fmt: skip
    assert {day: numbers(need) for day, need in sums.by_week.items()} == {
        date(2026, 11, 30): (45, 20, 10, 15), date(2026, 12, 7): (20, 12, 0, 0),
    }  # fmt: skip


async def test_a_file_has_the_sums_in_lines_for_the_coordinator_alone(store) -> None:
    (rows,) = [batch async for batch in export_need_and_supply(store, coordinator(), "campaign-1", "en")]
    assert [(row["part"], row["code"], row["needed"], row["missing"]) for row in rows] == [
        ("whole", "", 57, -8), ("district", "05958", 45, -20), ("district", "05966", 12, 12),
        ("field", "BAV", 47, -3), ("field", "M", 10, -5),
        ("week", "2026-11-30", 45, 0), ("week", "2026-12-07", 12, -8),
    ]  # fmt: skip
    assert rows[1]["name"] == "Hochsauerlandkreis"
    with pytest.raises(NotAllowed):
        await anext(export_need_and_supply(store, teacher("school-1"), "campaign-1", "en"))


async def test_all_campaigns_together_have_every_district(store) -> None:
    sums = await compare_need_and_supply(store, coordinator(), None)
    assert numbers(sums.total) == (65, 32, 10, 15)
    assert set(sums.by_district) == {"05958", "05962", "05966", "05970", "05974"}


async def test_withdrawn_offers_offer_nothing(store) -> None:
    await store.db.slots.update_many({"offer_id": "offer-1"}, {"$set": {"offer_state": "withdrawn", **changed_again()}})
    sums = await compare_need_and_supply(store, coordinator(), "campaign-1")
    assert sums.total.offered == 15


async def test_an_unknown_campaign_is_said_to_be_unknown(store) -> None:
    with pytest.raises(CampaignUnknown):
        await compare_need_and_supply(store, coordinator(), "campaign-9")


@pytest.mark.parametrize("who", [teacher(), company()])
async def test_only_the_coordinator_compares(store, who) -> None:
    with pytest.raises(NotAllowed):
        await compare_need_and_supply(store, who, "campaign-1")
    with pytest.raises(NotAllowed):
        await list_campaigns(store, who)


def test_a_week_begins_on_monday_and_what_is_elsewhere_has_its_own_row() -> None:
    sunday = datetime(2027, 1, 3).date()
    sums = add_up([SlotNeed(None, "M", sunday, Need(5, 1, 2, 3))], {"05958": Need(taken=1)})
    assert list(sums.by_week) == [date(2026, 12, 28)]
    assert numbers(sums.by_district[""]) == (5, 0, 0, 0) and sums.by_district["05958"].taken == 1


def test_what_is_needed_beyond_what_is_offered_is_missing() -> None:
    assert (Need(10, 5, 4, 3).needed, Need(10, 5, 4, 3).missing, Need(10, 1).missing) == (12, 2, -9)


def test_the_longest_bar_fills_the_picture_and_nothing_divides_by_zero() -> None:
    few, many = lines([("a", "A", Need(50, 10)), ("b", "B", Need(10, 100, 50, 50))])
    assert (few.offered, few.taken) == (25, 5)
    assert many.taken + many.requested + many.waiting == 100
    assert lines([("a", "A", Need())])[0].offered == 0
    assert lines([]) == []
