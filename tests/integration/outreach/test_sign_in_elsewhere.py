"""Signing in with an account elsewhere: against a real OpenID Connect provider that these tests start."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
from authlib.integrations.starlette_client import StarletteOAuth2App

from services.outreach.app import create_app
from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.domain.sign_in import NotKnownHere
from services.outreach.settings import Settings
from services.outreach.usecases.people import enter_person
from services.outreach.usecases.sign_in import sign_in_by_provider
from services.outreach.web.oidc import PAGE
from shared.web.callers import SESSION_COOKIE
from tests.integration.outreach.conftest import PUBLIC_URL, Browser, http
from tests.support.oidc import consent, query_of, running_provider, with_query
from tests.support.outreach import COORDINATOR, NOW, SECRET

pytestmark = pytest.mark.processes_only

ALIAS = "School account"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider."""
    with running_provider() as address:
        yield address


@pytest.fixture
async def application(running, mongodb_url, issuer):
    """The running application, as it is when a provider is configured."""

    def with_issuer(address: str):
        prefix = running.store.db.name.removesuffix("_outreach")
        settings = Settings(
            mongodb_url=mongodb_url, nats_url="nats://127.0.0.1:1", secret_key=SECRET, public_url=PUBLIC_URL,
            database_prefix=prefix, oidc_issuer=address, oidc_client_id="perspektive", oidc_client_secret="secret",
            oidc_label=ALIAS,
        )  # fmt: skip
        return create_app(settings, running.clock)

    return with_issuer


