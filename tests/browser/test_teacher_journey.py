"""A teacher's way in a browser: sign in, find, compare, book, change the number, cancel, print."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from icalendar import Calendar
from playwright.async_api import Locator, Page, expect

from services.events.domain.check_in import is_check_in_code
from services.outreach.domain.people import Person
from services.outreach.store import people
from services.outreach.store.core import Store as OutreachStore
from shared.ids import random_id
from shared.mongo import database
from tests.browser.conftest import OpenPage
from tests.browser.test_booking_journey import register
from tests.browser.test_pages_behave import client, fingerprint
from tests.support.front_door import NOW, ROLES, SECRET, FrontDoor, World
from tests.support.servers import MailServer

ADDRESS = "teacher@beispiel.example"
MOST_TAPS = 12
REQUIREMENTS_READ = re.compile("Ich habe das gelesen|I have read this")


class Taps:
    """Counts what a finger does; typing into a field is one tap."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    async def on(self, target: Locator) -> None:
        await target.click()
        self.count += 1

    async def type(self, label: str, text: str) -> None:
        await self.page.get_by_label(label, exact=False).first.fill(text)
        self.count += 1

    async def choose(self, label: str, value: str) -> None:
        await self.page.get_by_label(label).select_option(value)
        self.count += 2  # it opens, and one is chosen


@pytest.fixture
async def known_teacher(mongodb_url: str, door: FrontDoor) -> AsyncIterator[None]:
    """The teacher of ROLES as `outreach` knows them, so that the sign-in page sends a mail."""
    name, role = ROLES["teacher"]
    async with database(mongodb_url, f"{door.prefix}_outreach") as db:
        person = Person(id="teacher", last_request_id="", roles=(role,), erase_after=None, name=name, email=ADDRESS,
                        phone="", language="de", session_epoch=1)  # fmt: skip
        await people.insert(OutreachStore(db), person, [], None)
        yield
        await db.people.delete_one({"_id": "teacher"})


async def mailed_link(door: FrontDoor, mails: MailServer) -> str:
    async with httpx.AsyncClient(base_url=door.url, headers={"Sec-Fetch-Site": "same-origin"}) as http:
        sent = await http.post(
            "/outreach/sign-in", data={"email": ADDRESS, "next": "/events/home", "request_id": random_id()}
        )
        assert sent.status_code == 303, sent.text
    mail = (await mails.wait_for(to=ADDRESS, subject="Perspektive", seconds=30))[-1]
    found = re.search(r"http\S+/outreach/sign-in/link\?token=[\w-]+", mail["text"])
    assert found, mail["text"]
    return found[0]


