"""The whole service over HTTP, with a real broker and the mailbox: messages in, mails out, the mail log, resend."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from services.notify.app import create_app
from services.notify.settings import Settings
from shared.auth import Sessions, hash_of_key
from shared.broker import Ack, Broker
from shared.clock import SystemClock
from shared.mongo import Database, database
from shared.schemas import events, outreach
from shared.schemas.base import Message
from shared.schemas.outreach import ApiKeyChanged, Contact, PersonChanged, Role
from shared.service import front_door
from shared.web.pages import masked
from shared.workers import running
from tests.support.fingerprints import fingerprint
from tests.support.notify_builders import coordinator, registration, said, sign_in_requested, slot
from tests.support.servers import MailServer, forget_messages
from tests.support.waiting import until

SECRET_KEY = "a-secret-of-at-least-32-characters-for-tests"
STARTS = datetime(2031, 12, 2, 9, 0)


@dataclass
class Running:
    """The service, running, and a sender of other services' messages."""

    http: httpx.AsyncClient
    db: Database
    broker: Broker
    mails: MailServer

    async def say(self, *messages: Message) -> None:
        """What outreach and events say, on the broker, as soon as their streams are there."""
        for message in messages:
            subject = f"{message.SOURCE}.{message.type_name()}"
            saying = partial(self.broker.publish, message.SOURCE, [(subject, message.to_wire())])
            await until(partial(_acknowledged, saying), 60)

    async def post(self, path: str, form: dict[str, str], **more: Any) -> httpx.Response:
        """What a browser sends from an own page."""
        return await self.http.post(path, data={**form, **more}, headers={"Sec-Fetch-Site": "same-origin"})

    async def delivery(self, key: str, state: str) -> dict[str, Any]:
        """The delivery as the API shows it, once it is in `state`."""
        found: dict[str, Any] = {}

        async def there() -> bool:
            answer = await self.http.get(f"/notify/api/v1/deliveries/{key}")
            found.update(answer.json() if answer.status_code == 200 else {})
            return found.get("state") == state

        await until(there, 60)
        return found


def settings(mongodb_url: str, nats_url: str, smtp_url: str, prefix: str) -> Settings:
    return Settings(
        mongodb_url=mongodb_url, nats_url=nats_url, smtp_url=smtp_url, secret_key=SECRET_KEY, database_prefix=prefix,
        quiet_hours="",
        public_url="http://test.example", mail_from="Perspektive <mail@perspektive.example>",
    )  # fmt: skip


async def _acknowledged(saying: Callable[[], Awaitable[list[Ack | None]]]) -> bool:
    return None not in await saying()


@pytest.fixture
async def service(mongodb_url: str, nats_url: str, mail_server: MailServer) -> AsyncIterator[Running]:
    """Everything real but the clock of the reader."""
    await forget_messages(nats_url)
    prefix = f"test_notify_http_{uuid4().hex[:8]}"
    app: Starlette = front_door(
        {"notify": create_app(settings(mongodb_url, nats_url, mail_server.smtp_url, prefix), SystemClock())}
    )

    async def ignore(*_: Any) -> None: ...

    speaker = Broker(nats_url, "outreach", [], ignore)
    headers = {"Authorization": "Bearer key-of-a-program", "Accept-Language": "en"}
    transport = httpx.ASGITransport(app)
    async with (
        database(mongodb_url, f"{prefix}_notify") as db,
        app.router.lifespan_context(app),
        running({"speaker": speaker.run}),
        httpx.AsyncClient(transport=transport, base_url="http://test.example", headers=headers) as http,
    ):
        await until(lambda: _ready(http), 20)
        await db.api_keys.insert_one(_key(["notify:read", "notify:write"], "coordinator"))
        yield Running(http, db, speaker, mail_server)
        await db.client.drop_database(db.name)


async def _ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/notify/readyz")).status_code == 200


