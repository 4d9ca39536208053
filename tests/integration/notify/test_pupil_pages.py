"""The pages of pupils, parents and teachers over HTTP: forms, rights, and links that are harmless to look at."""

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from bson import json_util

from services.notify import consent
from services.notify.app import create_app
from services.notify.sender import Sender
from services.notify.settings import Settings
from services.notify.usecases import participants
from shared.auth import Sessions
from shared.mongo import Database
from shared.schemas import events
from shared.schemas.outreach import PersonChanged, Role
from shared.service import front_door
from shared.web.callers import SESSION_COOKIE
from tests.support.notify_builders import NOW, registration, said
from tests.support.notify_world import MovableClock, ScriptedServer, World, part, prepare

pytestmark = pytest.mark.processes_only

SECRET = "a-secret-of-at-least-32-characters-for-tests"
ORIGIN = "https://perspektive.example"
PEOPLE = {
    "teacher": Role(kind="teacher", organisation_id="school1"),
    "other-teacher": Role(kind="teacher", organisation_id="school2"),
    "company": Role(kind="company", organisation_id="company1"),
    "coordinator": Role(kind="coordinator", organisation_id="agency"),
    "operator": Role(kind="operator", organisation_id="agency"),
}
OLDER = {"first_name": "Lena", "email": "lena@post.example", "under_16": "false", "parent_email": ""}
YOUNGER = {"first_name": "Emil", "email": "emil@post.example", "under_16": "true", "parent_email": "mama@post.example"}


@dataclass
class Site:
    """The service's pages, its mails, and a confirmed registration with its class link."""

    world: World
    app: object
    secret: str

    def http(self, person: str = "", language: str = "de") -> httpx.AsyncClient:
        """A browser of somebody, or of nobody."""
        cookies = {SESSION_COOKIE: Sessions(SECRET).open(person, 1)} if person else {}
        headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": language}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url=ORIGIN, cookies=cookies, headers=headers  # type: ignore[arg-type]
        )  # fmt: skip

    def links(self) -> list[str]:
        """Every link of this service in every mail so far, as a path."""
        texts = [
            part(mail, kind).get_content() for mail in self.world.server.mails for kind in ("text/plain", "text/html")
        ]
        found = [path for text in texts for path in re.findall(r"perspektive\.example(/notify/[^\s\"<]+)", text)]
        return list(dict.fromkeys(found))

    async def fingerprint(self) -> dict[str, str]:
        """A digest of each collection."""
        db = self.world.db
        rows = {name: await db[name].find({}).sort("_id", 1).to_list(None) for name in await db.list_collection_names()}
        return {name: hashlib.sha256(json_util.dumps(found).encode()).hexdigest() for name, found in rows.items()}


@pytest.fixture
async def site(mongodb_url: str, notify_db: Database, smtp: ScriptedServer) -> AsyncIterator[Site]:
    """All real but the broker: messages are handed over directly, and mails are sent when the test says so."""
    clock = MovableClock()
    settings = Settings(
        mongodb_url=mongodb_url, nats_url="nats://127.0.0.1:9", smtp_url=smtp.url, secret_key=SECRET,
        database_prefix=notify_db.name.removesuffix("_notify"), public_url=ORIGIN,
        mail_from="Perspektive <mail@perspektive.example>",
    )  # fmt: skip
    app = create_app(settings, clock)
    context, mailer = app.state.context, app.state.mailer
    db = context.store.db
    await prepare(context.store)
    world = World(db, clock, context, mailer, Sender(context, mailer, clock, 4), smtp)
    people = [
        PersonChanged.about(
            f"person:{id}", 1, now=NOW, person_id=id, name=id.title(), email=f"{id}@x.example", language="de",
            roles=[role], session_epoch=1, active=True,
        )
        for id, role in PEOPLE.items()
    ]  # fmt: skip
    await world.hear(*people, said(events.RegistrationConfirmed, registration("confirmed")))
    await world.send_all()
    smtp.mails.clear()
    yield Site(world, front_door({"notify": app}), (await db.class_links.find_one({}))["secret"])
    await mailer.close()
    db.client.close()


