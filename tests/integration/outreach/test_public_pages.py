"""What anybody may see of outreach, and feedback from being sent to being erased."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.events.settings import Settings as EventsSettings
from services.events.store.store import COLLECTIONS as EVENTS
from services.events.store.store import Store as EventsStore
from services.notify.settings import Settings as NotifySettings
from services.notify.store.core import COLLECTIONS as NOTIFY
from services.notify.store.core import Store as NotifyStore
from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.domain.personal_data import KEPT
from services.outreach.settings import Settings
from services.outreach.store.collections import COLLECTIONS as OUTREACH
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.people import enter_person, erase_person
from services.outreach.web.texts import FIELDS, NAMES, text
from shared.ids import random_id
from shared.mongo import create_collections, database
from shared.service import COLLECTIONS as COMMON
from shared.tally import COLLECTIONS as TALLIED
from shared.ui.language import translations
from tests.support.outreach import COORDINATOR, NOW, SECRET

pytestmark = pytest.mark.processes_only

PAGES = ("start", "imprint", "privacy", "accessibility", "accessibility/thanks")
TOLD = {"text": "Auf der Karte fehlt Olpe.", "name": "Erika Muster", "email": "erika@schule.example"}


def settings_with(**given):
    return Settings(mongodb_url="mongodb://x", nats_url="nats://x", secret_key=SECRET, **given)


@pytest.mark.parametrize("name", PAGES)
async def test_anybody_may_see(browser, name):
    page = await browser.get(f"/outreach/{name}")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1


async def test_the_start_page_names_the_first_step_of_each_and_the_funder(browser):
    page = (await browser.get("/outreach/start")).text
    for address in ("/events/", "/events/offers", "/outreach/my-visits", "/outreach/imprint", "/outreach/privacy"):
        assert f'href="{address}"' in page
    assert "Co-funded by the European Union" in page and "/outreach/funder-logo" not in page
    assert "GeoBasis-DE / BKG 2021" in page
    assert (await browser.get("/outreach/funder-logo")).status_code == 404


async def test_the_funders_logo_is_shown_when_it_is_there(running, browser, tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    before = running.app.state.settings
    running.app.state.settings = before.model_copy(update={"funder_logo": logo})
    try:
        assert 'src="/outreach/funder-logo"' in (await browser.get("/outreach/start")).text
        shown = await browser.get("/outreach/funder-logo")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/svg+xml")
    finally:
        running.app.state.settings = before


async def test_only_the_coordinator_is_told_which_settings_a_text_lacks(browser, sign_in, coordinator):
    page = (await browser.get("/outreach/imprint")).text
    assert "to be completed" in page and "OPERATOR_NAME" not in page
    await sign_in(coordinator)
    assert "<code>OPERATOR_NAME</code>" in (await browser.get("/outreach/imprint")).text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_a_text_with_all_its_settings_lacks_nothing_and_shows_them_as_text(name, language):
    facts = {field: f"<b>{field}</b>" for field in FIELDS} | {"operator_email": "agentur@region.example"}
    shown = text(settings_with(**facts), name, language)
    assert shown.missing == () and "<b>" not in shown.html and "{" not in shown.html
    assert "agentur@region.example" in shown.html
    assert text(settings_with(), name, language).missing != ()


def test_the_operators_own_text_takes_the_place_of_the_default_one(tmp_path: Path):
    (tmp_path / "imprint.de.md").write_text("# Unser Impressum\n\n<script>x</script> {OPERATOR_NAME}")
    own = settings_with(texts_dir=tmp_path, operator_name="Agentur Muster")
    assert text(own, "imprint", "de").html == (
        "<h1>Unser Impressum</h1>\n<p>&lt;script&gt;x&lt;/script&gt; Agentur Muster</p>\n"
    )
    assert "<h1>Imprint</h1>" in text(own, "imprint", "en").html


async def test_the_privacy_page_names_the_days_that_are_really_set(running, browser):
    before = running.app.state.settings
    running.app.state.settings = before.model_copy(update={"contact_kept_days": 77, "keep_people_days": 333})
    try:
        page = (await browser.get("/outreach/privacy")).text
    finally:
        running.app.state.settings = before
    assert "77 days after the date" in page and "333 days after the last sign-in" in page


async def test_the_colon_within_a_german_word_does_not_end_the_heading(browser):
    browser.client.cookies.set("perspektive_language", "de")
    page = (await browser.get("/outreach/privacy")).text
    assert "<h3>Lehrkräfte, Kontakte der Unternehmen, Botschafter:innen und Mitarbeitende</h3>" in page


def test_the_privacy_page_has_the_same_defaults_as_the_services():
    days = {"contact_kept_days": EventsSettings, "retention_days": NotifySettings}
    for name, other in {**days, "pupil_retention_days": NotifySettings}.items():
        assert Settings.model_fields[name].default == other.model_fields[name].default


def test_every_kind_of_personal_data_is_named_in_german_too():
    german = translations("de")
    for kept in KEPT:
        for words in (kept.what, kept.purpose, kept.basis, kept.until):
            assert german.gettext(words) != words, words
        assert ("{days}" in kept.until) == bool(kept.days) and (not kept.days or kept.days in Settings.model_fields)


NAMES_NOBODY = {
    "outreach": {
        "schools", "companies", "campaigns",
        "report_offers", "report_slots", "report_registrations", "report_self_found",
        "figures", "figure_members", "reach", *TALLIED,
    },
    "events": {
        "slots", "schools", "companies", "campaigns", "self_found_places", "waiting_list_log", "need_and_supply",
        *TALLIED,
    },
    "notify": {"wordings", "campaign_names", "campaigns", "schools", "feeds", "webhooks"},
}  # fmt: skip
TECHNICAL = {"inbox", "leases", "relay_state", "erasure_receipts"}
COPIED = {"people", "api_keys"}  # told of by outreach: what is erased there is erased in the copies


def test_every_collection_is_on_the_privacy_page_or_is_known_to_name_nobody():
    own = {"outreach": OUTREACH, "events": EVENTS, "notify": NOTIFY}
    for service, collections in own.items():
        named = {c for kept in KEPT if kept.service == service for c in kept.collections}
        rest = {*COMMON, *collections} - named - TECHNICAL - COPIED
        assert rest == NAMES_NOBODY[service], service


async def test_every_collection_with_a_date_of_erasure_is_on_the_privacy_page(mongodb_url, store):
    with_date = {"outreach": await dated(store.db)}
    for service, own in (
        ("events", EventsStore),
        ("notify", lambda db: NotifyStore(db, 90, secret_key="a-secret-for-tests-" * 2)),
    ):
        async with database(mongodb_url, f"test_{random_id()[:10]}_{service}") as db:
            await create_collections(db, ["people"])
            await own(db).create_indexes()
            with_date[service] = await dated(db)
            await db.client.drop_database(db.name)
    assert all(with_date.values())
    for service, found in with_date.items():
        assert found <= {c for kept in KEPT if kept.service == service for c in kept.collections}


async def dated(db):
    """The collections that have an index on their date of erasure."""
    found = set()
    for name in await db.list_collection_names():
        keys = [key for index in (await db[name].index_information()).values() for key, _ in index["key"]]
        if {"erase_after", "gone_at"} & set(keys):
            found.add(name)
    return found


async def test_feedback_is_kept_seen_to_and_erased_after_half_a_year(store, browser, sign_in, coordinator):
    await browser.get("/outreach/accessibility")
    sent = await browser.send("/outreach/accessibility", TOLD)
    assert (sent.status_code, sent.headers["location"]) == (303, "/outreach/accessibility/thanks")
    again = await browser.send("/outreach/accessibility", TOLD)  # the same form sent twice by accident
    assert again.status_code == 303 and await store.db.feedback.count_documents({}) == 1

    await sign_in(coordinator)
    page = (await browser.get("/outreach/feedback")).text
    assert TOLD["text"] in page and TOLD["email"] in page
    row = await store.db.feedback.find_one({})
    done = await browser.send(f"/outreach/feedback/{row['_id']}/done")
    assert done.status_code == 303
    assert TOLD["text"] not in (await browser.get("/outreach/feedback")).text
    assert TOLD["text"] in (await browser.get("/outreach/feedback?done=true")).text

    await erase_due(store, now=NOW + timedelta(days=181))
    assert await store.db.feedback.count_documents({}) == 1
    assert (await erase_due(store, now=NOW + timedelta(days=183)))["feedback"] == 1
    assert await store.db.feedback.count_documents({}) == 0
    receipt = await store.db.erasure_receipts.find_one({"what": "feedback"})
    assert set(receipt) == {"_id", "what", "count", "at"}


@pytest.mark.parametrize("fields", [{"text": ""}, {"email": "nobody"}, {"name": "Er\x00ika"}, {"text": "x" * 4001}])
async def test_feedback_with_a_mistake_comes_back_with_what_was_typed(store, browser, fields):
    await browser.get("/outreach/accessibility")
    answer = await browser.send("/outreach/accessibility", {**TOLD, **fields})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert fields.get("name") or TOLD["name"] in answer.text
    assert await store.db.feedback.count_documents({}) == 0


async def test_a_program_that_fills_in_every_field_leaves_nothing(store, browser):
    await browser.get("/outreach/accessibility")
    sent = await browser.send("/outreach/accessibility", {**TOLD, "homepage": "https://spam.example"})
    assert sent.status_code == 303 and await store.db.feedback.count_documents({}) == 0


async def test_feedback_from_another_site_is_refused(store, browser):
    await browser.get("/outreach/accessibility")
    sent = await browser.send("/outreach/accessibility", TOLD, headers={"Sec-Fetch-Site": "cross-site"})
    assert sent.status_code == 403 and await store.db.feedback.count_documents({}) == 0


async def test_one_machine_cannot_send_any_number_of_feedback(store, browser):
    statuses = []
    for number in range(8):
        await browser.get("/outreach/accessibility")
        answer = await browser.send("/outreach/accessibility", {**TOLD, "text": f"Nummer {number}"})
        statuses.append(answer.status_code)
    assert statuses == [303] * 6 + [429] * 2 and "Nummer 7" in answer.text
    assert await store.db.feedback.count_documents({}) == 6


async def test_the_coordinators_home_says_that_feedback_waits(browser, sign_in, coordinator):
    await browser.get("/outreach/accessibility")
    await browser.send("/outreach/accessibility", TOLD)
    await sign_in(coordinator)
    assert "1 piece of feedback waits for somebody." in (await browser.get("/outreach/")).text


async def test_search_engines_are_told_not_to_list_the_pages(browser):
    assert (await browser.get("/outreach/start")).headers["X-Robots-Tag"] == "noindex, nofollow"


async def test_feedback_is_for_the_coordinator_alone(store, browser, sign_in, coordinator, api):
    await browser.get("/outreach/accessibility")
    await browser.send("/outreach/accessibility", TOLD)
    row = await store.db.feedback.find_one({})
    assert (await browser.get("/outreach/feedback")).status_code == 303  # to the sign-in page
    assert (await browser.send(f"/outreach/feedback/{row['_id']}/done")).status_code in (303, 403)
    role = {"kind": "teacher", "organisation_id": "178111"}
    person = {"name": "Erika Muster", "email": "erika.muster@schule.example", "language": "en", "roles": [role]}
    made = await api.post("people", person)
    assert made.status_code in (201, 422), made.text
    if made.status_code == 201:
        await sign_in(made.json()["id"])
        assert (await browser.get("/outreach/feedback")).status_code == 403
    assert (await store.db.feedback.find_one({}))["done"] is False


async def test_one_page_sent_again_with_another_text_is_told_twice(store, browser):
    await browser.get("/outreach/accessibility")
    for told in ("Der Kontrast ist schwach.", "Auf der Karte fehlt Olpe."):
        assert (await browser.send("/outreach/accessibility", {**TOLD, "text": told})).status_code == 303
    assert await store.db.feedback.count_documents({}) == 2


async def test_an_erased_person_leaves_neither_name_nor_address_in_feedback(store, browser):
    await browser.get("/outreach/accessibility")
    await browser.send("/outreach/accessibility", {**TOLD, "email": "Erika@Schule.example"})
    command = EnterPerson(name="Erika Muster", email="erika@schule.example", roles=[RoleGiven(kind="operator")])
    person = await enter_person(store, COORDINATOR, command, now=NOW, request_id="erika")
    await erase_person(store, COORDINATOR, person.id, now=NOW, request_id="erase")
    row = await store.db.feedback.find_one({})
    assert (row["name"], row["email"], row["text"]) == ("", "", TOLD["text"])


@pytest.mark.parametrize("issuer", ["http://login.schule.example", "ftp://localhost", "login.schule.example"])
def test_a_sign_in_provider_without_https_is_refused(issuer):
    with pytest.raises(ValueError, match="https"):
        settings_with(oidc_issuer=issuer, oidc_client_id="perspektive")
    assert settings_with(oidc_issuer="http://localhost:9", oidc_client_id="perspektive")
