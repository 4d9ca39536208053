"""School visits as a teacher and an ambassador meet them in a browser, on a phone and on a desktop, without scripts."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from services.outreach.domain.visit_commands import AcceptVisit, MoveVisit
from services.outreach.store.core import Store
from services.outreach.usecases import visit_proposals, visits
from shared.ids import random_id
from tests.browser.conftest import OpenPage
from tests.support.front_door import FrontDoor
from tests.support.visits import COORDINATOR, MONDAY, NOW, ZONE, date_given
from tests.support.visits_db import asked, propose

SIZES = [360, 1280]


@pytest.mark.parametrize("width", SIZES)
async def test_an_ambassador_blocks_days_accepts_and_reports(
    store: Store, door: FrontDoor, page_of: OpenPage, width: int
) -> None:
    visit = await propose(store, await asked(store), "a")
    page = await page_of("person-a", width=width)
    await page.goto("/outreach/my-visits")
    await page.get_by_text("Tage sperren").click()
    await page.locator("#day").fill("2026-12-07")
    await page.locator("#until").fill("2026-12-09")
    await page.get_by_label("Grund").fill("Prüfung")
    await page.get_by_role("button", name="Sperren").click()
    await expect(page.get_by_text("Mo., 7. Dezember 2026 bis Mi., 9. Dezember 2026")).to_be_visible()

    await expect(page.get_by_text("Bitte antworten bis Do., 5. November 2026, 18:00 Uhr.")).to_be_visible()
    await page.get_by_role("button", name="Ich komme").click()
    await expect(page.get_by_role("heading", name="Bestätigt: Mo., 9. November 2026")).to_be_visible()

    door.clock.moment = NOW + timedelta(days=8)
    await page.goto("/outreach/my-visits")
    await page.get_by_role("link", name="Bericht").click()
    await page.get_by_label("Erreichte Schüler:innen").fill("24")
    await page.get_by_label("Was lief gut?").fill("Alle durften schrauben.")
    await page.get_by_role("button", name="Als durchgeführt eintragen").click()
    await expect(page.get_by_text("24 Schüler:innen wurden erreicht.")).to_be_visible()
    row = await store.db.visits.find_one({"_id": visit.id})
    assert row is not None and (row["state"], row["went_well"]) == ("done", "Alle durften schrauben.")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", SIZES)
async def test_a_teacher_asks_and_agrees_to_another_date(store: Store, page_of: OpenPage, width: int) -> None:
    page = await page_of("teacher-1", width=width)
    await page.goto("/outreach/visits")
    await page.get_by_role("link", name="Schulbesuch anfragen").first.click()
    await page.get_by_label("Berufsfeld").select_option("M")
    await page.get_by_label("Klasse oder Kurs").fill("8a")
    await page.get_by_label("Jahrgang").fill("8")
    await page.get_by_label("Anzahl der").fill("27")
    for number, day in enumerate(("2026-11-09", "2026-11-10"), 1):
        date = page.get_by_role("group", name=f"Termin {number}")
        await date.get_by_label("Tag").fill(day)
        await date.get_by_label("Stunden").select_option(label="1. und 2. Stunde, 8:00–9:30")
    await page.get_by_role("button", name="Anfrage senden").click()
    await expect(page.get_by_role("heading", level=2, name="Angefragt")).to_be_visible()

    row = await store.db.visits.find_one({})
    assert row is not None
    visit = await visits.get_visit(store, COORDINATOR, row["_id"])
    await propose(store, visit, "a")
    to = MoveVisit(**date_given(MONDAY + timedelta(days=14)).model_dump())
    await visits.move_visit(store, COORDINATOR, visit.id, to, zone=ZONE, now=NOW, request_id=random_id())
    answer = AcceptVisit(ambassador_id="a")
    await visit_proposals.accept_visit(store, COORDINATOR, visit.id, answer, now=NOW, request_id=random_id())

    await page.goto("/outreach/visits")
    await expect(page.get_by_role("heading", name="Hier sind Sie gefragt")).to_be_visible()
    await page.get_by_role("link", name="Siegen, GH Beispiel, 8a").click()
    await page.get_by_role("button", name="Dieser Termin passt uns").click()
    await expect(page.get_by_role("heading", name="Bestätigt: Mo., 23. November 2026")).to_be_visible()
    await expect(page.get_by_role("heading", name="Was Sie vorbereiten")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_school_is_found_while_typing_and_by_the_button(store: Store, page_of: OpenPage) -> None:
    await store.db.schools.update_many({}, [{"$set": {"search": {"$toLower": "$name"}}}])
    for scripts in (True, False):
        page = await page_of("teacher-1", scripts=scripts)
        await page.goto("/outreach/schools/choose?next=/outreach/visits/new")
        await page.get_by_role("searchbox").press_sequentially("andere")
        if not scripts:
            await page.get_by_role("button", name="Suchen").click()
        link = page.get_by_role("link", name="Siegen, Andere")
        await expect(link).to_have_attribute("href", "/outreach/visits/new?school_id=100002")