async def token_of(http: httpx.AsyncClient, path: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    page = (await http.get(path)).text
    names = ("csrf", "version", "request_id")
    return {name: found[1] for name in names if (found := re.search(rf'name="{name}" value="([^"]*)"', page))}


@pytest.mark.parametrize(
    ("language", "next_step", "promise"),
    [
        ("de", "Deine Lehrkraft kann dir mehr sagen.", "in jedem Fall"),
        ("en", "Your teacher can tell you", "in any case"),
    ],
)
async def test_nobody_is_promised_to_take_part_in_a_visit_that_is_over(
    site: Site, language: str, next_step: str, promise: str
) -> None:
    site.world.clock.forward(timedelta(days=60))
    async with site.http(language=language) as http:
        answer = await http.get(f"/notify/class/{site.secret}")
    assert answer.status_code == 409
    assert next_step in answer.text and promise not in answer.text


async def test_a_pupil_asks_confirms_cannot_come_comes_after_all_and_withdraws(site: Site) -> None:
    async with site.http() as http:
        page = (await http.get(f"/notify/class/{site.secret}")).text
        assert "Beim Besuch bist du in jedem Fall dabei, auch ohne Mail-Adresse." in page
        assert "Am Do., 3. Dezember 2026 wird alles gelöscht." in page
        assert "Feste, geschlossene Schuhe" in page and "Bus R16 bis Tor 1" in page
        assert "tessa@schule.example" not in page and "konrad@betrieb.example" not in page
        asked = await http.post(f"/notify/class/{site.secret}", data=OLDER)
        assert asked.status_code == 303
        assert "Jetzt schau in dein Postfach" in (await http.get(asked.headers["location"])).text
        await site.world.send_all()
        (confirm,) = site.links()
        assert "Ja, erinnert mich" in (await http.get(confirm)).text
        own = (await http.post(confirm)).headers["location"]
        assert "Wir erinnern dich, Lena" in (await http.get(own)).text
        mine = own.partition("?")[0]
        gone = await http.post(f"{mine}/coming", data={"coming": "no"})
        assert "Du kannst nicht kommen" in (await http.get(gone.headers["location"])).text
        async with site.http("teacher") as teacher:
            assert "kann nicht kommen" in (await teacher.get("/notify/class-links/reg1")).text
        await http.post(f"{mine}/coming", data={"coming": "yes"})
        assert "Du bist dabei, Lena" in (await http.get(mine)).text
        async with site.http("teacher") as teacher:
            listed = (await teacher.get("/notify/class-links/reg1")).text
            assert "kommt</span>" in listed and "post.example" not in listed
        await http.post(f"{mine}/coming", data={"coming": "open"})
        assert "Ich komme" in (await http.get(mine)).text
        erased = await http.post(f"{mine}/withdraw")
        assert "Alles ist gelöscht" in (await http.get(erased.headers["location"])).text
        assert (await http.get(mine)).status_code == 404
    assert await site.world.db.participants.count_documents({}) == 0


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_a_parent_is_asked_one_question_with_two_buttons(site: Site, answer: str) -> None:
    async with site.http() as http:
        await http.post(f"/notify/class/{site.secret}", data=YOUNGER)
        await site.world.send_all()
        (question,) = site.links()
        page = (await http.get(question)).text
        assert "Darf Emil erinnert werden?" in page and page.count('name="answer"') == 2
        said_ = await http.post(question, data={"answer": answer})
        after = (await http.get(said_.headers["location"])).text
        if answer == "no":
            assert "Danke für Ihre Antwort" in after
            assert await site.world.db.participants.count_documents({}) == 0
            return
        assert "Sie haben Ja gesagt" in after
        await http.post(question, data={"answer": "withdraw"})
    assert await site.world.db.participants.count_documents({}) == 0


async def test_every_link_in_every_mail_changes_nothing_by_get_or_head(site: Site) -> None:
    async with site.http() as http:
        for form in (OLDER, YOUNGER):
            await http.post(f"/notify/class/{site.secret}", data=form)
        await site.world.send_all()
        for _ in range(2):  # the second time round there are the mails that the first answers caused
            for path in site.links():
                before = await site.fingerprint()
                for method in ("GET", "HEAD"):
                    answer = await http.request(method, path)
                    assert answer.status_code in (200, 405), (method, path)
                assert await site.fingerprint() == before, path
            for path in site.links():
                await http.post(path, data={"answer": "yes"})
            await site.world.send_all()
    assert {path.split("/")[2] for path in site.links()} == {"parent", "confirm", "mine"}
    assert "@" not in "".join(site.links()) and not re.search("lena|emil", "".join(site.links()), re.IGNORECASE)


async def test_no_page_changes_anything_by_being_looked_at(site: Site) -> None:
    async with site.http() as http:
        await http.post(f"/notify/class/{site.secret}", data=OLDER)
    participant = (await site.world.db.participants.find_one({}))["_id"]
    own = [f"/notify/class-links/reg1{end}" for end in ("", "/sheet", "/renew", "/close")]
    own.append(f"/notify/class-links/reg1/participants/{participant}/remove")
    before = await site.fingerprint()
    async with site.http("teacher") as teacher, site.http() as http:
        for path in own:
            assert (await teacher.get(path)).status_code == 200, path
        for path in (f"/notify/class/{site.secret}", f"/notify/class/{site.secret}/sent", "/notify/erased"):
            assert (await http.get(path)).status_code == 200, path
    assert await site.fingerprint() == before


TEACHERS_PAGES = [
    ("GET", ""), ("GET", "/sheet"), ("GET", "/renew"), ("GET", "/close"), ("GET", "/participants/p/remove"),
    ("POST", "/renew"), ("POST", "/close"), ("POST", "/participants/p/remove"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "end"), TEACHERS_PAGES)
async def test_the_class_link_belongs_to_the_school_alone(site: Site, method: str, end: str) -> None:
    before = await site.fingerprint()
    path = f"/notify/class-links/reg1{end}"
    for person, status in (("", 303), ("other-teacher", 403), ("company", 403), ("operator", 403)):
        async with site.http(person) as http:
            csrf = await token_of(http, "/notify/erased")
            answer = await http.request(method, path, data=csrf if method == "POST" else None)
            assert answer.status_code == status, (person, method, path)
    assert await site.fingerprint() == before
    async with site.http("coordinator") as http:
        assert (await http.get("/notify/class-links/reg1")).status_code == 200
        assert (await http.get("/notify/class-links/nowhere")).status_code == 404


async def test_a_teacher_renews_closes_and_removes_in_two_steps(site: Site) -> None:
    async with site.http() as pupil, site.http("teacher") as teacher:
        await pupil.post(f"/notify/class/{site.secret}", data=OLDER)
        shown = (await teacher.get("/notify/class-links/reg1")).text
        assert f"{ORIGIN}/notify/class/{site.secret}" in shown and "<svg" in shown and "Lena" in shown
        assert "lena@post.example" not in shown
        path = "/notify/class-links/reg1/renew"
        await teacher.post(path, data=await token_of(teacher, path))
        assert (await pupil.get(f"/notify/class/{site.secret}")).status_code == 404
        path = re.search(r"/notify/class-links/reg1/participants/\w+/remove", shown)[0]  # type: ignore[index]
        gone = await teacher.post(path, data=await token_of(teacher, path))
        assert "gelöscht" in (await teacher.get(gone.headers["location"])).text
        path = "/notify/class-links/reg1/close"
        await teacher.post(path, data=await token_of(teacher, path))
        closed = (await teacher.get("/notify/class-links/reg1")).text
        assert "<svg" not in closed.partition("<main")[2].replace('<svg class="icon"', "")
        assert "Link erstellen" in closed
        again = await teacher.post(
            "/notify/class-links/reg1/renew", data=await token_of(teacher, "/notify/class-links/reg1")
        )
        assert again.status_code == 303
    assert (await site.world.db.class_links.find_one({}))["open"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"first_name": ""}, "first_name"), ({"first_name": "http://x"}, "first_name"), ({"email": "lena"}, "email"),
        ({"under_16": ""}, "under_16"), ({"under_16": "true"}, "parent_email"),
        ({"under_16": "true", "parent_email": "lena@post.example"}, "parent_email"),
    ],
)  # fmt: skip
async def test_the_form_names_each_error_in_du_and_keeps_what_was_typed(site: Site, changes: dict, wrong: str) -> None:
    async with site.http() as http:
        answer = await http.post(f"/notify/class/{site.secret}", data={**OLDER, **changes})
    assert answer.status_code == 422
    assert f'<a href="#{wrong}">' in answer.text and "Schau dir das noch einmal an" in answer.text
    assert answer.text.count('value="lena@post.example"') >= ("email" not in changes)
    main = answer.text.partition("<main")[2].partition("</main")[0]
    assert not re.search(r"\b(Sie|Ihre?[nmr]?)\b", main.replace("Sie wurde", ""))
    assert await site.world.db.participants.count_documents({}) == 0


