import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from services.outreach.domain.people import EnterPerson, PersonNotFound, RoleGiven
from services.outreach.domain.sign_in import (
    SignInCodeNotValid,
    SignInCodeUsedUp,
    SignInLinkNotValid,
    TooManySignIns,
)
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.people import enter_person, erase_person
from services.outreach.usecases.sign_in import (
    AskForSignIn,
    ask_for_sign_in,
    make_sign_in_link,
    sign_in_by_code,
    sign_in_by_link,
)
from shared.web.callers import SESSION_COOKIE
from tests.support.outreach import COORDINATOR, NOW

EMAIL = "toni@agentur.example"


@pytest.fixture
async def person(store):
    command = EnterPerson(name="Toni Muster", email=EMAIL, roles=[RoleGiven(kind="operator")])
    return await enter_person(store, COORDINATOR, command, now=NOW, request_id="person")


async def ask(store, email=EMAIL, request_id="ask", client="10.0.0.1", now=NOW):
    return await ask_for_sign_in(store, AskForSignIn(email=email), client=client, now=now, request_id=request_id)


async def mails(store):
    return [row["wire"]["data"] async for row in store.db.outbox.find({"subject": "outreach.SignInRequested.v1"})]


async def test_the_mailed_link_signs_in_once(store, person):
    await ask(store)
    token = (await mails(store))[0]["token"]
    assert (await sign_in_by_link(store, token, now=NOW)).person.id == person.id
    with pytest.raises(SignInLinkNotValid):
        await sign_in_by_link(store, token, now=NOW)


async def test_of_twenty_clicks_at_once_on_a_link_one_signs_in(store, person):
    await ask(store)
    token = (await mails(store))[0]["token"]
    clicks = (sign_in_by_link(store, token, now=NOW) for _ in range(20))
    outcomes = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, SignInLinkNotValid) for outcome in outcomes) == 19


async def test_the_link_is_valid_to_the_last_second_of_a_quarter_of_an_hour(store, person):
    await ask(store)
    token = (await mails(store))[0]["token"]
    with pytest.raises(SignInLinkNotValid):
        await sign_in_by_link(store, token, now=NOW + timedelta(minutes=15))
    assert await sign_in_by_link(store, token, now=NOW + timedelta(minutes=14, seconds=59))


async def test_the_code_signs_in_where_it_was_asked_for_and_uses_the_link_up(store, person):
    handle = await ask(store)
    mail = (await mails(store))[0]
    with pytest.raises(SignInCodeUsedUp):
        await sign_in_by_code(store, "another browser", mail["code"], client="10.0.0.1", now=NOW)
    spaced = f" {mail['code'][:3]} {mail['code'][3:]}"
    assert (await sign_in_by_code(store, handle, spaced, client="10.0.0.1", now=NOW)).person.id == person.id
    with pytest.raises(SignInLinkNotValid):
        await sign_in_by_link(store, mail["token"], now=NOW)


async def test_after_five_wrong_codes_the_right_one_is_refused_too(store, person):
    handle = await ask(store)
    code = (await mails(store))[0]["code"]
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(SignInCodeNotValid):
            await sign_in_by_code(store, handle, wrong, client="10.0.0.1", now=NOW)
    with pytest.raises(SignInCodeUsedUp):
        await sign_in_by_code(store, handle, code, client="10.0.0.1", now=NOW)


async def test_fifty_guesses_at_once_are_five_attempts(store, person):
    handle = await ask(store)
    code = int((await mails(store))[0]["code"])
    guesses = [f"{(code + 1 + n) % 10**6:06d}" for n in range(50)]
    outcomes = await asyncio.gather(
        *(sign_in_by_code(store, handle, guess, client="10.0.0.1", now=NOW) for guess in guesses),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, SignInCodeNotValid) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, SignInCodeUsedUp) for outcome in outcomes) == 45


async def test_an_unknown_address_gets_no_mail_and_looks_the_same(store, person):
    handle = await ask(store, "nobody@nowhere.example")
    assert await mails(store) == []
    for _ in range(5):
        with pytest.raises(SignInCodeNotValid):
            await sign_in_by_code(store, handle, "123456", client="10.0.0.1", now=NOW)
    with pytest.raises(SignInCodeUsedUp):
        await sign_in_by_code(store, handle, "123456", client="10.0.0.1", now=NOW)


async def test_the_store_holds_neither_token_nor_code(store, person):
    handle = await ask(store)
    mail = (await mails(store))[0]
    kept = str(await store.db.sign_ins.find().to_list(None))
    assert mail["token"] not in kept
    assert mail["code"] not in kept
    assert handle not in kept


async def test_the_same_form_sent_twice_sends_one_mail(store, person):
    assert await ask(store) == await ask(store)
    assert len(await mails(store)) == 1


