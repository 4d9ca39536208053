"""The open dates on the map and in the calendar, as anybody sees them, counted by hand."""

import re
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import urlencode

import httpx
import pytest

from services.events.store.store import Store
from services.events.usecases.glance import count_by_day, count_by_municipality
from services.events.usecases.inputs import SlotFilter
from tests.support.events_api import NOW, OFFER, World, booking, running_events

pytestmark = pytest.mark.processes_only

BOOKABLE = SlotFilter(state="bookable")
SOEST = {"name": "Werk 2", "street": "Musterweg 2", "postal_code": "59494", "town": "Soest", "directions": ""}
ABROAD = SOEST | {"postal_code": "10115", "town": "Berlin"}


@pytest.fixture(scope="module")
async def running(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        yield world


@pytest.fixture
async def world(running: World) -> World:
    """Two dates in Arnsberg (one half taken), one in Soest, one outside the region, and one that was called off."""
    await running.reset()
    taken = await running.slot()
    await running.teacher.made(f"slots/{taken['id']}/registrations", booking("9a", 20))
    await running.slot({"title": "Zweiter Blick"}, starts_local="2026-12-02T09:00", ends_local="2026-12-02T11:00")
    await running.slot({"place": SOEST, "field": "M"}, starts_local="2026-12-02T08:00", ends_local="2026-12-02T10:00")
    await running.slot({"place": ABROAD})
    off = await running.slot()
    await running.company.made(f"slots/{off['id']}/cancel", {"reason": "krank"})
    return running


async def page(world: World, **query: str) -> httpx.Response:
    return await world.client.get(f"/events/?{urlencode(query)}", headers={"Accept-Language": "de"})


async def test_the_map_counts_dates_and_free_places_by_municipality(world: World) -> None:
    sums = await count_by_municipality(Store(world.db), BOOKABLE, now=NOW)
    counted = {ags: (each.dates, each.free) for ags, each in sums.items()}
    assert counted == {"05958004": (2, 30), "05974040": (1, 25), "": (1, 25)}


async def test_the_calendar_counts_by_local_day_and_names_the_first(world: World) -> None:
    days = await count_by_day(Store(world.db), BOOKABLE, date(2026, 12, 1), date(2026, 12, 31), now=NOW)
    assert {day: (each.dates, each.free) for day, each in days.items()} == {
        date(2026, 12, 1): (2, 30), date(2026, 12, 2): (2, 50),
    }  # fmt: skip
    assert [(each.starts_local.hour, each.title) for each in days[date(2026, 12, 2)].first] == [
        (8, OFFER["title"]), (9, "Zweiter Blick"),
    ]  # fmt: skip


async def test_both_leave_out_what_is_too_far_from_the_school(world: World) -> None:
    near = BOOKABLE.model_copy(update={"near_school": "school-1", "max_km": 10.0})
    sums = await count_by_municipality(Store(world.db), near, now=NOW)
    assert {ags: each.dates for ags, each in sums.items()} == {"05958004": 2}
    days = await count_by_day(Store(world.db), near, date(2026, 12, 1), date(2026, 12, 31), now=NOW)
    assert {day.day: each.dates for day, each in days.items()} == {1: 1, 2: 1}


async def test_a_circle_leads_to_the_list_of_its_municipality_with_the_other_filters(world: World) -> None:
    shown = await page(world, view="map", grade="9")
    assert shown.status_code == 200
    link = re.search(r'<a href="([^"]+)" aria-label="Arnsberg: 2 Termine">', shown.text)
    assert link is not None
    followed = await world.client.get(link[1].replace("&amp;", "&"), headers={"Accept-Language": "de"})
    assert followed.text.count('class="card dated whole"') == 2
    assert "GeoBasis-DE / BKG 2021" in shown.text and "<caption>" in shown.text


async def test_a_day_of_the_calendar_leads_to_its_list(world: World) -> None:
    shown = await page(world, view="calendar", field="M")
    assert "Dezember 2026" in shown.text
    link = re.search(r'<a href="(/events/\?[^"]+)" aria-label="Mi., 2. Dezember 2026: 1 Termin">', shown.text)
    assert link is not None
    followed = await world.client.get(link[1].replace("&amp;", "&"))
    assert followed.text.count('class="card dated whole"') == 1


async def test_the_views_keep_the_filters_and_unknown_ones_are_the_list(world: World) -> None:
    shown = await page(world, view="map", field="M", grade="9")
    assert "/events/?view=calendar&amp;field=M&amp;grade=9" in shown.text
    assert 'name="view" value="map"' in shown.text
    assert 'class="card dated whole"' in (await page(world, view="moon")).text


@pytest.mark.parametrize("month", ["2026-13", "1999-01", "9999-12", "x", "2026-12-24"])
async def test_a_month_that_cannot_be_shown_is_that_of_the_first_date(world: World, month: str) -> None:
    shown = await page(world, view="calendar", month=month)
    assert (shown.status_code, "Dezember 2026" in shown.text) == (200, True)


async def test_a_month_without_dates_says_so(world: World) -> None:
    shown = await page(world, view="calendar", month="2027-02")
    assert "In diesem Monat passt kein Termin." in shown.text


async def test_without_dates_there_is_the_same_advice_in_every_view(world: World) -> None:
    for view in ("map", "calendar"):
        assert "Zu all dem passt kein Termin" in (await page(world, view=view, field="K")).text


async def test_slots_from_before_get_their_municipality_at_the_next_start(world: World) -> None:
    await world.db.slots.update_many({}, {"$unset": {"municipality_ags": ""}})
    await Store(world.db).note_municipalities()
    sums = await count_by_municipality(Store(world.db), BOOKABLE, now=NOW)
    assert {ags: each.dates for ags, each in sums.items()} == {"05958004": 2, "05974040": 1, "": 1}
