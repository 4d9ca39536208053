import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.school_register import RegisterFile, parse_register
from services.outreach.usecases import schools
from services.outreach.usecases.people import enter_person
from services.outreach.usecases.schools import import_schools
from services.outreach.web.routers import ROUTERS
from tests.integration.outreach.conftest import PUBLIC_URL
from tests.integration.outreach.test_school_import import REGISTER
from tests.support.outreach import COORDINATOR, NOW, confirmed, offer, registration, slot
from tests.support.visits import school

pytestmark = pytest.mark.processes_only
PAGES = [
    "/outreach/", "/outreach/schools", "/outreach/schools?q=siegen&district=05970", "/outreach/schools/100022",
    "/outreach/imports", "/outreach/companies", "/outreach/companies/new", "/outreach/people",
    "/outreach/people/new", "/outreach/api-keys", "/outreach/messages", "/outreach/campaigns/new",
]  # fmt: skip
INLINE = r"""<script(?! src="/outreach/static/[^"]+" defer></script>)|style=|<style|javascript:"""
CAMPAIGN = {
    "name": "Muster-Kampagne", "starts_on": "2026-11-01", "ends_on": "2027-06-30", "districts": ["05958", "05970"],
    "kinds": ["tour"], "offers_from": "2026-11-01T00:00", "booking_from": "2026-11-15T08:00",
    "closes_at": "2027-06-30T23:00",
}  # fmt: skip


@pytest.fixture
async def office(sign_in, coordinator):
    return await sign_in(coordinator)


@pytest.fixture
async def teacher(store):
    await import_schools(store, COORDINATOR, REGISTER, None, dry_run=False, now=NOW, request_id="schools")
    role = RoleGiven(kind="teacher", organisation_id="100022")
    command = EnterPerson(name="Toni Lehrkraft", email="toni@schule.example", roles=[role])
    return (await enter_person(store, COORDINATOR, command, now=NOW, request_id="teacher")).id


@pytest.mark.parametrize("language", ["de", "en"])
async def test_every_page_of_the_office_opens_in_both_languages_without_inline_script_or_style(office, store, language):
    office.client.cookies.set("perspektive_language", language)
    await import_schools(store, COORDINATOR, REGISTER, None, dry_run=False, now=NOW, request_id="schools")
    for path in PAGES:
        page = await office.get(path)
        assert page.status_code == 200, path
        assert f'<html lang="{language}">' in page.text
        assert page.text.count("<h1>") == 1
        assert ("Impressum" in page.text) == (language == "de")
        assert not re.search(INLINE, page.text), path


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_back(browser, running):
    for path in PAGES:
        answer = await browser.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/outreach/sign-in?next=/outreach/")


async def test_a_teacher_sees_no_page_of_the_office_but_her_own_school(sign_in, teacher):
    browser = await sign_in(teacher)
    allowed = {"/outreach/schools/100022"}
    for path in PAGES:
        assert (await browser.get(path)).status_code == (200 if path in allowed else 403), path
    assert (await browser.get("/outreach/schools/131854")).status_code == 403


async def test_a_form_without_the_sessions_token_changes_nothing(office, store):
    await office.get("/outreach/campaigns/new")
    answer = await office.send("/outreach/campaigns/new", {**CAMPAIGN, "csrf": "forged"})
    assert answer.status_code == 403
    assert await store.db.campaigns.count_documents({}) == 0


async def test_no_form_is_taken_without_the_sessions_token_or_from_another_site(office):
    routes = [route for router in ROUTERS for route in iter_route_contexts(router.routes)]
    forms = [f"/outreach{route.path}" for route in routes if "POST" in (route.methods or ())]
    assert len(forms) > 15
    for path in forms:
        address = re.sub(r"{\w+}", "1", path.replace("{kind}", "companies"))
        await office.get("/outreach/account")
        forged = await office.send(address, {"csrf": "forged"})
        foreign = await office.send(address, headers={"Sec-Fetch-Site": "cross-site"})
        assert (forged.status_code, foreign.status_code) == (403, 403), path