@pytest.mark.parametrize("email", [EMAIL, "nobody@nowhere.example"])
async def test_a_clients_sixth_mail_to_an_address_within_an_hour_is_refused_whether_known_or_not(store, person, email):
    for number in range(5):
        await ask(store, email.upper() if number % 2 else email, f"ask {number}")
    with pytest.raises(TooManySignIns) as refused:
        await ask(store, email, "ask 6")
    assert refused.value.values["seconds"] <= 3600
    assert await ask(store, email, "next hour", now=NOW + timedelta(hours=1))


async def test_nobody_is_locked_out_by_what_one_stranger_asks_for(store, person):
    for number in range(40):
        with suppress(TooManySignIns):
            await ask(store, EMAIL, f"stranger {number}", "10.0.0.66")
    assert await ask(store, EMAIL, "in person")


@pytest.mark.parametrize("email", [EMAIL, "nobody@nowhere.example"])
async def test_an_address_gets_thirty_mails_an_hour_from_however_many_clients(store, person, email):
    for number in range(30):
        await ask(store, email.upper() if number % 2 else email, f"ask {number}", f"10.0.0.{number}")
    with pytest.raises(TooManySignIns):
        await ask(store, email, "ask 31", "10.0.1.1")
    assert await ask(store, email, "next hour", now=NOW + timedelta(hours=1))


async def test_one_client_cannot_have_mails_sent_without_end(store, person):
    for number in range(60):
        await ask(store, f"{number}@schule.example", str(number))
    with pytest.raises(TooManySignIns):
        await ask(store, "61@schule.example", "61")
    assert await ask(store, "61@schule.example", "61", client="10.0.0.2")


async def test_counters_do_not_hold_the_address(store, person):
    await ask(store)
    assert "toni" not in str(await store.db.counters.find().to_list(None))


async def test_a_link_made_in_the_process_lasts_as_long_as_said_and_works_once(store, person):
    path = await make_sign_in_link(store, person.id, timedelta(hours=12), NOW)
    token = path.partition("token=")[2]
    assert await sign_in_by_link(store, token, now=NOW + timedelta(hours=11))
    with pytest.raises(SignInLinkNotValid):
        await sign_in_by_link(store, token, now=NOW + timedelta(hours=11))
    with pytest.raises(PersonNotFound):
        await make_sign_in_link(store, "nobody", timedelta(hours=12), NOW)


async def test_somebody_who_was_erased_since_the_mail_cannot_sign_in(store, person):
    path = await make_sign_in_link(store, person.id, timedelta(hours=12), NOW)
    await erase_person(store, COORDINATOR, person.id, now=NOW, request_id="erase")
    with pytest.raises(SignInLinkNotValid):
        await sign_in_by_link(store, path.partition("token=")[2], now=NOW)


async def test_expired_mails_lose_address_token_and_code_in_the_outbox(store, person):
    await ask(store)
    await store.db.outbox.update_many({}, {"$set": {"published": True}})
    await erase_due(store, now=NOW + timedelta(minutes=14))
    assert (await mails(store))[0]["token"]
    await erase_due(store, now=NOW + timedelta(minutes=15))
    mail = (await mails(store))[0]
    assert [mail[name] for name in ("token", "code", "email", "name")] == ["", "", "", ""]
    assert await store.db.sign_ins.count_documents({}) == 0


async def test_opening_the_link_shows_a_button_and_uses_nothing_up(store, person, browser):
    link = await make_sign_in_link(store, person.id, timedelta(hours=12), NOW)
    for _ in range(3):
        page = await browser.get(link)
        assert page.status_code == 200
        assert SESSION_COOKIE not in browser.client.cookies
    assert (await browser.client.head(link)).status_code == 200
    answer = await browser.send("/outreach/sign-in/link")
    assert (answer.status_code, answer.headers["location"]) == (303, "/notify/")
    assert SESSION_COOKIE in browser.client.cookies


async def test_signing_in_by_code_leads_back_to_the_page_that_was_asked_for(store, person, browser):
    await browser.get("/outreach/sign-in?next=/events/slots/1")
    sent = await browser.send("/outreach/sign-in", {"email": EMAIL})
    await browser.get(sent.headers["location"])
    code = (await mails(store))[0]["code"]
    answer = await browser.send("/outreach/sign-in/code", {"code": code})
    assert (answer.status_code, answer.headers["location"]) == (303, "/events/slots/1")


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
async def test_a_link_cannot_lead_to_another_origin_after_signing_in(store, person, browser, target):
    await browser.get(f"/outreach/sign-in?next={target}")
    sent = await browser.send("/outreach/sign-in", {"email": EMAIL, "next": target})
    await browser.get(sent.headers["location"])
    answer = await browser.send("/outreach/sign-in/code", {"code": (await mails(store))[0]["code"]})
    assert answer.headers["location"] == "/notify/"