def _key(scopes: list[str], role: str, key: str = "key-of-a-program") -> dict[str, Any]:
    facts = {"key_hash": hash_of_key(key), "name": "Program", "scopes": scopes, "revoked": False}
    return {"_id": key, **facts, "roles": [{"kind": role, "organisation_id": "agency"}], "version": 1}


def waitlisted(id: str, email: str = "tessa@schule.example") -> events.RegistrationWaitlisted:
    contact = Contact(name="Tessa Muster", email=email)
    facts = registration("waitlisted", id=id, contact=contact, slot=slot(starts=STARTS))
    return said(events.RegistrationWaitlisted, facts, now=datetime.now(UTC))


def unique() -> str:
    """Ids of messages live as long as the broker of the test run."""
    return uuid4().hex[:12]


async def test_a_message_on_the_broker_becomes_a_mail_and_an_entry_in_the_log(service: Running) -> None:
    id = unique()
    facts = registration("confirmed", id=id, slot=slot(starts=STARTS, slot_id=unique()))
    await service.say(said(events.RegistrationConfirmed, facts, now=datetime.now(UTC)))
    shown = await service.delivery(f"registration_confirmed:{id}:1:teacher", "sent")
    assert shown["subject"] == "Bestätigt: 8a am 02.12.2031, Musterwerk Siegerland (Demo)"
    assert shown["attempts"][0]["outcome"] == "sent" and shown["attempts"][0]["answer"].startswith("250")
    assert (shown["recipient_role"], shown["about"]) == ("teacher", f"registration:{id}")
    await service.delivery(f"registration_confirmed:{id}:1:company", "sent")
    (mail,) = service.mails.mails(to="tessa@schule.example")
    assert (
        "METHOD:REQUEST" in mail["calendar"]
        and f"UID:registration-{id}-teacher@perspektive.example" in mail["calendar"]
    )
    planned = await service.http.get(
        "/notify/api/v1/deliveries", params={"about": f"registration:{id}", "state": "planned"}
    )
    assert {(item["kind"], item["due_at"]) for item in planned.json()["items"]} == {
        ("slot_reminder", "2031-11-18T07:00:00Z"),
        ("slot_reminder", "2031-11-28T07:00:00Z"),
    }


async def test_messages_about_one_thing_are_handled_in_their_order_although_many_come_at_once(service: Running) -> None:
    ids, slot_id, now = [unique() for _ in range(8)], unique(), datetime.now(UTC)
    toured = slot(starts=STARTS, slot_id=slot_id)
    states = [
        (events.RegistrationRequested, "requested"),
        (events.RegistrationConfirmed, "confirmed"),
        (events.RegistrationResized, "confirmed"),
        (events.RegistrationCancelled, "cancelled"),
    ]
    messages = [
        said(message, registration(state, version, id=id, slot=toured), now=now)
        for version, (message, state) in enumerate(states, 1)
        for id in ids
    ]
    wires = [(f"events.{message.type_name()}", message.to_wire()) for message in messages]
    await until(partial(_acknowledged, partial(service.broker.publish, "events", wires)), 60)
    for id in ids:
        await service.delivery(f"registration_cancelled:{id}:4:company", "sent")
    rows = await service.db.deliveries.find({"kind": {"$ne": "slot_reminder"}}).to_list(None)
    mine = [row for row in rows if row["about"].partition(":")[2] in ids]
    assert len(mine) == 8 * 8 and {row["reason"] for row in mine} == {""}