@pytest.mark.parametrize(
    ("limit", "status", "reason"), [("ROOM_PER_PUPIL", 409, "mehr"), ("ASKED_PER_LINK", 429, "Minute")]
)
async def test_who_asks_too_late_or_too_often_keeps_what_was_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch, limit: str, status: int, reason: str
) -> None:
    monkeypatch.setattr(consent if limit == "ROOM_PER_PUPIL" else participants, limit, 0)
    async with site.http() as http:
        answer = await http.post(f"/notify/class/{site.secret}", data=OLDER)
    assert answer.status_code == status
    assert 'value="lena@post.example"' in answer.text and "<button" in answer.text
    alert = answer.text.partition('role="alert"')[2].partition("</ul>")[0]
    assert reason in alert


@pytest.mark.parametrize("path", ["/notify/class/{}", "/notify/parent/{}", "/notify/confirm/{}", "/notify/mine/{}"])
async def test_a_wrong_link_leads_to_a_plain_page(site: Site, path: str) -> None:
    async with site.http(language="en") as http:
        for end in ("abc", "abcdefghjkmnpqrs", "W10.x", "%00"):
            answer = await http.get(path.format(end))
            assert answer.status_code == 404 and "This leads no further" in answer.text
            assert answer.headers["cache-control"] == "no-store" and answer.headers["x-robots-tag"] == "noindex"


async def test_a_form_of_another_site_asks_for_nobody(site: Site) -> None:
    async with site.http() as http:
        answer = await http.post(f"/notify/class/{site.secret}", data=OLDER, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403 and await site.world.db.participants.count_documents({}) == 0


async def test_the_answer_does_not_tell_whether_an_address_is_known(site: Site) -> None:
    async with site.http() as http:
        first = await http.post(f"/notify/class/{site.secret}", data=OLDER)
        site.world.clock.forward(timedelta(minutes=2))
        second = await http.post(f"/notify/class/{site.secret}", data=OLDER)
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])


async def test_the_mail_log_page_shows_no_pupils_address(site: Site) -> None:
    async with site.http() as pupil, site.http("coordinator") as coordinator:
        await pupil.post(f"/notify/class/{site.secret}", data=OLDER)
        log = (await coordinator.get("/notify/")).text
        row = await site.world.db.deliveries.find_one({"kind": "pupil_confirmation"})
        one = (await coordinator.get(f"/notify/deliveries/{row['_id']}")).text
    for page in (log, one):
        assert "l…@p…" in page and "lena@post.example" not in page and "Lena" not in page