async def test_known_and_unknown_addresses_get_the_same_page(store, person, browser):
    pages = []
    for email in (EMAIL, "nobody@nowhere.example"):
        await browser.get("/outreach/sign-in")
        sent = await browser.send("/outreach/sign-in", {"email": email})
        page = await browser.get(sent.headers["location"])
        handle = sent.headers["location"].partition("request=")[2]
        pages.append([line for line in page.text.splitlines() if handle not in line and "request_id" not in line])
    assert pages[0] == pages[1]


async def test_too_many_mails_are_answered_with_429_and_a_sentence(store, person, browser):
    for _ in range(6):
        await browser.get("/outreach/sign-in")
        answer = await browser.send("/outreach/sign-in", {"email": EMAIL})
    assert answer.status_code == 429
    assert "Too many mails were asked for." in answer.text


async def test_a_form_from_another_site_signs_nobody_in(store, person, browser):
    await browser.get(await make_sign_in_link(store, person.id, timedelta(hours=12), NOW))
    answer = await browser.send("/outreach/sign-in/link", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert SESSION_COOKIE not in browser.client.cookies


async def test_signing_out_ends_the_session_here_and_everywhere_ends_it_on_every_machine(
    running, person, browser, sign_in
):
    await sign_in(person.id)
    page = await browser.get("/outreach/account")
    assert "Toni Muster" in page.text
    stolen = browser.client.cookies[SESSION_COOKIE]
    await browser.send("/outreach/sign-out-everywhere")
    running.app.state.directory._kept.clear()
    browser.client.cookies.set(SESSION_COOKIE, stolen)
    assert (await browser.get("/outreach/account")).status_code == 303
    browser.client.cookies.delete(SESSION_COOKIE)
    await sign_in(person.id)
    await browser.get("/outreach/account")
    await browser.send("/outreach/sign-out")
    assert SESSION_COOKIE not in browser.client.cookies


async def test_each_sign_out_ends_the_session_it_came_from(running, person, browser, sign_in):
    for _ in range(3):
        await sign_in(person.id)
        assert (await browser.get("/outreach/account")).status_code == 200
        copied = browser.client.cookies[SESSION_COOKIE]
        await browser.send("/outreach/sign-out")
        running.app.state.directory._kept.clear()
        browser.client.cookies.set(SESSION_COOKIE, copied)
        assert (await browser.get("/outreach/account")).status_code == 303, "a copy of the cookie opens nothing"
        browser.client.cookies.delete(SESSION_COOKIE)


async def test_a_changed_language_shows_the_page_again_also_when_it_answered_a_form(browser):
    await browser.get("/outreach/sign-in/sent?request=abc")
    refused = await browser.send("/outreach/sign-in/code", {"code": "000000"})
    assert refused.status_code == 422
    assert 'name="back" value="/outreach/sign-in/sent?request=abc"' in refused.text
    came = {"Referer": f"{browser.client.base_url}/outreach/sign-in?next=/events/home"}
    refused = await browser.client.post("/outreach/sign-in", data={"email": "x"}, headers=came)
    assert refused.status_code == 422 and 'value="/outreach/sign-in?next=/events/home"' in refused.text
    elsewhere = {"Referer": "https://elsewhere.example/outreach/sign-in"}
    refused = await browser.client.post("/outreach/sign-in", data={"email": "x"}, headers=elsewhere)
    assert refused.status_code == 422 and "elsewhere" not in refused.text


async def test_an_address_that_only_takes_a_form_says_so_on_a_page(browser):
    answer = await browser.get("/outreach/sign-in/code")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "This address only takes a form." in answer.text and "<h1>" in answer.text


async def test_the_way_through_signing_in_keeps_the_address_with_its_query(browser):
    answer = await browser.get("/outreach/people?kind=teacher&q=muster")
    assert answer.headers["location"] == "/outreach/sign-in?next=/outreach/people%3Fkind%3Dteacher%26q%3Dmuster"
    came = {"Referer": f"{browser.client.base_url}/outreach/account"}
    unsent = await browser.client.post("/outreach/account", data={"name": "Toni"}, headers=came)
    assert unsent.headers["location"] == "/outreach/sign-in?next=/outreach/account&unsent=yes"
    page = await browser.get(unsent.headers["location"])
    assert "Your sign-in had ended, so nothing was saved." in page.text


async def test_a_form_without_its_request_id_is_refused(person, browser, sign_in):
    await sign_in(person.id)
    await browser.get("/outreach/account")
    answer = await browser.send("/outreach/sign-out-everywhere", {"request_id": ""})
    assert answer.status_code == 403 and "too old" in answer.text