@pytest.fixture
async def visitor(application, issuer) -> AsyncIterator[Browser]:
    """A browser in which nobody is signed in."""
    async with http(application(issuer), **{"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}) as client:
        client.cookies.set("perspektive_language", "en")
        yield Browser(client)


@pytest.fixture
async def toni(store):
    roles = [RoleGiven(kind="operator")]
    command = EnterPerson(name="Toni Muster", email="Toni@Schule.example", roles=roles)
    return await enter_person(store, COORDINATOR, command, now=NOW, request_id="toni")


async def begin(visitor: Browser, path: str = PAGE) -> str:
    answer = await visitor.client.get(path)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def callback(back: str) -> str:
    assert back.startswith(f"{PUBLIC_URL}{PAGE}/callback?"), back
    return back.removeprefix(PUBLIC_URL)


async def walk(visitor: Browser, who: str = "toni", path: str = PAGE):
    return await visitor.client.get(callback(await consent(await begin(visitor, path), who)))


async def test_a_verified_address_that_the_register_knows_signs_in_and_leads_on(visitor, toni):
    page = await visitor.get("/outreach/sign-in?next=/events/slots/1")
    link = f"{PAGE}?next=%2Fevents%2Fslots%2F1"
    assert f"Sign in with {ALIAS}" in page.text and link in page.text
    answer = await walk(visitor, path=link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/events/slots/1")
    assert "Toni Muster" in (await visitor.get("/outreach/account")).text


async def test_who_signs_in_by_the_provider_over_somebody_else_ends_that_session(visitor, toni, store, running):
    roles = [RoleGiven(kind="operator")]
    other = await enter_person(
        store, COORDINATOR, EnterPerson(name="Olga Vorher", email="olga@schule.example", roles=roles),
        now=NOW, request_id="olga",
    )  # fmt: skip
    copied = running.app.state.sessions.open(other.id, other.session_epoch)
    visitor.client.cookies.set(SESSION_COOKIE, copied)
    assert "Olga Vorher" in (await visitor.get("/outreach/account")).text
    assert (await walk(visitor)).status_code == 303
    assert len((await store.db.people.find_one({"_id": other.id}))["ended_sessions"]) == 1
    assert "Toni Muster" in (await visitor.get("/outreach/account")).text
    running.app.state.directory._kept.clear()
    async with http(running.app) as elsewhere:
        elsewhere.cookies.set(SESSION_COOKIE, copied)
        assert (await elsewhere.get("/outreach/account")).status_code == 303


async def test_the_way_to_the_provider_carries_state_nonce_and_a_challenge(visitor):
    asked = query_of(await begin(visitor))
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid email" and asked["redirect_uri"] == f"{PUBLIC_URL}{PAGE}/callback"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 20


async def refused(visitor: Browser, answer, status: int, sentence: str) -> None:
    assert answer.status_code == status, answer.text
    assert sentence in answer.text.replace("&#39;", "'")
    assert SESSION_COOKIE not in visitor.client.cookies


async def test_a_state_that_this_browser_was_not_given_is_refused(visitor, toni):
    back = callback(await consent(await begin(visitor), "toni"))
    answer = await visitor.client.get(with_query(back, state="guessed"))
    await refused(visitor, answer, 400, "did not work, or took too long")


async def test_a_code_brought_to_another_browser_signs_nobody_in(visitor, toni, application, issuer):
    back = callback(await consent(await begin(visitor), "toni"))
    async with http(application(issuer)) as other:
        answer = await other.get(back)
    await refused(visitor, answer, 400, "")
    assert SESSION_COOKIE not in other.cookies


async def test_a_token_for_another_nonce_is_refused(visitor, toni):
    asked = await begin(visitor)
    back = callback(await consent(with_query(asked, nonce="of-another-sign-in"), "toni"))
    await refused(visitor, await visitor.client.get(back), 400, "did not work, or took too long")


async def test_the_way_back_works_once(visitor, toni):
    back = callback(await consent(await begin(visitor), "toni"))
    kept = dict(visitor.client.cookies)
    assert (await visitor.client.get(back)).status_code == 303
    visitor.client.cookies.clear()
    for name, value in kept.items():
        visitor.client.cookies.set(name, value, path=PAGE)
    await refused(visitor, await visitor.client.get(back), 400, "")


@pytest.mark.parametrize("who", ["unverified", "silent"])
async def test_an_address_that_the_provider_did_not_verify_signs_nobody_in(visitor, toni, who):
    await refused(visitor, await walk(visitor, who), 403, "has not been verified")


@pytest.mark.parametrize("who", ["stranger", "nameless"])
async def test_who_is_not_in_the_register_is_told_whom_to_ask_and_not_entered(visitor, toni, store, who):
    before = await store.db.people.count_documents({})
    await refused(visitor, await walk(visitor, who), 403, "We do not know you yet")
    assert await store.db.people.count_documents({}) == before


async def test_somebody_who_is_neither_teacher_nor_staff_has_a_mail_sent_instead(visitor, store):
    await store.db.companies.insert_one({"_id": "c1", "name": "Musterwerk"})
    roles = [RoleGiven(kind="company", organisation_id="c1")]
    command = EnterPerson(name="Alex", email="alex@musterwerk.example", roles=roles)
    await enter_person(store, COORDINATOR, command, now=NOW, request_id="alex")
    await refused(visitor, await walk(visitor, "company"), 403, "We do not know you yet")


async def test_saying_no_at_the_provider_leads_back_to_the_sign_in_page(visitor, toni):
    back = await consent(await begin(visitor), "toni", action="deny")
    answer = await visitor.client.get(f"{PAGE}/callback?{back.partition('?')[2]}")
    await refused(visitor, answer, 400, "Please begin again, or have a mail sent")


async def test_a_provider_that_is_down_leaves_the_mail_as_the_way_in(application):
    async with http(application("http://127.0.0.1:9"), **{"Accept-Language": "en"}) as client:
        answer = await client.get(PAGE)
    assert answer.status_code == 503
    assert "does not answer at the moment" in answer.text and "Send the mail" in answer.text


async def test_a_provider_that_goes_down_on_the_way_back_signs_nobody_in(application, toni):
    with ExitStack() as stack:
        issuer = stack.enter_context(running_provider())
        async with http(application(issuer), **{"Accept-Language": "en"}) as client:
            back = callback(await consent(await begin(Browser(client)), "toni"))
            stack.close()
            answer = await client.get(back)
            await refused(Browser(client), answer, 503, "does not answer at the moment")


async def test_a_provider_that_answers_nonsense_signs_nobody_in(visitor, toni, monkeypatch):
    async def a_list(*_, **__):
        return ["toni@schule.example"]

    back = callback(await consent(await begin(visitor), "toni"))
    monkeypatch.setattr(StarletteOAuth2App, "authorize_access_token", a_list)
    await refused(visitor, await visitor.client.get(back), 400, "did not work, or took too long")


async def test_only_the_very_address_signs_in_and_none_that_folds_to_it(store):
    for name in ("toni.weiß@schule.example", "toni@schule.example"):
        command = EnterPerson(name="Toni", email=name, roles=[RoleGiven(kind="operator")])
        await enter_person(store, COORDINATOR, command, now=NOW, request_id=name)
    for told in ("toni.weiss@schule.example", "TONI.WEISS@schule.example", "toni.weiß@schule.example"):
        with pytest.raises(NotKnownHere):
            await sign_in_by_provider(store, told, True, back_to="/", client="x", now=NOW)
    assert await sign_in_by_provider(store, " Toni@schule.example", True, back_to="/", client="x", now=NOW)


async def test_without_a_provider_there_is_no_button_and_no_page(browser):
    assert "Sign in with" not in (await browser.get("/outreach/sign-in")).text
    for path in (PAGE, f"{PAGE}/callback?code=1&state=2"):
        assert (await browser.get(path)).status_code == 404


async def test_a_browser_cannot_have_the_provider_asked_without_end(visitor, toni, store, monkeypatch):
    monkeypatch.setattr("services.outreach.usecases.sign_in.BY_PROVIDER_PER_CLIENT", 1)
    assert (await walk(visitor)).status_code == 303
    answer = await walk(visitor)
    assert answer.status_code == 429 and "Too many attempts" in answer.text
