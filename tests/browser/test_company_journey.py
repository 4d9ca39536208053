"""A company's way in a browser: a short form, a series, an approval, and the day itself with the group's code."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from services.events.domain.check_in import check_in_code
from tests.browser.conftest import OpenPage
from tests.browser.test_booking_journey import register
from tests.support.front_door import SECRET, FrontDoor, World


async def offer_a_tour(page: Page) -> None:
    """From the company's home to an offer: place, contact and grades are there already."""
    await page.goto("/events/company")
    await page.get_by_role("link", name="Neues Angebot").click()
    await page.get_by_label("Titel").fill("Ein Tag in der Lehrwerkstatt")
    await page.get_by_label("Berufsfeld").select_option("M")
    await page.get_by_label("Was Sie voraussetzen").fill("Feste Schuhe")
    await page.get_by_text("Wie Klassen buchen").click()
    await page.locator("input[name=approval][value=company]").check()
    await page.locator("button.big").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ein Tag in der Lehrwerkstatt")


async def open_a_series(page: Page) -> None:
    """Two Tuesdays, after a look at what would be opened."""
    await page.get_by_role("link", name="Wöchentliche Serie eintragen").click()
    await page.get_by_label("Dienstag").check()
    await page.get_by_label("Erster Tag").fill("2026-12-01")
    await page.get_by_label("Letzter Tag").fill("2026-12-08")
    await page.get_by_role("button", name="Termine prüfen").click()
    await page.get_by_role("button", name="Angekreuzte Termine eintragen").click()
    await expect(page.get_by_role("status")).to_contain_text("2 Termine sind jetzt buchbar.")


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_company_offers_approves_and_checks_a_group_in(
    world: World, page_of: OpenPage, door: FrontDoor, width: int
) -> None:
    company = await page_of("company", width=width)
    await offer_a_tour(company)
    await open_a_series(company)
    slot = await world.db.slots.find_one({"starts_local": "2026-12-01T09:00:00"})
    assert slot
    teacher = await page_of("teacher")
    registration = await register(teacher, slot["_id"], pupils="20")

    await company.goto("/events/company")
    await company.get_by_role("button", name="Ausgewählten zusagen").click()
    await expect(company.get_by_role("status")).to_contain_text("Zugesagt.")
    await expect(company.get_by_text("Musterschule Arnsberg: Klasse 9a, 20 Schüler:innen")).to_be_visible()

    before, door.clock.moment = door.clock.moment, slot["starts_utc"] - timedelta(minutes=20)
    try:
        address = f"/events/check-in/{registration}/{check_in_code(registration, SECRET)}"
        await teacher.goto(address)
        await expect(teacher.get_by_role("heading", level=1)).to_have_text("Das ist der Ankunftscode einer Klasse")
        await company.goto(address)
        await expect(company.get_by_label("Wie viele sind gekommen?")).to_have_value("20")
        await company.get_by_label("Wie viele sind gekommen?").fill("19")
        await company.get_by_role("button", name="Die Klasse ist da").click()
        await expect(company.get_by_text("19 Schüler:innen sind als gekommen eingetragen.")).to_be_visible()
    finally:
        door.clock.moment = before
    row = await world.db.registrations.find_one({"_id": registration})
    assert row and (row["state"], row["pupils_attended"]) == ("attended", 19)


async def test_the_coordinator_publishes_what_a_company_handed_in(world: World, page_of: OpenPage) -> None:
    await world.db.campaigns.update_one({"_id": "campaign-1"}, {"$set": {"check_offers": True}})
    company = await page_of("company")
    await offer_a_tour(company)
    await expect(company.get_by_role("status")).to_contain_text("liegt bei der Koordination")
    coordinator = await page_of("coordinator", width=1280)
    await coordinator.goto("/events/offers")
    await coordinator.get_by_role("link", name="1 Angebot wartet auf Ihre Prüfung.").click()
    await coordinator.get_by_text("Zurückgeben").first.click()
    await coordinator.get_by_label("Was soll das Unternehmen ändern?").fill("Bitte die Haltestelle nennen.")
    await coordinator.get_by_role("button", name="Zurückgeben").click()
    await company.goto("/events/company")
    await expect(company.get_by_text("Bitte die Haltestelle nennen.")).to_be_visible()
    await company.get_by_role("link", name="Angebot ändern").click()
    await company.get_by_label("Wie man hinkommt").fill("Bus R1, Haltestelle Musterweg")
    await company.get_by_role("button", name="Speichern").click()
    await coordinator.goto("/events/offers/waiting")
    await coordinator.get_by_role("checkbox", name="Veröffentlichen").check()
    await coordinator.get_by_role("button", name="Ausgewählte veröffentlichen").click()
    await expect(coordinator.get_by_role("status")).to_contain_text("1 Angebot ist veröffentlicht.")
    offer = await world.db.offers.find_one({})
    assert offer and (offer["facts"]["state"], offer["check"]) == ("published", "")