@pytest.mark.parametrize("remembered", [True, False], ids=["a class that is known", "a new class"])
async def test_from_the_sign_in_mail_to_the_confirmed_class_in_at_most_twelve_taps(
    world: World, door: FrontDoor, page_of: OpenPage, mail_server: MailServer, known_teacher: None, remembered: bool
) -> None:
    slot = await world.slot(starts_local="2026-12-02T09:00", ends_local="2026-12-02T12:00")
    if remembered:
        earlier = await world.slot()
        await register(await page_of("teacher"), earlier.id)
    page = await page_of()
    taps = Taps(page)
    await page.goto(await mailed_link(door, mail_server))
    taps.count += 1  # the link in the mail
    await taps.on(page.locator("main button").first)
    await expect(page).to_have_url(re.compile("/events/home"))
    await taps.on(page.get_by_role("link", name="Platz finden").last)
    if remembered:
        await taps.on(page.get_by_role("link", name="9a 24 Schüler:innen"))
    await taps.on(page.locator(f"a[href^='/events/slots/{slot.id}']"))
    await taps.on(page.locator("a.button.big"))
    if not remembered:
        await taps.type("Klasse oder Kurs", "9a")
        await taps.choose("Jahrgang", "9")
        await taps.type("Schüler:innen", "24")
    await taps.on(page.get_by_label(REQUIREMENTS_READ))
    await taps.on(page.locator("button.big"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Bestätigt")
    assert taps.count <= MOST_TAPS, taps.count
    assert taps.count == (8 if remembered else 11)


@pytest.mark.parametrize(
    ("language", "width", "scripts"), [("de", 360, False), ("de", 1280, True), ("en", 360, True), ("en", 1280, False)]
)
async def test_find_compare_book_change_the_number_and_cancel(
    world: World, page_of: OpenPage, language: str, width: int, scripts: bool
) -> None:
    words = {
        "de": ("Angekreuzte Termine vergleichen", "Termine vergleichen", "Bestätigt", "Die Klasse ist größer", "22"
               " Schüler:innen", "Geändert von 24 auf 22 Schüler:innen", "Abgesagt", "Wirklich absagen?"),
        "en": ("Compare the ticked dates", "Compare dates", "Confirmed", "The class is larger", "22 pupils",
               "Changed from 24 to 22 pupils", "Cancelled", "Really cancel?"),
    }[language]  # fmt: skip
    first = await world.slot()
    second = await world.slot(
        {"title": "Licht und Labor"}, starts_local="2026-12-02T09:00", ends_local="2026-12-02T12:00"
    )
    page = await page_of("teacher", language=language, width=width, scripts=scripts)
    await page.goto("/events/find")
    await page.locator(f"#slot-{first.id}").check()
    await page.locator(f"#slot-{second.id}").check()
    await page.get_by_role("button", name=words[0]).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words[1])
    await page.locator(f"a.button[href*='{second.id}']").click()
    await page.locator("[name='group.name']").fill("9a")
    await page.locator("[name='group.grade']").select_option("9")
    await page.locator("[name='group.pupils']").fill("24")
    await page.get_by_label(REQUIREMENTS_READ).check()
    await page.locator("button.big").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words[2])
    await page.get_by_text(words[3]).click()
    await page.locator("details [name='pupils']").fill("22")
    await page.locator("details[open] button").click()
    await expect(page.locator("dl.facts")).to_contain_text(words[4])
    await expect(page.locator("ol.rows")).to_contain_text(words[5])
    await page.locator("a.button.bad").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words[7])
    assert (await world.store.slot(second.id)).taken == 22
    await page.locator("main button.bad").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words[6])
    assert (await world.store.slot(second.id)).taken == 0