async def test_a_campaign_is_opened_and_a_double_click_opens_it_once(office, store):
    await office.get("/outreach/campaigns/new")
    first = await office.send("/outreach/campaigns/new", CAMPAIGN)
    second = await office.send("/outreach/campaigns/new", CAMPAIGN)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    kept = await store.db.campaigns.find_one({})
    assert kept["booking_from"].isoformat() == "2026-11-15T07:00:00+00:00", "wall time in Berlin"
    page = await office.get(first.headers["location"])
    assert "Muster-Kampagne" in page.text and "The campaign is saved." in page.text
    path = first.headers["location"].partition("?")[0]
    assert "is saved" not in (await office.get(path)).text
    await office.get(f"{path}/change")
    changed = await office.send(f"{path}/change", {**CAMPAIGN, "name": "Anders"})
    assert changed.headers["location"] == f"{path}?done=saved"
    page = await office.get(changed.headers["location"])
    assert "Anders" in page.text and "What you see here holds from now on." in page.text


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        (f"{PUBLIC_URL}/outreach/schools?district=05970&q=", "/outreach/schools?district=05970&amp;q="),
        (f"{PUBLIC_URL}/outreach/schools?done=saved", "/outreach/schools"),
        (f"{PUBLIC_URL}/outreach/people?q=1", "/outreach/schools"),
        ("https://elsewhere.example/outreach/schools?district=05970", "/outreach/schools"),
        ("", "/outreach/schools"),
    ],
)
async def test_the_way_back_to_a_list_keeps_its_filters(office, store, came_from, back):
    await store.insert("schools", school())
    page = await office.client.get("/outreach/schools/100001", headers={"Referer": came_from})
    assert page.status_code == 200 and f'<p class="crumb"><a href="{back}">' in page.text


async def test_a_form_with_faults_comes_back_with_reasons_and_what_was_typed(office):
    await office.get("/outreach/campaigns/new")
    answer = await office.send("/outreach/campaigns/new", {**CAMPAIGN, "ends_on": "2026-10-01", "name": "Getippt"})
    assert answer.status_code == 422
    assert 'value="Getippt"' in answer.text
    wrong = re.search(r'id="ends_on-error">(.+?)</p>', answer.text)
    assert wrong and "The campaign must not end before it starts." in wrong[1]
    assert re.search(r'value="05958" checked', answer.text)


async def test_the_campaigns_page_shows_figures_and_bars_drawn_by_attributes(office, running, store):
    await office.get("/outreach/campaigns/new")
    path = (await office.send("/outreach/campaigns/new", CAMPAIGN)).headers["location"].partition("?")[0]
    on = slot(offer(path.rsplit("/", 1)[1]))
    await running.app.state.dispatcher.receive(confirmed(registration(on, 1, 24)).to_wire(), 1)
    page = await office.get(path)
    assert '<rect width="120" height="12" rx="3" fill="currentColor" opacity="0.75"/>' in page.text
    assert re.search(r"<dt>Pupils in these groups</dt><dd>24</dd>", page.text)


async def test_an_upload_is_looked_at_confirmed_and_imported_once(office, store):
    await office.get("/outreach/imports")
    broken = REGISTER.replace(b'"EPSG:25832";"4', b'"EPSG:25832";"x4', 1)
    sent = await office.send("/outreach/imports", files={"file": ("schuldaten.csv", broken, "text/csv")})
    assert sent.status_code == 303
    page = await office.get(sent.headers["location"])
    assert "Nothing has been written yet." in page.text
    assert "Import 481 schools now" in page.text
    assert await store.db.schools.count_documents({}) == 0
    for _ in range(2):
        assert (await office.send(sent.headers["location"])).status_code == 303
    assert await store.db.schools.count_documents({}) == 481
    done = await office.get(sent.headers["location"])
    assert "The import is done" in done.text
    kept = await store.db.uploads.find_one({})
    assert (kept["register"], kept["pupils"]) == (None, None), "the file itself is gone"


async def test_looking_at_an_upload_reads_it_once_and_not_where_others_are_answered(office, monkeypatch):
    read_in: list[threading.Thread] = []

    def counted(*files: Any) -> RegisterFile:
        read_in.append(threading.current_thread())
        return parse_register(*files)

    monkeypatch.setattr(schools, "parse_register", counted)
    await office.get("/outreach/imports")
    sent = await office.send("/outreach/imports", files={"file": ("schuldaten.csv", REGISTER, "text/csv")})
    for _ in range(2):
        page = await office.get(sent.headers["location"])
        assert "Nothing has been written yet." in page.text and "Import 482 schools now" in page.text
    assert len(read_in) == 1 and threading.main_thread() not in read_in


async def test_an_upload_is_forgotten_after_an_hour(office, clock, store):
    await office.get("/outreach/imports")
    sent = await office.send("/outreach/imports", files={"file": ("schuldaten.csv", REGISTER, "text/csv")})
    clock.forward(timedelta(hours=1))
    assert (await office.get(sent.headers["location"])).status_code == 404


