"""A backup under load comes back on another machine: what was acknowledged is there, and no mail goes out twice."""

import asyncio
import io
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from deploy.backup import after
from deploy.backup.create import create
from deploy.backup.errors import BackupRefused
from deploy.backup.restore import restore
from deploy.local.demo.client import Client, until
from services.notify.store import sent_log
from shared import restored
from shared.auth import SCOPES
from shared.log import set_up_logging
from shared.mongo import connect
from tests.support.estate import CONTACT, Estate, furnished, offer_of
from tests.support.front_door import NOW, SERVICES, FrontDoor, running_front_door
from tests.support.servers import MailServer, running_mongod, running_nats

pytestmark = pytest.mark.processes_only
NUMBER = 12
REGISTRATIONS = "/events/api/v1/registrations"


def say(text: str) -> None:
    """Nobody looks on."""


@contextmanager
def heard_log() -> Iterator[io.StringIO]:
    """The log lines of sent mails as the services write them."""
    root, lines = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    set_up_logging()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers[:], root.level = before, level
    sent_log.log.addHandler(handler)
    sent_log.log.setLevel(logging.INFO)
    yield lines
    sent_log.log.removeHandler(handler)
    sent_log.log.setLevel(logging.NOTSET)


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Any]:
    client = connect(url)
    try:
        yield client
    finally:
        client.close()


async def register(client: Client, school_id: str, slot_id: str, group: str) -> dict[str, Any]:
    body = {
        "school_id": school_id, "contact": CONTACT, "acknowledged": True,
        "group": {"name": group, "grade": 9, "pupils": 20, "adults": 2},
    }  # fmt: skip
    return (await client.post(f"/events/api/v1/slots/{slot_id}/registrations", body)).ok()


async def open_slot(client: Client, estate: Estate) -> str:
    offer = (await client.post("/events/api/v1/offers", {**offer_of(estate.ids), "approval": "automatic"})).ok()
    dates = {"starts_local": "2026-12-08T09:00", "ends_local": "2026-12-08T12:00", "places": 2000, "groups": 90}
    return (await client.post(f"/events/api/v1/offers/{offer['id']}/slots", dates)).ok()["slots"][0]["id"]


class Rows:
    """A look into the databases of one machine."""

    def __init__(self, url: str, prefix: str) -> None:
        self.client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)
        self.prefix = prefix
        self.deliveries = self.client[f"{prefix}_notify"].deliveries

    async def is_quiet(self) -> bool:
        """Whether all messages were said, and every registration's mails are planned."""
        if any(self.client[f"{self.prefix}_{name}"].outbox.count_documents({"published": False}) for name in SERVICES):
            return False
        ids = [f"registration:{row['_id']}" for row in self.client[f"{self.prefix}_events"].registrations.find()]
        return all(self.deliveries.count_documents({"about": about}) for about in ids)

    async def nothing_is_due(self, now: datetime) -> bool:
        """Whether all that is due was sent."""
        due = {"$or": [{"state": "sending"}, {"waiting": True, "due_at": {"$lte": now}}]}
        return await self.is_quiet() and not self.deliveries.count_documents(due)


def message_ids(mails: MailServer) -> Counter[str]:
    return Counter(dict(mail["headers"])["Message-ID"] for mail in mails.mails())


