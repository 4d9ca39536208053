"""The own account, sessions that end, and the coordinator's pages for people, roles and keys."""

from datetime import timedelta

import pytest

from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.domain.sign_in import SignInCodeNotValid, SignInCodeUsedUp
from services.outreach.usecases.account import sign_out
from services.outreach.usecases.bootstrap import ensure_api_key
from services.outreach.usecases.people import enter_person
from services.outreach.usecases.sign_in import (
    AskForSignIn,
    ask_for_sign_in,
    make_sign_in_link,
    sign_in_by_code,
    sign_in_by_link,
)
from shared.auth import Directory
from shared.schemas.outreach import PersonChanged
from shared.web.callers import SESSION_COOKIE
from tests.support.outreach import COORDINATOR, NOW

pytestmark = pytest.mark.processes_only

SCHOOL = "100001"


@pytest.fixture
async def school(store):
    row = {"_id": SCHOOL, "name": "Gesamtschule Musterstadt", "short_name": "Musterstadt, GE", "town": "Musterstadt"}
    await store.db.schools.insert_one({**row, "open": True, "search": "100001 gesamtschule musterstadt"})


@pytest.fixture
async def toni(store, school):
    roles = [RoleGiven(kind="teacher", organisation_id=SCHOOL)]
    command = EnterPerson(name="Toni Muster", email="toni@schule.example", roles=roles)
    return await enter_person(store, COORDINATOR, command, now=NOW, request_id="toni")


async def said(store):
    rows = store.db.outbox.find({"subject": "outreach.PersonChanged.v1"}).sort("order", 1)
    return [PersonChanged.from_wire(row["wire"]) async for row in rows]


async def test_a_copy_of_the_cookie_opens_nothing_after_signing_out(running, store, toni, browser, sign_in):
    await sign_in(toni.id)
    copied = browser.client.cookies[SESSION_COOKIE]
    await browser.get("/outreach/account")
    assert (await browser.send("/outreach/sign-out")).status_code == 303
    assert SESSION_COOKIE not in browser.client.cookies
    running.app.state.directory._kept.clear()
    browser.client.cookies.set(SESSION_COOKIE, copied)
    assert (await browser.get("/outreach/account")).status_code == 303
    browser.client.cookies.clear()
    browser.client.cookies.set("perspektive_language", "en")
    await sign_in(toni.id)
    assert (await browser.get("/outreach/account")).status_code == 200, "another session goes on"


async def test_the_other_services_hear_which_session_ended(store, toni, running):
    sessions = running.app.state.sessions
    person_id, epoch, csrf = sessions.read(sessions.open(toni.id, 1))
    other = sessions.read(sessions.open(toni.id, 1))
    directory = Directory(store.db.client[f"{store.db.name}_copy"])
    await directory.copy_person((await said(store))[-1])
    here = await directory.person(person_id, epoch, csrf)
    await sign_out(store, here, now=NOW)
    await directory.copy_person((await said(store))[-1])
    assert await directory.person(person_id, epoch, csrf) is None
    assert await directory.person(*other) is not None
    await store.db.client.drop_database(f"{store.db.name}_copy")


async def test_ended_sessions_are_forgotten_when_their_cookies_are_too_old(store, toni, running):
    for hour in (0, 1, 14):
        csrf = f"csrf-{hour}"
        who = await Directory(store.db).person(toni.id, 1, csrf)
        await sign_out(store, who, now=NOW + timedelta(hours=hour))
    assert len((await store.db.people.find_one({"_id": toni.id}))["ended_sessions"]) == 1


async def test_the_account_says_what_is_stored_and_changes_name_and_language(store, toni, browser, sign_in):
    await sign_in(toni.id)
    page = await browser.get("/outreach/account")
    for text in ("Musterstadt, GE", "toni@schule.example", "What is stored about me", "Sign out everywhere"):
        assert text in page.text
    typed = {"name": "Toni Neu", "phone": "", "language": "en", "reminders": "last"}
    answer = await browser.send("/outreach/account", typed)
    assert (await said(store))[-1].reminders == "last"
    assert answer.status_code == 303
    assert (await said(store))[-1].name == "Toni Neu" and (await said(store))[-1].language == "en"
    assert answer.headers["set-cookie"].startswith("perspektive_language=en;")
    assert "Saved." in (await browser.get("/outreach/account?saved=yes")).text
    answer = await browser.send("/outreach/account", {"name": "a\nBcc: b", "language": "en"})
    assert answer.status_code == 422 and 'id="name-error"' in answer.text


