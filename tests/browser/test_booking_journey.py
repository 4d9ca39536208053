"""From the list of dates to the confirmed class, as a teacher and a company meet it in a browser."""

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.front_door import FrontDoor, World


async def fill_in(page: Page, name: str = "9a", pupils: str = "24") -> None:
    """The registration form, as far as nothing is remembered."""
    await page.get_by_label("Klasse oder Kurs").fill(name)
    await page.get_by_label("Jahrgang").select_option("9")
    await page.get_by_label("Schüler:innen", exact=False).first.fill(pupils)
    await page.get_by_label("Ich habe das gelesen", exact=False).check()


async def register(page: Page, slot_id: str, name: str = "9a", pupils: str = "24") -> str:
    """A class is registered; the page of its registration stands open. Returns the registration's id.

    A click returns before the answer is there, so the address says nothing until it has changed."""
    await page.goto(f"/events/slots/{slot_id}/register")
    await fill_in(page, name, pupils)
    await page.locator("button.big").click()
    await expect(page).to_have_url(re.compile("/events/registrations/"))
    return page.url.split("/")[-1].split("?")[0]


async def test_a_teacher_books_on_a_phone_and_the_company_approves(world: World, page_of: OpenPage) -> None:
    slot = await world.slot({"approval": "company"})
    teacher = await page_of("teacher")
    await teacher.goto("/events/")
    await teacher.get_by_role("link", name="Vom Stahl zum Zahnrad").click()
    await expect(teacher.get_by_text("Di., 1. Dezember 2026, 9:00–12:00 Uhr").first).to_be_visible()
    await teacher.get_by_role("link", name="Klasse anmelden").click()
    await fill_in(teacher)
    await teacher.get_by_role("button", name="Plätze anfragen").click()
    await expect(teacher.get_by_role("heading", level=1)).to_have_text("Angefragt")
    await expect(teacher.get_by_text("Noch nicht bestätigt: Das Unternehmen entscheidet.")).to_be_visible()

    company = await page_of("company")
    await company.goto("/events/company")
    await company.get_by_role("link", name="Termin ansehen").click()
    await company.get_by_role("button", name="Ausgewählten zusagen").click()
    await expect(company.get_by_text("Zugesagt.")).to_be_visible()
    await expect(company.get_by_text("Klasse 9a, 24 Schüler:innen")).to_be_visible()

    await teacher.reload()
    await expect(teacher.get_by_role("heading", level=1)).to_have_text("Bestätigt")
    assert (await world.store.slot(slot.id)).taken == 24


async def test_a_waiting_class_is_offered_places_and_accepts(world: World, page_of: OpenPage) -> None:
    slot = await world.slot(places=30, groups=1)
    first, second = await page_of("teacher"), await page_of("other-teacher")
    await register(first, slot.id)
    await expect(first.get_by_role("heading", level=1)).to_have_text("Bestätigt")
    await register(second, slot.id, "8c")
    await expect(second.get_by_role("heading", level=1)).to_have_text("Warteliste")
    await expect(second.get_by_text("Noch keine Plätze.")).to_be_visible()

    await first.get_by_role("link", name="Anmeldung absagen").click()
    await expect(first.get_by_role("heading", name="Was dadurch geschieht")).to_be_visible()
    assert (await world.store.slot(slot.id)).taken == 24, "the first step only asks"
    await first.get_by_role("button", name="Ja, absagen").click()
    await expect(first.get_by_role("heading", level=1)).to_have_text("Abgesagt")

    await second.goto("/events/home")
    await expect(second.get_by_role("heading", name="1 Sache braucht Ihre Antwort")).to_be_visible()
    await expect(second.get_by_text("Bitte annehmen bis Mi., 7. Oktober 2026, 18:00 Uhr.")).to_be_visible()
    await second.get_by_role("link", name="Vom Stahl zum Zahnrad", exact=True).click()
    await expect(second.get_by_role("heading", level=1)).to_have_text("Freier Platz angeboten")
    await second.get_by_role("button", name="Plätze annehmen").click()
    await expect(second.get_by_role("heading", level=1)).to_have_text("Bestätigt")


async def test_a_form_with_errors_keeps_what_was_typed_and_names_each_error(world: World, page_of: OpenPage) -> None:
    slot = await world.slot()
    page = await page_of("teacher")
    await page.goto(f"/events/slots/{slot.id}/register")
    await page.get_by_label("Klasse oder Kurs").fill("9 b")
    await page.get_by_label("Jahrgang").select_option("9")
    await page.get_by_label("Worauf soll sich").fill("Ein Rollstuhl")
    await page.locator("button.big").click()
    summary = page.get_by_role("alert")
    await expect(summary.get_by_role("link", name="Dieses Feld wird gebraucht.")).to_have_attribute(
        "href", "#group.pupils"
    )
    await expect(page.get_by_label("Klasse oder Kurs")).to_have_value("9 b")
    await expect(page.get_by_label("Worauf soll sich")).to_have_value("Ein Rollstuhl")
    pupils = page.get_by_label("Schüler:innen", exact=False).first
    await expect(pupils).to_have_attribute("aria-invalid", "true")
    await pupils.fill("12")
    await page.locator("button.big").click()
    await expect(summary.get_by_role("link", name="Bitte bestätigen Sie", exact=False)).to_be_visible()
    assert await world.db.registrations.count_documents({}) == 0


