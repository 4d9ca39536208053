"""Lists of events as files, and their import: places are never oversold, and nothing changes by an unchanged file."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.events.store.store import Store
from services.events.usecases.upkeep import erase_due
from shared.auth import Sessions
from shared.schemas.outreach import PersonChanged, Role
from tests.support.events_api import NOW, World, booking, running_events
from tests.support.waiting import until

pytestmark = pytest.mark.processes_only

KINDS = ["offers", "slots", "registrations", "self-found"]
HIDDEN = re.compile(r'name="(csrf|request_id)" value="([^"]*)"')
SECRET = "s" * 40
ROLES = {
    "coordinator": Role(kind="coordinator", organisation_id="agency"),
    "teacher": Role(kind="teacher", organisation_id="school-1"),
    "other-teacher": Role(kind="teacher", organisation_id="school-2"),
    "company": Role(kind="company", organisation_id="company-1"),
    "other-company": Role(kind="company", organisation_id="company-2"),
    "ambassador": Role(kind="ambassador", organisation_id="company-1"),
}


@pytest.fixture(scope="module")
async def _world(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        yield world


@pytest.fixture
async def world(_world: World) -> World:
    """The service with nothing in it but copies, and people with sessions."""
    await _world.reset()
    for name in ("table_imports", "table_import_lines"):
        await _world.db[name].delete_many({})
    for name, role in ROLES.items():
        person = PersonChanged.about(
            f"person:{name}", 1, now=NOW, person_id=name, name=name, email=f"{name}@x.example", language="en",
            roles=[role], session_epoch=1, active=True,
        )  # fmt: skip
        facts = person.model_dump(include={"name", "email", "language", "roles", "session_epoch", "active"})
        await _world.db.people.replace_one({"_id": name}, {**facts, "version": 1}, upsert=True)
    return _world


@pytest.fixture
async def slot(world: World) -> dict:
    """A date with one registration, and a place that a school found itself."""
    made = await world.slot()
    await world.teacher.made(f"slots/{made['id']}/registrations", booking())
    group = {"name": "9b", "grade": 9, "pupils": 12, "adults": 1}
    found = {"campaign_id": "campaign-1", "school_id": "school-1", "group": group, "company_name": "-Tischlerei"}
    await world.teacher.made("self-found-places", {**found, "field": "BAV", "day": "2026-12-02"})
    return made


class Browser:
    """The pages as one person sees them, in English."""

    def __init__(self, world: World, person: str) -> None:
        self.client = world.client
        cookie = Sessions(SECRET).open(person, 1) if person else ""
        self.headers = {"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
        self.headers["Cookie"] = f"perspektive_session={cookie}; perspektive_language=en"
        self.page: httpx.Response | None = None

    async def get(self, path: str) -> httpx.Response:
        self.page = await self.client.get(f"/events/{path}", headers=self.headers)
        return self.page

    async def send(self, path: str, **options) -> httpx.Response:
        hidden = dict(reversed(HIDDEN.findall(self.page.text))) if self.page else {}
        return await self.client.post(f"/events/{path}", data=hidden, headers=self.headers, **options)

    async def rows(self, kind: str) -> list[dict]:
        answer = await self.get(f"{kind}.csv")
        assert answer.status_code == 200, answer.text
        text = answer.content.decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
        return [{key_of(name): value for name, value in row.items()} for row in rows]

    async def upload(self, kind: str, data: bytes) -> str:
        """The address of the import."""
        await self.get(f"import/{kind}")
        answer = await self.send(f"import/{kind}", files={"file": ("list", data)})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removeprefix("/events/")

    async def bring_in(self, kind: str, rows: list[dict]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The counts of the check and of the import."""
        path = await self.upload(kind, packed(rows))
        checked = counts(await self.get(path))
        assert (await self.send(path)).status_code == 303
        return checked, counts(await self.get(path))


def key_of(heading: str) -> str:
    return heading.split("[")[1][:-1]


def counts(page: httpx.Response) -> tuple[int, ...]:
    """(new, changed, unchanged, faults)."""
    return tuple(int(value) for value in re.findall(r"<dd>(.*?)</dd>", page.text)[2:6])