async def test_nobody_sees_an_account_without_a_session(browser):
    for path in ("/outreach/account", "/outreach/my-organisation"):
        assert (await browser.get(path)).status_code == 303
    await browser.get("/outreach/sign-in")
    assert (await browser.send("/outreach/account", {"name": "X"})).status_code == 303


async def test_a_school_with_another_name_is_told_at_the_next_sign_in(store, toni):
    assert (await said(store))[-1].organisation_names == {SCHOOL: "Musterstadt, GE"}
    await store.db.schools.update_one({"_id": SCHOOL}, {"$set": {"short_name": "Musterstadt, Neue GE"}})
    link = await make_sign_in_link(store, toni.id, timedelta(hours=1), NOW)
    await sign_in_by_link(store, link.partition("token=")[2], now=NOW)
    assert (await said(store))[-1].organisation_names == {SCHOOL: "Musterstadt, Neue GE"}


async def test_guessing_codes_with_ever_new_mails_ends_after_thirty_a_day(store, toni):
    async def handle(number):
        command = AskForSignIn(email="toni@schule.example")
        client = f"10.0.0.{number}"
        return await ask_for_sign_in(store, command, client=client, now=NOW, request_id=str(number))

    for number in range(6):
        mail = await handle(number)
        for _ in range(5):
            with pytest.raises(SignInCodeNotValid):
                await sign_in_by_code(store, mail, "abcdef", client=f"10.0.0.{number}", now=NOW)
    last = await handle(7)
    rows = store.db.outbox.find({"subject": "outreach.SignInRequested.v1"}).sort("order", -1)
    mailed = (await rows.to_list(1))[0]["wire"]["data"]
    with pytest.raises(SignInCodeUsedUp):
        await sign_in_by_code(store, last, mailed["code"], client="10.0.0.7", now=NOW)
    assert await sign_in_by_link(store, mailed["token"], now=NOW), "the person herself still gets in"


