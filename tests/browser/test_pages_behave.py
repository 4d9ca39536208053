"""What holds for every page of `events`: looking changes nothing, it fits a small phone, and it keeps its guards."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.events.domain.check_in import check_in_code
from tests.browser.conftest import OpenPage
from tests.browser.test_booking_journey import register
from tests.support.fingerprints import fingerprint
from tests.support.front_door import SECRET, FrontDoor, World

CHECK = Path(__file__).parent / "check_page.js"
PAGES = [
    ("", "/events/"), ("", "/events/?district=05958&grade=9&max_km=20"), ("", "/events/?from=gestern"),
    ("", "/events/?view=map"), ("", "/events/?view=calendar"), ("coordinator", "/events/coverage"),
    ("", "/events/slots/{slot}"), ("teacher", "/events/"), ("teacher", "/events/slots/{slot}/register"),
    ("teacher", "/events/registrations"), ("teacher", "/events/registrations/{registration}"),
    ("teacher", "/events/registrations/{registration}/cancel"), ("teacher", "/events/self-found"),
    ("teacher", "/events/self-found?after=nonsense"), ("teacher", "/events/home"), ("teacher", "/events/find"),
    ("teacher", "/events/find?group=9a&grade=9&free_places=24&sort=distance&max_km=20"),
    ("teacher", "/events/find?from=gestern"), ("teacher", "/events/compare?slot={slot}&slot=unknown"),
    ("", "/events/compare?slot={slot}&slot={slot}"), ("", "/events/compare"),
    ("teacher", "/events/slots/{slot}/register?group=9a"), ("teacher", "/events/registrations?state=requested"),
    ("teacher", "/events/registrations/{confirmed}"), ("teacher", "/events/registrations/{confirmed}/day-sheet"),
    ("teacher", "/events/registrations/{confirmed}/attendance-list"),
    ("teacher", "/events/registrations/{confirmed}/qr"), ("teacher", "/events/registrations/{registration}/qr"),
    ("company", "/events/home"), ("company", "/events/registrations/{confirmed}/day-sheet"),
    ("teacher", "/events/offers"), ("teacher", "/events/nowhere"),
    ("company", "/events/company"), ("company", "/events/company/visitors"),
    ("company", "/events/company/visitors?past=yes"),
    ("company", "/events/offers/{offer}/edit"), ("company", "/events/offers/{offer}/again"),
    ("company", "/events/offers/{offer}/slots/withdraw"), ("company", "/events/slots/{slot}/check-in"),
    ("company", "/events/check-in/{registration}/{code}"), ("", "/events/check-in/{registration}/{code}"),
    ("teacher", "/events/check-in/{registration}/{code}"), ("company", "/events/check-in/{registration}/WRONG"),
    ("coordinator", "/events/offers/waiting"), ("company", "/events/offers/waiting"),
    ("company", "/events/offers?withdrawn=yes"),
    ("company", "/events/offers"), ("company", "/events/offers/new"), ("company", "/events/offers/new?like={offer}"),
    ("company", "/events/offers/{offer}"), ("company", "/events/offers/{offer}/slots/new"),
    ("company", "/events/offers/{offer}/slots/series"), ("company", "/events/slots/{slot}/manage"),
    ("company", "/events/slots/{slot}/list"), ("company", "/events/slots/{slot}/move"),
    ("company", "/events/slots/{slot}/resize"), ("company", "/events/slots/{slot}/cancel"),
    ("coordinator", "/events/offers"), ("coordinator", "/events/registrations"), ("coordinator", "/events/messages"),
]  # fmt: skip


@pytest.fixture
async def places(world: World, page_of: OpenPage) -> dict[str, str]:
    """The ids in the addresses: a slot of company-1 with a requested registration of school-1."""
    slot = await world.slot({"approval": "company"})
    page = await page_of("teacher")
    registration = await register(page, slot.id)
    other = await world.slot(starts_local="2026-12-02T09:00", ends_local="2026-12-02T12:00")
    confirmed = await register(page, other.id, "9b")
    return {
        "slot": slot.id, "offer": slot.offer.id, "registration": registration, "confirmed": confirmed,
        "code": check_in_code(registration, SECRET),
    }  # fmt: skip


def client(door: FrontDoor, person: str = "", **headers: str) -> httpx.AsyncClient:
    """A client with the person's session, which says that its forms come from the own pages."""
    cookie: dict[str, Any] = door.cookie(person) if person else {}
    cookies = {cookie["name"]: cookie["value"]} if cookie else {}
    return httpx.AsyncClient(base_url=door.url, cookies=cookies, headers={"Sec-Fetch-Site": "same-origin", **headers})