def packed(rows: list[dict]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_that_was_exported_unchanged_changes_nothing(kind, form, world, slot):
    browser = Browser(world, "coordinator")
    exported = await browser.get(f"{kind}.{form}")
    assert exported.status_code == 200
    before = await world.db.outbox.count_documents({})
    page = await browser.get(await browser.upload(kind, exported.content))
    assert counts(page) == (0, 0, 1, 0), page.text
    assert await world.db.outbox.count_documents({}) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_new_lines_come_in_once_however_often_the_file_is_imported(kind, world, slot):
    browser = Browser(world, "coordinator")
    (row,) = await browser.rows(kind)
    row |= {"id": ""}
    row |= {"registrations": {"group.name": "9c", "group.pupils": "3", "state": "", "starts_local": ""}}.get(kind, {})
    row |= {"slots": {"starts_local": "2026-12-03 09:00", "ends_local": "2026-12-03 12:00"}}.get(kind, {})
    collection = world.db[{"self-found": "self_found_places"}.get(kind, kind)]
    assert await browser.bring_in(kind, [row]) == ((1, 0, 0, 0), (1, 0, 0, 0))
    assert await collection.count_documents({}) == 2
    checked = counts(await browser.get(await browser.upload(kind, packed([row]))))
    assert checked == (0, 0, 1, 0)
    assert await collection.count_documents({}) == 2


async def test_an_import_of_registrations_never_oversells(world, slot):
    browser = Browser(world, "coordinator")
    (row,) = await browser.rows("registrations")
    fresh = {**row, "id": "", "state": "", "school_id": "school-2"}
    lines = [{**fresh, "group.name": f"8{number}", "group.pupils": "3"} for number in range(6)]
    lines.append({**fresh, "group.name": "10x", "group.pupils": "26"})
    lines.append({**fresh, "group.name": "5a", "group.grade": "5"})
    checked, done = await browser.bring_in("registrations", lines)
    assert checked == done == (6, 0, 0, 2)
    held = await world.db.slots.find_one({"_id": slot["id"]})
    assert held["taken"] <= held["places"] and held["groups_taken"] <= held["groups"]
    assert (held["taken"], held["waiting"]) == (23, 5)


async def test_registrations_change_by_the_rules_of_their_pages(world, slot):
    browser = Browser(world, "coordinator")
    (row,) = await browser.rows("registrations")
    assert await browser.bring_in("registrations", [{**row, "group.pupils": "26"}]) == ((0, 1, 0, 0), (0, 0, 0, 1))
    assert await browser.bring_in("registrations", [{**row, "state": "Was there"}]) == ((0, 0, 0, 1), (0, 0, 0, 1))
    assert (await browser.bring_in("registrations", [{**row, "group.pupils": "21"}]))[1] == (0, 1, 0, 0)
    (row,) = await browser.rows("registrations")
    gone = {**row, "state": "storniert", "reason": "Grippe"}
    assert (await browser.bring_in("registrations", [gone]))[0] == (0, 0, 0, 1)
    assert (await browser.bring_in("registrations", [{**gone, "state": "cancelled"}]))[1] == (0, 1, 0, 0)
    kept = await world.db.registrations.find_one({})
    assert (kept["state"], kept["reason"], kept["group"]["pupils"]) == ("cancelled", "Grippe", 21)
    assert await browser.bring_in("registrations", [{**gone, "state": "confirmed"}]) == ((0, 0, 0, 1), (0, 0, 0, 1))


async def test_dates_are_moved_resized_and_called_off_by_a_file(world, slot):
    browser = Browser(world, "coordinator")
    (row,) = await browser.rows("slots")
    assert (await browser.bring_in("slots", [{**row, "places": "10"}]))[0] == (0, 0, 0, 1)
    sunday = {**row, "starts_local": "2026-12-06 09:00", "ends_local": "2026-12-06 12:00"}
    assert (await browser.bring_in("slots", [sunday]))[0] == (0, 0, 0, 1)
    moved = {**row, "starts_local": "03.12.2026 10:00", "ends_local": "03.12.2026 13:00", "places": "40"}
    assert (await browser.bring_in("slots", [moved]))[1] == (0, 1, 0, 0)
    kept = await world.db.slots.find_one({})
    assert (kept["starts_local"], kept["places"]) == ("2026-12-03T10:00:00", 40)
    gone = {**moved, "state": "called off", "reason": "Umbau"}
    assert (await browser.bring_in("slots", [gone]))[1] == (0, 0, 0, 1), "an old export overwrites nothing newer"
    (row,) = await browser.rows("slots")
    gone = {**row, "state": "called off", "reason": "Umbau"}
    assert (await browser.bring_in("slots", [gone]))[1] == (0, 1, 0, 0)
    assert (await world.db.registrations.find_one({}))["state"] == "cancelled"


async def test_offers_pause_and_self_found_places_are_taken_back_by_a_file(world, slot):
    browser = Browser(world, "coordinator")
    (offer,) = await browser.rows("offers")
    checked, done = await browser.bring_in("offers", [{**offer, "state": "Pausiert", "title": "Anders"}])
    assert checked == done == (0, 1, 0, 0)
    kept = await world.db.offers.find_one({})
    assert (kept["facts"]["state"], kept["facts"]["title"]) == ("paused", "Blick in die Werkhalle")
    assert "Not taken over" in browser.page.text
    (found,) = await browser.rows("self-found")
    assert (await browser.bring_in("self-found", [{**found, "withdrawn": "ja"}]))[1] == (0, 1, 0, 0)
    assert (await world.db.self_found_places.find_one({}))["withdrawn"] is True


@pytest.mark.parametrize(
    ("person", "seen"),
    [
        ("coordinator", (1, 1, 1)), ("teacher", (None, 1, 1)), ("other-teacher", (None, 0, 0)),
        ("company", (1, 1, None)), ("other-company", (0, 0, None)), ("ambassador", (None, None, None)),
    ],
)  # fmt: skip
async def test_everybody_exports_what_the_list_shows_them_and_only_coordinators_import(person, seen, world, slot):
    browser = Browser(world, person)
    for kind, count in zip(("offers", "registrations", "self-found"), seen, strict=True):
        for form in ("csv", "xlsx"):
            assert (await browser.get(f"{kind}.{form}")).status_code == (403 if count is None else 200)
        if count is not None:
            assert len(await browser.rows(kind)) == count
    assert len(await browser.rows("slots")) == 1
    allowed = person == "coordinator"
    for kind in KINDS:
        assert (await browser.get(f"import/{kind}")).status_code == (200 if allowed else 403)
        if not allowed:
            assert (await browser.send(f"import/{kind}", files={"file": ("x", b"id\n1\n")})).status_code == 403
            assert (await browser.send(f"import/{kind}/1")).status_code == 403
            assert (await browser.get(f"import/{kind}/1/errors.csv")).status_code == 403


@pytest.mark.parametrize("path", [*(f"{kind}.csv" for kind in KINDS), "import/offers", "import/offers/1"])
async def test_nobody_gets_a_file_without_a_session(path, world, slot):
    answer = await Browser(world, "").get(path)
    assert answer.status_code == 303 and "sign-in" in answer.headers["location"]


async def test_a_form_of_another_page_imports_nothing(world, slot):
    browser = Browser(world, "coordinator")
    data = (await browser.get("offers.csv")).content
    browser.page = None
    answer = await browser.send("import/offers", files={"file": ("x", data)})
    assert answer.status_code == 403
    assert await world.db.table_imports.count_documents({}) == 0


async def test_whoever_stops_being_a_coordinator_imports_no_further_line(world, slot):
    browser = Browser(world, "coordinator")
    (row,) = await browser.rows("offers")
    lines = [{**row, "id": "", "title": f"Blick {number}"} for number in range(201)]
    await browser.upload("offers", packed(lines))
    await world.db.people.update_one({"_id": "coordinator"}, {"$set": {"roles": []}})
    imports = (await world.db.table_imports.find_one({}))["_id"]

    async def has_stopped() -> bool:
        return (await world.db.table_imports.find_one({"_id": imports}))["state"] in ("stopped", "checked")

    await until(has_stopped)
    assert await world.db.offers.count_documents({}) == 1


async def test_an_unknown_filter_is_refused_in_plain_words(world, slot):
    answer = await Browser(world, "coordinator").get("slots.csv?from=nonsense")
    assert answer.status_code == 422
    assert "cannot be filtered like this" in answer.text


async def test_files_of_registrations_are_erased_after_a_day(world, slot):
    browser = Browser(world, "coordinator")
    await browser.upload("registrations", (await browser.get("registrations.csv")).content)
    await erase_due(Store(world.db), now=NOW + timedelta(hours=25))
    assert await world.db.table_imports.count_documents({}) == 0
    assert await world.db.erasure_receipts.count_documents({"what": "table imports"}) == 1