async def test_a_file_that_is_no_register_is_refused_where_it_was_chosen(office):
    for files in ({"file": ("x.csv", b"hello", "text/csv")}, {"file": ("", b"", "text/csv")}):
        await office.get("/outreach/imports")
        answer = await office.send("/outreach/imports", files=files)
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.text


async def test_a_key_is_shown_once_and_the_list_shows_none(office):
    await office.get("/outreach/api-keys")
    shown = await office.send("/outreach/api-keys", {"name": "Programm", "scopes": ["events:read"]})
    assert (shown.status_code, shown.headers["cache-control"]) == (201, "no-store")
    assert "psk_" in shown.text
    listed = await office.get("/outreach/api-keys")
    assert "Programm" in listed.text
    assert "psk_" not in listed.text


async def test_a_message_that_is_set_aside_is_shown_and_handled_again_when_its_cause_is_gone(office, running, store):
    good = confirmed(registration(slot(offer("c")), 1)).to_wire()
    bad = {**good, "data": {}}
    await running.app.state.dispatcher.receive(bad, 99)
    listed = await office.get("/outreach/messages")
    assert "RegistrationConfirmed.v1" in listed.text
    page = await office.get(f"/outreach/messages/{good['id']}")
    assert "1 validation error" in page.text
    again = await office.send(f"/outreach/messages/{good['id']}/replay")
    assert again.headers["location"].endswith(good["id"]), "its cause is still there"
    await store.db.set_aside.update_one({"_id": good["id"]}, {"$set": {"wire": good}})
    await office.get("/outreach/messages")
    replayed = await office.send("/outreach/messages/replay")
    assert "1 worked, 0 failed" in (await office.get(replayed.headers["location"])).text
    assert await store.db.set_aside.count_documents({}) == 0
    assert await store.db.report_registrations.count_documents({}) == 1


async def test_a_person_is_erased_in_two_steps(office, teacher):
    page = await office.get(f"/outreach/people/{teacher}/erase")
    assert "This cannot be undone." in page.text
    assert (await office.send(f"/outreach/people/{teacher}/erase")).status_code == 303
    assert "Name and address are erased." in (await office.get(f"/outreach/people/{teacher}")).text


async def test_a_teacher_enters_the_movable_days_of_her_school(sign_in, teacher, store):
    browser = await sign_in(teacher)
    await browser.get("/outreach/schools/100022")
    days = {"days": ["2027-02-08", "2027-05-14", ""]}
    assert (await browser.send("/outreach/schools/100022/movable-days", days)).status_code == 303
    assert (await store.db.schools.find_one({"_id": "100022"}))["movable_days"] == ["2027-02-08", "2027-05-14"]
    assert "8 February 2027" in (await browser.get("/outreach/schools/100022")).text


async def test_movable_days_that_cannot_be_kept_stay_as_they_were_ticked_and_typed(sign_in, teacher, store):
    known = [f"2027-02-{day:02}" for day in range(1, 22)]
    await store.db.schools.update_one({"_id": "100022"}, {"$set": {"movable_days": known}})
    browser = await sign_in(teacher)
    await browser.get("/outreach/schools/100022")
    page = await browser.send("/outreach/schools/100022/movable-days", {"days": [*known[1:], "2027-05-14"]})
    assert page.status_code == 422
    assert re.findall(r'value="(\d{4}-\d\d-\d\d)" checked', page.text) == known[1:]
    assert re.search(
        r'<input type="date"\s+id="days"[^>]*aria-describedby="days-error"[^>]*value="2027-05-14"', page.text
    )
    assert 'id="days-error"' in page.text


async def test_a_company_that_takes_part_no_more_stays_so_when_another_field_is_wrong(office, store):
    contact = {"contact.name": "Kai Muster", "contact.email": "kai@firma.example", "contact.language": "de"}
    company = {"name": "Beispiel GmbH", "street": "Weg 1", "postal_code": "59821", "town": "Arnsberg"}
    await office.get("/outreach/companies/new")
    path = (await office.send("/outreach/companies/new", {**company, **contact})).headers["location"]
    assert re.search(r'name="active"[^>]*checked', (await office.get(path)).text)
    page = await office.send(path, {**company, "postal_code": "nowhere"})
    assert page.status_code == 422
    assert not re.search(r'name="active"[^>]*checked', page.text)