async def sign_in(door: FrontDoor, mails: MailServer) -> None:
    """Ask for a sign-in mail and wait for it: what was due before has had its turn."""
    had = mails.count(to="kim@agentur.example")
    async with httpx.AsyncClient(base_url=door.url, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        page = await browser.get("/outreach/sign-in")
        token = page.text.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": token, "email": "kim@agentur.example"}
        assert (await browser.post("/outreach/sign-in", data=form)).status_code == 303
    await mails.wait_for(to="kim@agentur.example", count=had + 1, seconds=20)


@dataclass
class Before:
    """What there was on the first machine: `answers` are those of the API to what was acknowledged before the backup
    began, `lost` a registration after it, `reminder` a mail that the backup has as planned and that was sent since."""

    door: FrontDoor
    key: str
    slot: str
    answers: list[dict[str, Any]]
    lost: dict[str, Any]
    reminder: str = ""
    later: datetime = NOW
    log: list[str] = field(default_factory=list)


async def live_through_a_backup(mongodb_url: str, door: FrontDoor, stream: io.BytesIO) -> Before:
    """Registrations before the backup, while it is made and after it; then time goes on until a reminder is sent."""
    async with furnished(door, mongodb_url) as estate, client_of(mongodb_url) as mongo:
        key = await estate.key(tuple(SCOPES))
        school = estate.ids["school_id"]
        async with Client(door.url, key) as client:
            slot = await open_slot(client, estate)
            there = [await register(client, school, slot, f"before {number}") for number in range(NUMBER)]
            answers = [await client.get(f"{REGISTRATIONS}/{each['id']}") for each in there]
            load = asyncio.gather(*(register(client, school, slot, f"while {number}") for number in range(NUMBER)))
            await create(mongo, door.prefix, stream, say)
            await load
            lost = await register(client, school, slot, "after")
    before = Before(door, key, slot, answers, lost)
    rows = Rows(mongodb_url, door.prefix)
    await until("all mails", lambda: rows.nothing_is_due(NOW))
    reminder = rows.deliveries.find_one({"waiting": True, "kind": "slot_reminder"}, sort=[("due_at", 1)])
    assert reminder
    before.reminder, before.later = reminder["_id"], reminder["due_at"] + timedelta(minutes=1)
    door.clock.moment = before.later
    await until("the reminder", lambda: rows.nothing_is_due(before.later))
    assert rows.deliveries.find_one({"_id": before.reminder, "state": "sent"})
    return before


async def test_what_was_acknowledged_comes_back_and_no_mail_goes_out_twice(
    mongodb_url: str, mail_server: MailServer, tmp_path: Path
) -> None:
    stream, smtp_url = io.BytesIO(), mail_server.smtp_url
    with (
        heard_log() as lines,
        running_nats(tmp_path / "first") as nats_url,
        running_front_door(mongodb_url, nats_url, smtp_url) as door,
    ):
        before = await live_through_a_backup(mongodb_url, door, stream)
    before.log = lines.getvalue().splitlines()
    stream.seek(0)
    with running_mongod(tmp_path / "other") as url, running_nats(tmp_path / "other") as nats_url:
        async with client_of(url) as mongo:
            await restore(mongo, door.prefix, stream, say)
            with running_front_door(url, nats_url, smtp_url, door.prefix) as other:
                await go_on(mongo, Rows(url, door.prefix), other, before, mail_server)


async def go_on(mongo: Any, rows: Rows, other: FrontDoor, before: Before, mails: MailServer) -> None:
    """Life on the other machine: the answers, then the mails that are held, noted as sent, and released."""
    arrived = message_ids(mails)
    async with Client(other.url, before.key) as client:
        found = [await client.get(f"{REGISTRATIONS}/{answer['id']}") for answer in before.answers]
        assert [differing(*pair) for pair in zip(found, before.answers, strict=True)] == [set()] * NUMBER
        assert all(answer["slot"]["id"] == before.slot for answer in found)
        assert (await client.get("/events/api/v1/reconciliation"))["differences"] == []
        other.clock.moment = before.later
        new = await register(client, before.answers[0]["school_id"], before.slot, "new")
    await until("all messages to be heard", rows.is_quiet)
    await sign_in(other, mails)
    assert message_ids(mails).total() == arrived.total() + 1, "only the sign-in"
    earlier = [re.sub(r'"time": "\d+', '"time": "2020', line) for line in before.log]
    assert (await after.note_sent(mongo, rows.prefix, earlier)).noted == [], "what was sent before the backup"
    done = await after.note_sent(mongo, rows.prefix, before.log)
    assert before.reminder in {sent.key for sent in done.noted}
    assert any(before.lost["id"] in sent.key for sent in done.unknown)
    held = await after.look(mongo, rows.prefix, before.later)
    assert f"registration:{new['id']}" in {row["about"] for row in held.due}
    assert await after.release_mails(mongo, rows.prefix)
    await until("what was held", lambda: rows.nothing_is_due(before.later), seconds=30)
    assert rows.deliveries.count_documents({"about": f"registration:{new['id']}", "state": "sent"})
    assert set(message_ids(mails).values()) == {1}, "no mail came twice"


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The names of the facts in which two answers differ, but for the slot: others register on it meanwhile."""
    return {name for name in {*one, *other} - {"slot"} if one.get(name) != other.get(name)}


async def test_nothing_is_overwritten_and_what_is_interrupted_waits(mongodb_url: str) -> None:
    prefix = f"test_{datetime.now(UTC):%H%M%S%f}"
    async with client_of(mongodb_url) as mongo:
        dbs = [mongo[f"{prefix}_{name}"] for name in SERVICES]
        for db in dbs:
            await db.outbox.insert_one({"_id": 1, "published": True})
        stream = io.BytesIO()
        await create(mongo, prefix, stream, say)
        stream.seek(0)
        with pytest.raises(BackupRefused, match="nothing is overwritten"):
            await restore(mongo, prefix, stream, say)
        with pytest.raises(BackupRefused, match="No mails are held"):
            await after.look(mongo, prefix, datetime.now(UTC))
        for db in dbs:
            await mongo.drop_database(db.name)
        await restored.begin(dbs, "interrupted")
        stream.seek(0)
        waiting = asyncio.create_task(restored.wait_until_whole(dbs[0], 0.01))
        await restore(mongo, prefix, stream, say)
        await waiting
        assert await dbs[0].outbox.find_one() == {"_id": 1, "published": False}
        assert await restored.held_since(dbs[2])
        for db in dbs:
            await mongo.drop_database(db.name)