async def test_the_list_is_filtered_and_read_in_stretches(service: Running) -> None:
    ids = [unique() for _ in range(5)]
    await service.say(*[waitlisted(id, f"t{number}@schule.example") for number, id in enumerate(ids)])
    for id in ids:
        await service.delivery(f"registration_waitlisted:{id}:1:teacher", "sent")
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await service.http.get("/notify/api/v1/deliveries", params={"limit": 2, **after})).json()
        seen += [item["about"].partition(":")[2] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(id for id in seen if id in ids) == sorted(ids)
    orders = [row["about"].partition(":")[2] async for row in service.db.deliveries.find().sort("order", -1)]
    assert seen == orders
    found = (await service.http.get("/notify/api/v1/deliveries", params={"about": f"registration:{ids[3]}"})).json()
    assert [item["recipient"] for item in found["items"]] == ["t3@schule.example"]
    (listed, *_) = (
        (await service.http.get("/notify/api/v1/openapi.json")).json()["paths"]["/api/v1/deliveries"].values()
    )
    assert {each["name"] for each in listed["parameters"]} == {"state", "kind", "about", "limit", "after"}
    wrong = await service.http.get("/notify/api/v1/deliveries", params={"after": "nonsense"})
    assert wrong.status_code == 422 and wrong.json()["type"].endswith("/cursor-unknown")


async def test_a_refused_mail_is_sent_again_and_a_sent_one_only_on_purpose(service: Running) -> None:
    id = unique()
    await service.say(waitlisted(id, "tessa+550@schule.example"))
    key = f"registration_waitlisted:{id}:1:teacher"
    refused = await service.delivery(key, "refused")
    assert refused["attempts"][0]["answer"].startswith("550")
    await service.db.deliveries.update_one({"_id": key}, {"$set": {"recipient": "tessa@schule.example"}})
    path, retry = f"/notify/api/v1/deliveries/{key}/resend", {"Idempotency-Key": unique()}
    answers = [await service.http.post(path, headers=retry) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    sent = await service.delivery(key, "sent")
    assert sent["message_id"] == refused["message_id"] and len(sent["attempts"]) == 2
    again = await service.http.post(path, headers={"Idempotency-Key": unique()})
    assert again.status_code == 409 and again.json()["type"].endswith("/already-sent")
    once_more = await service.http.post(path, json={"even_if_sent": True}, headers={"Idempotency-Key": unique()})
    assert once_more.status_code == 200
    assert (await service.delivery(key, "sent"))["message_id"] != sent["message_id"]
    failed = await service.db.outbox.find_one({"wire.type": "DeliveryFailed.v1"})
    assert failed and failed["wire"]["data"]["delivery_id"] == key


async def test_the_mail_log_is_for_coordinators_and_operators_with_the_scope(service: Running) -> None:
    await service.db.api_keys.insert_many(
        [_key(["notify:read"], "company", "company-key"), _key(["notify:read"], "operator", "operator-key")]
    )
    statuses = {}
    for key in ("company-key", "operator-key", "no-key"):
        headers = {"Authorization": f"Bearer {key}"}
        statuses[key] = (await service.http.get("/notify/api/v1/deliveries", headers=headers)).status_code
    assert statuses == {"company-key": 403, "operator-key": 200, "no-key": 401}
    headers = {"Authorization": "Bearer operator-key", "Idempotency-Key": unique()}
    assert (await service.http.post("/notify/api/v1/deliveries/x/resend", headers=headers)).status_code == 403
    assert (await service.http.get("/notify/api/v1/deliveries/x")).status_code == 404


async def test_people_and_keys_are_learnt_from_messages(service: Running) -> None:
    number = unique()
    facts = {"key_hash": hash_of_key(f"fresh-{number}"), "name": "Fresh", "scopes": ["notify:read"], "revoked": False}
    await service.say(
        ApiKeyChanged.about(f"api-key:{number}", 1, now=datetime.now(UTC), key_id=number, **facts,
                            roles=[Role(kind="operator", organisation_id="agency")]),
    )  # fmt: skip

    async def known() -> bool:
        headers = {"Authorization": f"Bearer fresh-{number}"}
        return (await service.http.get("/notify/api/v1/deliveries", headers=headers)).status_code == 200

    await until(known, 10)


async def _signed_in(service: Running, role: str = "coordinator") -> dict[str, str]:
    person = coordinator(7, person_id=f"person-{role}", roles=[Role(kind=role, organisation_id="agency")])  # type: ignore[arg-type]
    facts = PersonChanged.model_validate(person).model_dump(
        include={"name", "email", "language", "session_epoch", "active"}
    )
    roles = [{"kind": role, "organisation_id": "agency"}]
    row = {"_id": person.person_id, **facts, "roles": roles, "version": 1}
    await service.db.people.replace_one({"_id": row["_id"]}, row, upsert=True)
    sessions = Sessions(SECRET_KEY)
    cookie = sessions.open(person.person_id, 1)
    service.http.cookies.set("perspektive_session", cookie)
    read = sessions.read(cookie)
    assert read
    return {"csrf": masked(read[2]), "request_id": unique()}


async def test_the_pages_show_the_log_and_one_mail_s_whole_story(service: Running) -> None:
    form = await _signed_in(service)
    id = unique()
    await service.say(waitlisted(id, "page+550@schule.example"))
    key = f"registration_waitlisted:{id}:1:teacher"
    await service.delivery(key, "refused")
    log = await service.http.get("/notify/", params={"state": "refused"})
    assert log.status_code == 200 and "Warteliste: 8a am 02.12.2031" in log.text
    found = await service.post("/notify/find", form, q="PAGE+550@schule.example")
    assert "Warteliste: 8a am 02.12.2031" in found.text and "dass es diese Adresse nicht gibt" in found.text
    story = await service.http.get(f"/notify/deliveries/{key}")
    for words in (
        "Der Mailserver hat sie endgültig abgelehnt.",
        "Guten Tag Tessa Muster,",
        "Noch einmal senden",
        "No such mailbox",
        "An eine andere Adresse schicken",
    ):
        assert words in story.text
    nothing = await service.http.get("/notify/", params={"day": "2031-01-01"})
    assert "Keine Mail passt zu diesem Filter" in nothing.text
    foreign = await service.http.post(
        f"/notify/deliveries/{key}/resend", data=form, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403
    held = await service.post(f"/notify/deliveries/{key}/resend", form)
    assert held.status_code == 409 and "Heben Sie zuerst die Sperre auf" in held.text
    await service.db.suppressions.delete_many({})
    again = await service.post(f"/notify/deliveries/{key}/resend", {**form, "request_id": unique()})
    assert (again.status_code, again.headers["location"]) == (303, f"/notify/deliveries/{key.replace(':', '%3A')}")

    async def tried_again() -> bool:
        row = await service.db.deliveries.find_one({"_id": key})
        return row["attempt_count"] == 2 and row["state"] == "refused"

    await until(tried_again, 10)


async def test_a_sign_in_mail_s_page_shows_no_way_in(service: Running) -> None:
    await _signed_in(service)
    request = sign_in_requested(now=datetime.now(UTC), token=f"secret-{unique()}", person_id=unique())
    request = outreach.SignInRequested.about(unique(), 1, now=datetime.now(UTC), **request.model_dump(
        include={"person_id", "email", "name", "language", "token", "code", "expires_at"}))  # fmt: skip
    await service.say(request)
    await service.delivery(f"sign_in:{request.id}", "sent")
    page = await service.http.get(f"/notify/deliveries/sign_in:{request.id}")
    assert page.status_code == 200 and request.token not in page.text and request.code not in page.text
    assert request.token in str(service.mails.mails(to=request.email))


async def test_a_message_set_aside_is_shown_and_replayed(service: Running) -> None:
    form = await _signed_in(service)
    nothing = await service.http.get("/notify/messages")
    assert "Keine Nachricht wartet" in nothing.text
    id = unique()
    wire = waitlisted(id).to_wire()
    row = {
        "_id": wire["id"],
        "wire": wire,
        "error": "ArithmeticError: x",
        "attempts": 6,
        "set_aside_at": datetime.now(UTC),
    }
    await service.db.set_aside.insert_one(row)
    page = await service.http.get("/notify/messages")
    assert "RegistrationWaitlisted.v1" in page.text and "ArithmeticError" in page.text
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = await service.http.post(f"/notify/messages/{wire['id']}/replay", data=form, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/notify/messages?worked=1")
    await service.delivery(f"registration_waitlisted:{id}:1:teacher", "sent")
    assert await service.db.set_aside.count_documents({}) == 0


async def test_a_program_sees_what_is_set_aside_without_persons_and_has_it_handled_again(service: Running) -> None:
    first, second = (waitlisted(unique()).to_wire() for _ in range(2))
    for wire, error in ((first, "ValueError: tessa@schule.example"), (second, "ArithmeticError: x")):
        row = {"_id": wire["id"], "wire": wire, "error": error, "attempts": 6, "set_aside_at": datetime.now(UTC)}
        await service.db.set_aside.insert_one(row)
    found = (await service.http.get("/notify/api/v1/messages")).json()
    assert found["total"] == 2 and "tessa" not in str(found)
    shown = {(each["id"], each["type"], each["about"]) for each in found["items"]}
    assert shown == {(wire["id"], "RegistrationWaitlisted.v1", wire["subject"]) for wire in (first, second)}
    for path, replayed in ((f"messages/{first['id']}/replay", 1), ("messages/replay", 1), ("messages/replay", 0)):
        answer = await service.http.post(f"/notify/api/v1/{path}", headers={"Idempotency-Key": unique()})
        assert answer.json() == {"worked": replayed, "failed": 0}
    assert (await service.http.get("/notify/api/v1/messages")).json() == {"items": [], "total": 0}
    for wire in (first, second):
        id = wire["data"]["registration"]["registration_id"]
        await service.delivery(f"registration_waitlisted:{id}:1:teacher", "sent")
    await service.db.api_keys.insert_one(_key(["notify:read", "notify:write"], "teacher", "key-of-a-school"))
    refused = await service.http.get("/notify/api/v1/messages", headers={"Authorization": "Bearer key-of-a-school"})
    assert refused.status_code == 403


async def test_the_pages_are_for_coordinators_and_operators(service: Running) -> None:
    anonymous = await service.http.get("/notify/")
    assert (anonymous.status_code, anonymous.headers["location"]) == (303, "/outreach/sign-in?next=/notify/")
    await _signed_in(service, "teacher")
    assert (await service.http.get("/notify/")).status_code == 403
    assert (await service.http.get("/notify/messages")).status_code == 403


OPERATORS_PAGES = (
    "/notify/", "/notify/stuck", "/notify/stuck/count", "/notify/suppressions", "/notify/suppressions/x",
    "/notify/suppressions/x/lift", "/notify/upcoming", "/notify/templates", "/notify/templates/sign_in",
    "/notify/templates/sign_in/preview", "/notify/deliveries/x", "/notify/deliveries/x/preview",
    "/notify/deliveries/x/resend", "/notify/messages", "/notify/messages/count", "/notify/messages/replay",
    "/notify/messages/x", "/notify/messages/x/discard",
)  # fmt: skip
OPERATORS_FORMS = (
    "/notify/find", "/notify/stuck", "/notify/suppressions", "/notify/suppressions/x/lift",
    "/notify/deliveries/x/resend", "/notify/deliveries/x/correct", "/notify/messages/replay",
    "/notify/messages/x/replay", "/notify/messages/x/discard",
)  # fmt: skip
FILLED = {"q": "x", "chosen": "x", "sure": "yes", "email": "a@b.example", "note": "x", "reason": "x"}


@pytest.mark.parametrize("role", ["coordinator", "operator", "teacher", "company", "ambassador"])
async def test_each_page_is_for_coordinators_and_operators_alone(service: Running, role: str) -> None:
    for path in OPERATORS_PAGES:
        assert (await service.http.get(path)).status_code == 303, f"{path} without a session"
    for path in OPERATORS_FORMS:
        assert (await service.post(path, FILLED)).status_code == 303, f"{path} without a session"
    form = await _signed_in(service, role)
    may = role in ("coordinator", "operator")
    for path in OPERATORS_PAGES:
        expected = (404 if "/x" in path else 200) if may else 403
        assert (await service.http.get(path)).status_code == expected, path
    for path in OPERATORS_FORMS:
        status = (await service.post(path, {**form, "request_id": unique()}, **FILLED)).status_code
        assert status in (200, 303, 404) if may else status == 403, path
    searched = await service.post("/notify/search", form, q="muster")
    assert searched.status_code == (200 if role == "coordinator" else 403)
    assert (await service.http.get("/notify/search")).status_code == searched.status_code


async def test_a_refused_address_is_suppressed_lifted_by_hand_and_the_mail_is_sent(service: Running) -> None:
    form = await _signed_in(service)
    id = unique()
    await service.say(waitlisted(id, f"{id}+550@schule.example"))
    key = f"registration_waitlisted:{id}:1:teacher"
    await service.delivery(key, "refused")
    listed = await service.http.get("/notify/stuck")
    assert "Ansehen, Adresse berichtigen" in listed.text and "No such mailbox" in listed.text
    row = await service.db.suppressions.find_one({"delivery": key})
    assert row and row["masked"] in (await service.http.get("/notify/suppressions")).text
    address = f"/notify/suppressions/{row['_id']}"
    asked = await service.http.get(f"{address}/lift")
    assert "1 zurückgehaltene Mail nützt noch" in asked.text
    assert (await service.db.suppressions.find_one({"_id": row["_id"]}))["active"], "asking changes nothing"
    await service.db.deliveries.update_one({"_id": key}, {"$set": {"recipient": f"{id}@schule.example"}})
    lifted = await service.post(f"{address}/lift", form)
    assert lifted.headers["location"] == f"{address}?again=1"
    assert "Die Sperre ist aufgehoben. 1 Mail ist unterwegs." in (await service.http.get(f"{address}?again=1")).text
    await service.delivery(key, "sent")
    assert len(service.mails.mails(to=f"{id}@schule.example")) == 1


async def test_a_mail_is_shown_in_a_frame_that_loads_nothing(service: Running) -> None:
    await _signed_in(service)
    id = unique()
    await service.say(waitlisted(id))
    key = f"registration_waitlisted:{id}:1:teacher"
    await service.delivery(key, "sent")
    page = await service.http.get(f"/notify/deliveries/{key}")
    assert "sandbox" in page.text and "frame-src 'self'" in page.headers["content-security-policy"]
    assert "RegistrationWaitlisted.v1" in page.text, "the message that made it is named"
    frame = await service.http.get(f"/notify/deliveries/{key}/preview")
    policy = frame.headers["content-security-policy"]
    assert frame.status_code == 200 and "Warteliste" in frame.text
    assert "img-src 'none'" in policy and "frame-ancestors 'self'" in policy and "unsafe" not in policy
    template = await service.http.get("/notify/templates/registration_confirmed?language=en&to=company")
    assert "BEGIN:VCALENDAR" in template.text and "Konrad Beispiel" in template.text
    assert (await service.http.get("/notify/templates/nothing")).status_code == 404


async def test_looking_changes_nothing(service: Running) -> None:
    await _signed_in(service)
    id = unique()
    await service.say(waitlisted(id))
    key = f"registration_waitlisted:{id}:1:teacher"
    await service.delivery(key, "sent")
    before = await fingerprint(service.db)
    for page in ("", "/resend", "/preview"):
        for method in ("GET", "HEAD"):
            assert (await service.http.request(method, f"/notify/deliveries/{key}{page}")).status_code == 200
    asked = await service.http.get(f"/notify/deliveries/{key}/resend")
    assert "Diese Mail noch einmal senden?" in asked.text
    assert await fingerprint(service.db) == before, "each row of the whole database"


async def test_the_openapi_document_describes_the_mail_log(service: Running) -> None:
    document = (await service.http.get("/notify/api/v1/openapi.json")).json()
    assert {path for path in document["paths"] if not path.startswith("/api/v1/webhook")} == {
        "/api/v1/deliveries", "/api/v1/deliveries/{delivery_id}", "/api/v1/deliveries/{delivery_id}/resend",
        "/api/v1/messages", "/api/v1/messages/replay", "/api/v1/messages/{message_id}/replay",
    }  # fmt: skip
