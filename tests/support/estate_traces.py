"""What people leave in the estate: a class link with pupils, an invitation, files to import, and whatever else an
address can name."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from deploy.local.demo.client import until
from services.events.domain.check_in import check_in_code
from services.notify.consent import Participant
from services.notify.store.core import Store
from services.notify.usecases.tokens import Tokens
from services.notify.webhooks.payload import test_call as call_of_a_test
from services.notify.webhooks.rules import Seed, Webhook
from shared.answer_links import AnswerLinks, AsSeen
from shared.ids import random_id
from shared.mongo import Database, database
from tests.support.estate import NOBODY, Estate
from tests.support.front_door import NOW, SECRET
from tests.support.kernel import campaign
from tests.support.sample_forms import attached, filled

LINKS = AnswerLinks(SECRET, "")
# Which of the ids an address means, where its name alone does not say so: the longest beginning counts.
MEANT = {
    **{
        f"/events/registrations/{{registration_id}}/{page}": {"registration_id": "confirmed_id"}
        for page in ("day-sheet", "attendance-list", "qr", "calendar.ics")
    },
    "/notify/class-links/": {"registration_id": "confirmed_id"},
    "/notify/calendar/": {"secret": "feed_secret"},
    "/notify/confirm/": {"token": "confirm"},
    "/notify/mine/": {"token": "mine"},
    "/notify/parent/": {"token": "parent"},
    "/notify/unsubscribe/": {"token": "unsubscribe"},
    "/events/cannot-come/": {"token": "cannot_come"},
    "/events/confirm-again/": {"token": "confirm_again"},
    "/events/registrations/{registration_id}/confirm-again": {"registration_id": "asked_id"},
    "/notify/templates/": {"kind": "kind_of_mail"},
    "/notify/wordings/": {"kind": "worded_kind", "role": "worded_role", "language": "worded_language"},
    "/outreach/import/": {"kind": "outreach_kind", "import_id": "outreach_import"},
    "/events/import/": {"kind": "events_kind", "import_id": "events_import"},
    "/events/offers/waiting": {"offer_id": "waiting_id"},
    "/outreach/my-organisation/{organisation_id}/people/": {"person_id": "colleague_id"},
    "/outreach/messages/{message_id}/discard": {"message_id": "discarded_id"},
    "/events/messages/{message_id}/discard": {"message_id": "discarded_id"},
    "/notify/messages/{message_id}/discard": {"message_id": "discarded_id"},
}


def named(path: str, ids: dict[str, str]) -> dict[str, str]:
    """The ids as this address means them."""
    meant = next((names for start, names in MEANT.items() if path.startswith(start)), {})
    return {**ids, **{name: ids[other] for name, other in meant.items() if other in ids}}


async def leave_traces(estate: Estate) -> None:
    """Everything, by the pages on which people leave it."""
    ids = estate.ids
    ids |= {
        "kind_of_mail": "sign_in", "worded_kind": "places_offered", "worded_role": "teacher", "worded_language": "de",
        "scope": "me",
        "outreach_kind": "companies", "events_kind": "self-found",
        "code": check_in_code(ids["registration_id"], SECRET),
        "cannot_come": LINKS.token("cannot-come", AsSeen(ids["answered_id"], 1, 1)),
    }  # fmt: skip
    async with _database(estate, "notify") as db:
        ids["secret"] = (await until("the class link", lambda: db.class_links.find_one({"_id": ids["confirmed_id"]})))[
            "secret"
        ]
        await _pupils(estate, db)
        reminder = await until("a reminder", lambda: db.deliveries.find_one({"kind": "slot_reminder"}))
        link = Tokens(SECRET, estate.door.url).unsubscribe_link(reminder["message_id"])
        ids["unsubscribe"] = link.rpartition("/")[2]
    await _asked_again(estate)
    await _invitation(estate)
    await _at_the_agency(estate)
    await send(estate, "coordinator", "/notify/wordings/{campaign_id}/{kind}/{role}/{language}")
    await _calendar_feed(estate)
    await _webhook(estate)
    await _messages_set_aside(estate)


async def _asked_again(estate: Estate) -> None:
    """As if the class had been registered a month ago: it is asked whether it still comes."""
    booked, asked = estate.ids["asked_id"], {"_id": estate.ids["asked_id"], "question.revision": 1}
    async with _database(estate, "events") as db:
        earlier = {"$set": {"created_at": NOW - timedelta(days=30)}}
        await db.registrations.update_one({"_id": booked}, earlier)
        row = await until("the question", lambda: db.registrations.find_one(asked), 20)
    estate.ids["confirm_again"] = LINKS.token("confirm-again", AsSeen(booked, row["version"], 1))


async def _calendar_feed(estate: Estate) -> None:
    await send(estate, "teacher", "/notify/calendars/{scope}")
    async with _database(estate, "notify") as db:
        row = await db.feeds.find_one({"person_id": estate.people["teacher"]})
    assert row
    estate.ids["feed_secret"] = row["secret"]


async def _webhook(estate: Estate) -> None:
    async with _database(estate, "notify") as db:
        store = Store(db, retention_days=90, secret_key=SECRET).webhooks
        made = Webhook("hook", "Schulportal", "http://127.0.0.1:9/hooks", ("slot.moved",), (Seed("s", "f"),), NOW)
        await store.put(replace(made, state="paused", reason="by_hand", paused_at=NOW))
        call = replace(call_of_a_test(made, NOW, "made"), type="slot.moved", state="failed", due_at=NOW)
        await store.plan([call])
        await db.webhook_calls.update_many({}, {"$unset": {"waiting": ""}})
    estate.ids |= {"webhook_id": made.id, "call_id": call.id}


async def _pupils(estate: Estate, db: Database) -> None:
    asked = {
        "confirm": {"first_name": "Lena", "email": "lena@post.example", "under_16": "false"},
        "parent": {"first_name": "Ben", "email": "ben@post.example", "under_16": "true",
                   "parent_email": "mutter@post.example"},
        "mine": {"first_name": "Mia", "email": "mia@post.example", "under_16": "false"},
        "removed": {"first_name": "Ole", "email": "ole@post.example", "under_16": "false"},
    }  # fmt: skip
    tokens = Tokens(SECRET, estate.door.url)
    for action, form in asked.items():
        await send(estate, NOBODY, "/notify/class/{secret}", form)
        pupil = await _participant(db, form["first_name"])
        if action == "mine":
            estate.ids["confirm"] = tokens.write("confirm", pupil)
            await send(estate, NOBODY, "/notify/confirm/{token}")
            pupil = await _participant(db, form["first_name"])
        estate.ids[action] = tokens.write(action, pupil)  # type: ignore[arg-type]
    estate.ids["confirm"] = tokens.write("confirm", await _participant(db, "Lena"))
    estate.ids["participant_id"] = (await _participant(db, "Ole")).id


async def _participant(db: Database, first_name: str) -> Participant:
    row = await db.participants.find_one({"first_name": first_name})
    assert row, first_name
    found = await Store(db, retention_days=90, secret_key=SECRET).participants.get(row["_id"])
    assert found
    return found


async def _invitation(estate: Estate) -> None:
    form = {"name": "Vera Vertretung", "email": "vera@schule.example", "language": "de", "kind": "teacher"}
    await send(estate, "teacher", "/outreach/my-organisation/{organisation_id}/invite", form)
    estate.ids["invitation_id"] = await _newest(estate, "outreach", "invitations")


async def _at_the_agency(estate: Estate) -> None:
    await send(estate, NOBODY, "/outreach/accessibility")
    for path, name in (
        ("/notify/suppressions", "suppression_id"), ("/outreach/imports", "upload_id"),
        ("/outreach/import/{kind}", "outreach_import"), ("/events/import/{kind}", "events_import"),
    ):  # fmt: skip
        answer = await send(estate, "coordinator", path)
        estate.ids[name] = answer.headers["location"].rsplit("/", 1)[-1]
    await estate.key(("outreach:read", "outreach:write"))  # with which nothing else is tested: it is revoked
    estate.ids |= {
        "feedback_id": await _newest(estate, "outreach", "feedback"),
        "key_id": await _newest(estate, "outreach", "api_keys"),
    }


async def _messages_set_aside(estate: Estate) -> None:
    wires = {"message_id": campaign(1).to_wire(), "discarded_id": campaign(2).to_wire()}
    for service in ("outreach", "events", "notify"):
        facts = {"error": "tests", "attempts": 5, "set_aside_at": NOW - timedelta(hours=1)}
        async with _database(estate, service) as db:
            await db.set_aside.insert_many([{"_id": wire["id"], "wire": wire, **facts} for wire in wires.values()])
    estate.ids |= {name: wire["id"] for name, wire in wires.items()}


async def send(estate: Estate, actor: str, path: str, form: dict[str, Any] | None = None) -> httpx.Response:
    """The form of `path`, sent by `actor`; it must be taken."""
    http, ids = await estate.client(actor), named(path, estate.ids)
    hidden = {"csrf": estate.tokens[actor], "request_id": random_id()}
    data = {**(filled(path, ids) if form is None else form), **hidden}
    answer = await http.post(path.format(**ids), data=data, files=attached(path))
    assert answer.status_code == 303, (path, answer.status_code, answer.text[-3000:])
    return answer


async def _newest(estate: Estate, service: str, collection: str) -> str:
    async with _database(estate, service) as db:
        row = await db[collection].find_one({}, sort=[("$natural", -1)])
    assert row, collection
    return str(row["_id"])


def _database(estate: Estate, service: str) -> Any:
    return database(estate.mongodb_url, f"{estate.door.prefix}_{service}")