async def test_people_are_found_by_post_and_no_name_stands_in_an_address(store, toni, coordinator, browser, sign_in):
    await sign_in(coordinator)
    page = await browser.get("/outreach/people")
    assert "Toni Muster" in page.text and 'method="post" action="/outreach/people"' in page.text
    found = await browser.send("/outreach/people", {"q": "TONI@"})
    assert "Toni Muster" in found.text and "kim.koordination@" not in found.text
    part = await browser.send("/outreach/people", {"q": "kim"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text and "Kim Koordination" in part.text


async def test_the_list_of_people_goes_on_by_post(store, coordinator, browser, sign_in):
    for number in range(60):
        roles = [RoleGiven(kind="operator")]
        command = EnterPerson(name=f"Person {number:02}", email=f"{number}@agentur.example", roles=roles)
        await enter_person(store, COORDINATOR, command, now=NOW, request_id=str(number))
    await sign_in(coordinator)
    browser.page = await browser.get("/outreach/people")
    after = browser.page.text.split('name="after" value="')[1].split('"')[0]
    rest = await browser.send("/outreach/people", {"q": "", "after": after})
    assert "Person 59" in rest.text and "Person 00" not in rest.text


async def test_a_role_is_given_by_typing_pressing_choosing(store, toni, coordinator, browser, sign_in):
    await store.db.companies.insert_one({"_id": "c1", "name": "Musterwerk Süd", "town": "Olpe", "active": True})
    await sign_in(coordinator)
    path = f"/outreach/people/{toni.id}/add-role"
    assert "Musterwerk" not in (await browser.get(path)).text
    assert "Musterwerk Süd, Olpe" in (await browser.get(f"{path}?kind=company&q=süd muster")).text
    answer = await browser.send(path, {"kind": "company", "organisation_id": "c1"})
    assert answer.status_code == 303
    assert {role.kind for role in (await said(store))[-1].roles} == {"teacher", "company"}
    for wrong in ({"kind": "company", "organisation_id": SCHOOL}, {"kind": "queen"}, {"kind": "teacher"}):
        assert (await browser.send(path, {"organisation_id": "", **wrong})).status_code == 422


async def test_who_signs_in_over_somebody_else_ends_that_session(running, toni, coordinator, browser, sign_in):
    await sign_in(toni.id)
    copied = browser.client.cookies[SESSION_COOKIE]
    await sign_in(coordinator)
    assert (await browser.get("/outreach/account")).status_code == 200
    running.app.state.directory._kept.clear()
    browser.client.cookies.clear()
    browser.client.cookies.set(SESSION_COOKIE, copied)
    assert (await browser.get("/outreach/account")).status_code == 303


async def test_a_wrong_address_is_put_right_and_the_sessions_of_the_former_one_end(
    running, store, toni, coordinator, browser, sign_in
):
    await sign_in(toni.id)
    theirs = browser.client.cookies[SESSION_COOKIE]
    browser.client.cookies.clear()
    browser.client.cookies.set("perspektive_language", "en")
    await sign_in(coordinator)
    path = f"/outreach/people/{toni.id}/change"
    assert 'value="toni@schule.example"' in (await browser.get(path)).text
    fields = {"name": "Toni Muster", "email": "toni.muster@schule.example", "phone": "", "language": "en"}
    assert (await browser.send(path, fields)).status_code == 303
    assert [(each.email, each.language) for each in await said(store)][-1] == ("toni.muster@schule.example", "en")
    kim = (await store.db.people.find_one({"_id": coordinator}))["email"]
    await browser.get(path)
    taken = await browser.send(path, {**fields, "email": kim})
    assert taken.status_code == 422 and "Somebody else has this e-mail address" in taken.text
    running.app.state.directory._kept.clear()
    browser.client.cookies.clear()
    browser.client.cookies.set(SESSION_COOKIE, theirs)
    assert (await browser.get("/outreach/account")).status_code == 303


async def test_a_role_is_taken_away_in_two_steps(store, toni, coordinator, browser, sign_in):
    await sign_in(coordinator)
    path = f"/outreach/people/{toni.id}/remove-role"
    asked = await browser.get(f"{path}?kind=teacher&organisation_id={SCHOOL}")
    assert asked.status_code == 200 and "erased after 30 days" in asked.text
    assert (await store.db.people.find_one({"_id": toni.id}))["roles"]
    assert (await browser.send(path, {"kind": "teacher", "organisation_id": SCHOOL})).status_code == 303
    assert not (await store.db.people.find_one({"_id": toni.id}))["roles"]
    assert (await browser.get(f"{path}?kind=teacher&organisation_id={SCHOOL}")).status_code == 409


@pytest.mark.parametrize("forged", [{"kind": "queen"}, {"kind": ""}, {"kind": "teacher", "colour": "red"}])
async def test_a_forged_form_for_a_role_is_no_error_of_ours(store, toni, coordinator, browser, sign_in, forged):
    await sign_in(coordinator)
    await browser.get(f"/outreach/people/{toni.id}")
    assert (await browser.send(f"/outreach/people/{toni.id}/remove-role", forged)).status_code == 422


async def test_a_key_is_revoked_in_two_steps(store, coordinator, browser, sign_in):
    await ensure_api_key(store, "Programm", NOW)
    key = await store.db.api_keys.find_one({})
    await sign_in(coordinator)
    assert f"/outreach/api-keys/{key['_id']}/revoke" in (await browser.get("/outreach/api-keys")).text
    assert "Revoke the key" in (await browser.get(f"/outreach/api-keys/{key['_id']}/revoke")).text
    assert not (await store.db.api_keys.find_one({}))["revoked"]
    assert (await browser.send(f"/outreach/api-keys/{key['_id']}/revoke")).status_code == 303
    assert (await store.db.api_keys.find_one({}))["revoked"]
    again = await browser.send(f"/outreach/api-keys/{key['_id']}/revoke", {"request_id": "another"})
    assert again.status_code == 409


ROUTES = [
    ("GET", "/outreach/people"), ("POST", "/outreach/people"), ("GET", "/outreach/people/{toni}"),
    ("GET", "/outreach/people/{toni}/change"), ("POST", "/outreach/people/{toni}/change"),
    ("GET", "/outreach/people/{toni}/add-role"), ("GET", "/outreach/people/{toni}/add-role?kind=teacher&q=muster"),
    ("POST", "/outreach/people/{toni}/add-role"), ("POST", "/outreach/people/{toni}/remove-role"),
    ("GET", "/outreach/people/{toni}/remove-role?kind=teacher&organisation_id=100001"),
    ("GET", "/outreach/api-keys/any/revoke"), ("POST", "/outreach/api-keys/any/revoke"),
]  # fmt: skip
FIELDS = {"kind": "teacher", "organisation_id": SCHOOL}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_people_roles_and_keys_are_the_coordinators(store, toni, browser, sign_in, method, path):
    path = path.format(toni=toni.id)
    await browser.get("/outreach/sign-in")
    answer = await (browser.get(path) if method == "GET" else browser.send(path, FIELDS))
    assert answer.headers["location"].startswith("/outreach/sign-in")
    await sign_in(toni.id)
    await browser.get("/outreach/account")
    answer = await (browser.get(path) if method == "GET" else browser.send(path, FIELDS))
    assert answer.status_code == 403
    assert (await store.db.people.find_one({"_id": toni.id}))["roles"]