async def test_the_last_registration_is_remembered(world: World, page_of: OpenPage) -> None:
    first, second = await world.slot(), await world.slot(starts_local="2026-12-02T09:00", ends_local="2026-12-02T12:00")
    page = await page_of("teacher")
    await register(page, first.id, "9d", "23")
    await page.goto(f"/events/slots/{second.id}/register")
    await expect(page.get_by_label("Klasse oder Kurs")).to_have_value("9d")
    await expect(page.get_by_label("Schüler:innen", exact=False).first).to_have_value("23")


async def test_another_schools_registration_shows_a_plain_403(world: World, page_of: OpenPage) -> None:
    slot = await world.slot()
    own = await page_of("teacher")
    await register(own, slot.id)
    stranger = await page_of("other-teacher")
    answer = await stranger.goto(own.url)
    assert answer is not None and answer.status == 403
    await expect(stranger.get_by_role("heading", level=1)).to_have_text("Das ist nicht für Sie bestimmt")
    await expect(stranger.get_by_text("gehört zu einer anderen Schule")).to_be_visible()
    assert "Klasse 9a" not in await stranger.content()


async def test_a_company_enters_a_series_and_reads_which_days_were_left_out(world: World, page_of: OpenPage) -> None:
    slot = await world.slot()
    page = await page_of("company")
    await page.goto(f"/events/offers/{slot.offer.id}")
    await page.get_by_role("link", name="Wöchentliche Serie eintragen").click()
    await page.get_by_label("Dienstag").check()
    await page.get_by_label("Erster Tag").fill("2026-10-13")
    await page.get_by_label("Letzter Tag").fill("2026-11-10")
    await page.get_by_role("button", name="Termine prüfen").click()
    await expect(page.get_by_text("Di., 20. Oktober 2026 – Herbstferien")).to_be_visible()
    assert await world.db.slots.count_documents({}) == 1, "the preview opens nothing"
    await page.get_by_label("Di., 10. November 2026").uncheck()
    await page.get_by_role("button", name="Angekreuzte Termine eintragen").click()
    await expect(page.get_by_role("status")).to_contain_text("2 Termine sind jetzt buchbar.")
    await page.get_by_role("link", name="Rückgängig").click()
    await page.get_by_role("button", name="Ja, angekreuzte Termine zurücknehmen").click()
    await expect(page.get_by_role("status")).to_contain_text("2 Termine wurden zurückgenommen.")
    assert await world.db.slots.count_documents({"state": "open"}) == 1


async def test_a_moved_date_is_asked_about_first_and_day_offs_are_named(world: World, page_of: OpenPage) -> None:
    slot = await world.slot()
    await register(await page_of("teacher"), slot.id)
    page = await page_of("company")
    await page.goto(f"/events/slots/{slot.id}/manage")
    await page.get_by_role("link", name="Verlegen").click()
    await expect(page.get_by_text("1 Klasse ist angemeldet")).to_be_visible()
    await page.get_by_label("Neuer Tag").fill("2026-10-20")
    await page.get_by_role("button", name="Verlegen und alle benachrichtigen").click()
    await expect(page.get_by_role("alert")).to_contain_text("schulfrei: Herbstferien")
    await page.get_by_label("Neuer Tag").fill("2026-12-08")
    await page.get_by_role("button", name="Verlegen und alle benachrichtigen").click()
    await expect(page.get_by_text("Di., 8. Dezember 2026, 9:00–12:00 Uhr").first).to_be_visible()


async def test_attendance_is_recorded_for_all_groups_at_once(world: World, page_of: OpenPage, door: FrontDoor) -> None:
    slot = await world.slot()
    await register(await page_of("teacher"), slot.id, "9a", "12")
    await register(await page_of("other-teacher"), slot.id, "8c", "10")
    before = door.clock.moment
    door.clock.moment = slot.ends_at
    try:
        page = await page_of("company")
        await page.goto(f"/events/slots/{slot.id}/check-in")
        came = page.get_by_role("group", name="Musterschule Arnsberg")
        await came.get_by_label("ist da", exact=True).check()
        await came.get_by_label("Wie viele").fill("11")
        await page.get_by_role("group", name="Beispielschule Sundern").get_by_label("ist nicht gekommen").check()
        await page.get_by_role("button", name="Eintragen").click()
        await expect(page.get_by_role("status")).to_have_text("Danke, das ist eingetragen.")
    finally:
        door.clock.moment = before
    rows = await world.db.registrations.find({}, {"state": 1, "pupils_attended": 1}).to_list(None)
    assert {(row["state"], row["pupils_attended"]) for row in rows} == {("attended", 11), ("no_show", 0)}
