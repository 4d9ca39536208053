"""The mail log as a file: for those who may see the log, and without any pupil's address."""

import csv
import io
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from services.notify.app import create_app
from services.notify.settings import Settings
from shared.auth import Sessions
from shared.ids import random_id
from shared.mongo import Database, database
from shared.schemas import events
from shared.service import front_door
from tests.support.notify_builders import registration, said
from tests.support.notify_world import MovableClock, ScriptedServer, build_world

pytestmark = pytest.mark.processes_only

SECRET = "a-secret-of-at-least-32-characters-for-tests"


@pytest.fixture
async def pages(mongodb_url: str, smtp: ScriptedServer) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    """The service's pages over a log of two mails."""
    prefix = f"test_log_{random_id()[:8]}"
    settings = Settings(
        mongodb_url=mongodb_url, nats_url="nats://127.0.0.1:1", smtp_url=smtp.url, secret_key=SECRET,
        database_prefix=prefix, public_url="http://test.example", mail_from="Perspektive <mail@perspektive.example>",
    )  # fmt: skip
    app = create_app(settings, MovableClock())
    transport = httpx.ASGITransport(front_door({"notify": app}))
    async with (
        database(mongodb_url, f"{prefix}_notify") as db,
        httpx.AsyncClient(transport=transport, base_url="http://test.example") as client,
    ):
        world = await build_world(db, smtp)
        for id in ("one", "two"):
            await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted", id=id)))
        yield client, db
        await world.mailer.close()
        await db.client.drop_database(db.name)


async def sign_in(client: httpx.AsyncClient, db: Database, role: str) -> None:
    roles = [{"kind": role, "organisation_id": "agency"}]
    facts = {"name": "Kim", "email": "kim@agentur.example", "language": "en", "session_epoch": 1, "active": True}
    await db.people.replace_one({"_id": role}, {**facts, "roles": roles, "version": 1}, upsert=True)
    client.cookies.set("perspektive_session", Sessions(SECRET).open(role, 1))


async def rows(client: httpx.AsyncClient, query: str = "", list_name: str = "deliveries") -> list[dict[str, str]]:
    answer = await client.get(f"/notify/{list_name}.csv{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


async def test_the_log_is_exported_with_the_filters_of_its_page(pages) -> None:
    client, db = pages
    await sign_in(client, db, "operator")
    everything = await rows(client)
    assert len(everything) >= 2
    assert {row["To whom [to.role]"] for row in everything} >= {"School"}
    assert all(row["Recipient’s mail address [to.email]"] for row in everything)
    only = await rows(client, "?about=registration%3Aone")
    assert 0 < len(only) < len(everything)
    assert await rows(client, "?state=refused") == []
    assert (await client.get("/notify/deliveries.xlsx")).content.startswith(b"PK")


@pytest.mark.parametrize("role", ["pupil", "parent"])
async def test_no_address_of_a_pupil_or_parent_leaves_the_service(pages, role) -> None:
    client, db = pages
    await sign_in(client, db, "coordinator")
    secret = {"recipient": "lena@web.example", "recipient_name": "Lena", "subject": "Lena, morgen geht es los"}
    attempt = {"answer": "550 lena@web.example is unknown", "outcome": "refused"}
    document = await db.deliveries.find_one({})
    await db.deliveries.update_one(
        {"_id": document["_id"]},
        {"$set": {**secret, "recipient_role": role, "attempts": [{**attempt, "at": document["due_at"]}]}},
    )
    answer = await client.get("/notify/deliveries.csv")
    assert answer.status_code == 200
    assert "lena" not in answer.text.lower()


async def test_the_log_is_a_file_for_coordinators_and_operators_only(pages) -> None:
    client, db = pages
    assert (await client.get("/notify/deliveries.csv")).status_code == 303
    for role in ("teacher", "company"):
        await sign_in(client, db, role)
        for form in ("csv", "xlsx"):
            assert (await client.get(f"/notify/deliveries.{form}")).status_code == 403


async def test_stuck_and_coming_mails_are_files_for_coordinators_and_operators_only(pages) -> None:
    client, db = pages
    refused = {"state": "refused", "reason": "refused", "settled": False, "waiting": False}
    chosen = await db.deliveries.find_one({"about": "registration:one"})
    await sign_in(client, db, "operator")
    coming = {row["Key [key]"] for row in await rows(client, list_name="upcoming")}
    assert chosen["_id"] in coming
    assert await rows(client, list_name="stuck") == []
    await db.deliveries.update_one({"_id": chosen["_id"]}, {"$set": refused})
    assert [row["Key [key]"] for row in await rows(client, "?kind=refused", "stuck")] == [chosen["_id"]]
    assert await rows(client, "?kind=gave_up", "stuck") == []
    assert {row["Key [key]"] for row in await rows(client, list_name="upcoming")} == coming - {chosen["_id"]}
    await sign_in(client, db, "teacher")
    for name in ("stuck", "upcoming"):
        assert (await client.get(f"/notify/{name}.csv")).status_code == 403


async def test_the_log_cannot_be_imported(pages) -> None:
    client, db = pages
    await sign_in(client, db, "coordinator")
    assert (await client.get("/notify/import/deliveries")).status_code == 404
    assert "/notify/import/" not in (await client.get("/notify/")).text


async def test_suppressed_addresses_are_exported_as_their_list_shows_them_to_those_who_may_see_it(pages) -> None:
    client, db = pages
    await sign_in(client, db, "teacher")
    assert (await client.get("/notify/suppressions.csv")).status_code == 403
    await sign_in(client, db, "operator")
    page = await client.get("/notify/suppressions")
    assert "/notify/suppressions.csv" not in page.text, "nothing to be had"
    token = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert token
    form = {"csrf": token[1], "email": "tessa@schule.example", "note": "on the phone", "request_id": "one"}
    sent = await client.post("/notify/suppressions", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert sent.status_code == 303
    [row] = await rows(client, list_name="suppressions")
    assert (row["Mail address [masked]"], row["Reason [reason]"]) == ("te…@schule.example", "by hand")
    assert row["Why [note]"] == "on the phone" and row["Since [since]"] and not row["Lifted [lifted_at]"]
    assert await rows(client, "?lifted=yes", "suppressions") == []
    assert "tessa" not in str(row)
    assert "/notify/suppressions.csv" in (await client.get("/notify/suppressions")).text
    assert (await client.get("/notify/suppressions.xlsx")).content.startswith(b"PK")