async def test_looking_at_any_page_changes_nothing(world: World, door: FrontDoor, places: dict[str, str]) -> None:
    before = await fingerprint(world.db)
    for person, path in PAGES:
        async with client(door, person) as http:
            for method in ("GET", "HEAD"):
                answer = await http.request(method, path.format(**places))
                assert answer.status_code < 500, (method, path, answer.status_code)
    assert await fingerprint(world.db) == before


async def test_addresses_that_change_something_refuse_get(
    world: World, door: FrontDoor, places: dict[str, str]
) -> None:
    before = await fingerprint(world.db)
    async with client(door, "teacher") as http:
        for step in ("accept", "resize", "attend"):
            answer = await http.get(f"/events/registrations/{places['registration']}/{step}")
            assert answer.status_code in (404, 405)
    async with client(door, "company") as http:
        for path in (f"offers/{places['offer']}/withdraw", f"slots/{places['slot']}/decide"):
            assert (await http.get(f"/events/{path}")).status_code in (404, 405)
    assert await fingerprint(world.db) == before


@pytest.mark.parametrize("sent", [{}, {"csrf": "guessed"}])
async def test_a_form_without_the_sessions_token_is_refused(
    world: World, door: FrontDoor, places: dict[str, str], sent: dict[str, str]
) -> None:
    before = await fingerprint(world.db)
    async with client(door, "teacher") as http:
        answer = await http.post(f"/events/registrations/{places['registration']}/cancel", data=sent)
    assert answer.status_code == 403 and "Dieses Formular ist zu alt" in answer.text
    assert await fingerprint(world.db) == before


async def test_a_form_from_another_site_is_refused(world: World, door: FrontDoor, places: dict[str, str]) -> None:
    before = await fingerprint(world.db)
    async with client(door, "teacher", **{"Sec-Fetch-Site": "cross-site"}) as http:
        page = await http.get(f"/events/registrations/{places['registration']}/cancel")
        token = page.text.split('name="csrf" value="')[1].split('"')[0]
        answer = await http.post(f"/events/registrations/{places['registration']}/cancel", data={"csrf": token})
    assert answer.status_code == 403
    assert await fingerprint(world.db) == before


async def test_nobody_reads_a_page_that_needs_a_person(world: World, door: FrontDoor, places: dict[str, str]) -> None:
    async with client(door) as http:
        answer = await http.get(f"/events/slots/{places['slot']}/register")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/outreach/sign-in?next=/events/slots/{places['slot']}/register"


async def test_another_company_sees_and_changes_nothing(world: World, door: FrontDoor, places: dict[str, str]) -> None:
    before = await fingerprint(world.db)
    async with client(door, "other-company") as http:
        for path in ("manage", "list", "move", "resize", "cancel"):
            assert (await http.get(f"/events/slots/{places['slot']}/{path}")).status_code == 403, path
        form = await http.get("/events/offers/new")
        token = form.text.split('name="csrf" value="')[1].split('"')[0]
        asked = {"csrf": token, "registration": places["registration"], "decision": "approve"}
        assert (await http.post(f"/events/slots/{places['slot']}/decide", data=asked)).status_code == 403
        answer = await http.post(f"/events/slots/{places['slot']}/cancel", data={"csrf": token})
        assert answer.status_code == 403
    assert await fingerprint(world.db) == before


@pytest.mark.parametrize("language", ["de", "en"])
async def test_every_page_fits_a_small_phone_and_keeps_to_the_policy(
    world: World, page_of: OpenPage, places: dict[str, str], language: str
) -> None:
    complaints: list[str] = []
    for person in dict(PAGES):
        page = await page_of(person, language=language, width=320, scripts=True)
        page.on("console", lambda message: complaints.append(message.text))
        for path in (path for who, path in PAGES if who == person):
            answer = await page.goto(path.format(**places))
            assert answer is not None and answer.status in (200, 403, 404, 409, 422), (path, answer)
            found = await page.evaluate(CHECK.read_text())
            assert found == [], (path, language, found)
        await page.context.close()
    assert [text for text in complaints if "Security Policy" in text] == []


async def test_the_check_of_pages_finds_what_is_wrong(page_of: OpenPage) -> None:
    page = await page_of(scripts=True, width=320)
    await page.set_content(
        "<main><p id=a style='width: 40rem'>wide</p><p id=a></p><input name=x aria-describedby=none>"
        "<button style='height: 20px'>small</button><a href='#gone'>gone</a></main>"
    )
    found = " ".join(await page.evaluate(CHECK.read_text()))
    wrong = (
        "scrolls sideways",
        "not one h1",
        "inline style",
        "id twice",
        "no label",
        "describes nothing",
        "small target",
    )
    assert [each for each in (*wrong, "leads nowhere") if each not in found] == []