async def reach(page: Page, target: str) -> None:
    """Press Tab until the focus is on what the selector names."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("target => document.activeElement?.matches(target) ?? false", target):
            return
    raise AssertionError(f"the keyboard does not reach {target}")


async def test_a_class_is_found_compared_and_booked_by_keyboard_alone(world: World, page_of: OpenPage) -> None:
    first, second = await world.slot(), await world.slot({"title": "Licht und Labor"})
    page = await page_of("teacher", scripts=True, width=1280)
    await page.goto("/events/find")
    for slot in (first, second):
        await reach(page, f"#slot-{slot.id}")
        await page.keyboard.press("Space")
    await reach(page, ".below button")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Termine vergleichen")
    await reach(page, f"a.button[href*='{second.id}']")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Klasse anmelden")
    for name, text in (("group.name", "9a"), ("group.grade", "9"), ("group.pupils", "24")):
        await reach(page, f"[name='{name}']")
        await page.keyboard.type(text)
    await reach(page, "[name='acknowledged']")
    await page.keyboard.press("Space")
    await reach(page, "button.big")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Bestätigt")


async def test_a_class_that_would_wait_is_told_so_before_anything_is_sent(world: World, page_of: OpenPage) -> None:
    slot = await world.slot(places=30)
    await register(await page_of("other-teacher"), slot.id, "8c", "20")
    page = await page_of("teacher")
    await page.goto(f"/events/slots/{slot.id}/register")
    await page.locator("[name='group.name']").fill("9a")
    await page.locator("[name='group.grade']").select_option("9")
    await page.locator("[name='group.pupils']").fill("24")
    await page.get_by_label(REQUIREMENTS_READ).check()
    await page.locator("button.big").click()
    warning = page.locator("#warnings")
    await expect(warning).to_contain_text("Die Klasse hat 24 Schüler:innen, und im Moment sind 10 Plätze frei.")
    assert await world.db.registrations.count_documents({}) == 1
    await page.get_by_role("button", name="Gelesen, trotzdem senden").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Warteliste")


async def test_filters_and_the_class_stay_in_the_address(world: World, page_of: OpenPage) -> None:
    slot = await world.slot()
    page = await page_of("teacher")
    await register(page, slot.id)
    await page.goto("/events/find?max_km=20&sort=distance")
    await page.get_by_role("link", name="9a 24 Schüler:innen").click()
    for part in ("max_km=20", "sort=distance", "group=9a", "grade=9", "free_places=24", "near_school=school-1"):
        assert part in page.url
    await page.get_by_role("link", name="für 24 Schüler:innen").click()
    assert "free_places" not in page.url and "group=9a" in page.url


async def test_a_date_that_the_company_moved_is_answered_at_home(
    world: World, page_of: OpenPage, door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = await world.slot()
    teacher, company = await page_of("teacher"), await page_of("company")
    await register(teacher, slot.id)
    monkeypatch.setattr(door.clock, "moment", NOW + timedelta(minutes=5))
    await company.goto(f"/events/slots/{slot.id}/move")
    await company.get_by_label("Neuer Tag").fill("2026-12-08")
    await company.locator("main button").last.click()
    await teacher.goto("/events/home")
    await expect(teacher.get_by_text("Das Unternehmen hat den Termin verlegt")).to_be_visible()
    await expect(teacher.get_by_text("Vorher war er am Di., 1. Dezember 2026, 9:00 Uhr.")).to_be_visible()
    monkeypatch.setattr(door.clock, "moment", NOW + timedelta(minutes=6))
    await teacher.get_by_role("button", name="Die neue Zeit passt").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Zur Kenntnis genommen")
    await expect(teacher.get_by_text("Im Moment braucht nichts Ihre Antwort.")).to_be_visible()


async def test_the_papers_hold_what_the_day_needs(world: World, page_of: OpenPage, door: FrontDoor) -> None:
    slot = await world.slot()
    page = await page_of("teacher")
    registration = await register(page, slot.id)
    await page.goto(f"/events/registrations/{registration}/attendance-list")
    assert await page.locator("table.attendance tbody tr").count() == 26
    await page.goto(f"/events/registrations/{registration}/day-sheet")
    for text in ("Musterweg 1", "Feste Schuhe", "Max Beispiel", "Di., 1. Dezember 2026, 9:00–12:00 Uhr"):
        await expect(page.locator("main")).to_contain_text(text)
    assert await page.get_by_role("img", name="QR-Code zum Einchecken der Klasse 9a").locator("svg path").count() == 1
    await page.emulate_media(media="print")
    await expect(page.locator(".top")).to_be_hidden()


async def test_calendar_files_name_the_date_once_for_ever(world: World, page_of: OpenPage, door: FrontDoor) -> None:
    slot = await world.slot()
    registration = await register(await page_of("teacher"), slot.id)
    async with client(door, "teacher") as http:
        own = await http.get(f"/events/registrations/{registration}/calendar.ics")
    async with client(door) as http:
        public = await http.get(f"/events/slots/{slot.id}/calendar.ics")
    for answer, uid, status in (
        (own, f"registration-{registration}-teacher@perspektive.example", "CONFIRMED"),
        (public, f"slot-{slot.id}@perspektive.example", "TENTATIVE"),
    ):
        assert answer.headers["content-type"].startswith("text/calendar")
        entry = Calendar.from_ical(answer.content).walk("VEVENT")[0]
        assert (entry["UID"], entry["STATUS"], entry["DTSTART"].params["TZID"]) == (uid, status, "Europe/Berlin")
        assert "BEGIN:VTIMEZONE" in answer.text
        assert entry["DTSTART"].dt.replace(tzinfo=None) == slot.starts_local


async def test_a_self_found_place_is_taken_back_in_two_steps(world: World, page_of: OpenPage) -> None:
    page = await page_of("teacher")
    await page.goto("/events/self-found")
    for label, text in (("Unternehmen", "Beispielwerk"), ("Tag", "2026-12-01"), ("Klasse oder Kurs", "9a"),
                        ("Schüler:innen", "3")):  # fmt: skip
        await page.get_by_label(label, exact=label == "Tag").first.fill(text)
    await page.get_by_label("Berufsfeld").select_option(index=2)
    await page.get_by_label("Jahrgang").select_option("9")
    await page.get_by_role("button", name="Eintragen").click()
    await page.get_by_role("link", name="Zurücknehmen").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Wirklich zurücknehmen?")
    assert await world.db.self_found_places.count_documents({"withdrawn": True}) == 0
    await page.get_by_role("button", name="Ja, zurücknehmen").click()
    assert await world.db.self_found_places.count_documents({"withdrawn": True}) == 1


async def test_each_page_of_a_registration_is_for_its_own_school_alone(
    world: World, page_of: OpenPage, door: FrontDoor
) -> None:
    slot = await world.slot()
    registration = await register(await page_of("teacher"), slot.id)
    pages = [f"registrations/{registration}/{part}" for part in ("day-sheet", "attendance-list", "qr", "calendar.ics")]
    before = await fingerprint(world.db)
    for person, status in (("teacher", 200), ("coordinator", 200), ("other-teacher", 403), ("company", 403),
                           ("other-company", 403), ("", 303)):  # fmt: skip
        async with client(door, person) as http:
            for path in pages:
                assert (await http.get(f"/events/{path}")).status_code == status, (person, path)
    for person, status in (("teacher", 200), ("company", 403), ("coordinator", 403), ("", 303)):
        async with client(door, person) as http:
            for path in ("home", "find"):
                assert (await http.get(f"/events/{path}")).status_code == status, (person, path)
    for person in ("other-teacher", "company", ""):
        async with client(door, person) as http:
            form = await http.get("/events/" + ("self-found" if person == "other-teacher" else "offers/new"))
            token = form.text.split('name="csrf" value="')[1].split('"')[0] if person else ""
            for step in ("noted", "acknowledge"):
                answer = await http.post(f"/events/registrations/{registration}/{step}", data={"csrf": token})
                assert answer.status_code == (403 if person else 303), (person, step)
                assert person or answer.headers["location"].startswith("/outreach/sign-in")
    assert await fingerprint(world.db) == before


async def test_papers_are_there_once_the_class_is_confirmed(world: World, page_of: OpenPage, door: FrontDoor) -> None:
    slot = await world.slot({"approval": "company"})
    registration = await register(await page_of("teacher"), slot.id)
    async with client(door, "teacher") as http:
        for part in ("day-sheet", "attendance-list", "qr", "calendar.ics"):
            answer = await http.get(f"/events/registrations/{registration}/{part}")
            assert answer.status_code == 409 and "sobald die Anmeldung bestätigt ist" in answer.text


async def test_a_self_found_place_of_another_school_is_not_shown(world: World, door: FrontDoor) -> None:
    await world.db.self_found_places.insert_one(
        {"_id": "found-1", "campaign_id": "campaign-1", "school_id": "school-1", "company_name": "Werk", "field": "M",
         "group": {"name": "9a", "grade": 9, "pupils": 2, "adults": 0}, "day": "2026-12-01", "withdrawn": False,
         "version": 1, "created_at": NOW, "last_request_id": ""}
    )  # fmt: skip
    for person, status in (("teacher", 200), ("coordinator", 200), ("other-teacher", 403), ("company", 403), ("", 303)):
        async with client(door, person) as http:
            assert (await http.get("/events/self-found/found-1/withdraw")).status_code == status, person


def test_the_code_in_the_picture_is_the_registrations_own() -> None:
    from services.events.usecases.paper import check_in_address

    address = check_in_address("one", "https://region.example", SECRET)
    start, code = address.rsplit("/", 1)
    assert start == "https://region.example/events/check-in/one"
    assert is_check_in_code(code, "one", SECRET)
