"""The Idempotency-Key of the API, with a small application and a real MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from shared.errors import Conflict, NotAllowed
from shared.mongo import Database, relaxed
from shared.web import idempotency
from shared.web.callers import RequestId
from shared.web.idempotency import Idempotency
from shared.web.problems import add_problem_handlers
from tests.support.waiting import until


class TooFull(Conflict):
    """The slot is full."""


class Bookings:
    """What the application has done, and how the next request shall go."""

    def __init__(self) -> None:
        self.request_ids: list[str] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()


@pytest.fixture
def bookings() -> Bookings:
    return Bookings()


@pytest.fixture
def app(db: Database, bookings: Bookings) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Idempotency, db=db)
    add_problem_handlers(app)

    @app.post("/api/v1/bookings", status_code=201)
    async def book(request: Request, request_id: RequestId) -> dict[str, Any]:
        bookings.request_ids.append(request_id)
        await bookings.gate.wait()
        if bookings.error:
            raise bookings.error
        return {"number": len(bookings.request_ids), "said": (await request.body()).decode()}

    @app.post("/events/form")
    async def form() -> dict[str, bool]:
        bookings.request_ids.append("form")
        return {"done": True}

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": "Bearer fictitious-key", "Accept-Language": "en"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as made:
        yield made


def book(client: httpx.AsyncClient, key: str | None = "k1", body: str = "one", **headers: str) -> Any:
    named = {"Idempotency-Key": key, **headers} if key is not None else headers
    return client.post("/api/v1/bookings", content=body, headers=named)


async def test_the_same_request_again_gets_the_first_answer_and_does_nothing(client, bookings):
    first, again = await book(client), await book(client)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert len(bookings.request_ids) == 1


async def test_another_key_or_another_program_is_another_request(client, bookings):
    await book(client, "k1")
    await book(client, "k2")
    await book(client, "k1", Authorization="Bearer another-fictitious-key")
    assert len(set(bookings.request_ids)) == 3


async def test_a_request_that_still_runs_is_answered_409_with_retry_after(client, bookings):
    bookings.gate.clear()
    first = asyncio.create_task(book(client))
    await until(lambda: bookings.request_ids)
    second = await book(client)
    assert second.status_code == 409
    assert second.headers["retry-after"] == "1"
    assert second.headers["content-type"] == "application/problem+json"
    assert second.json()["type"].endswith("/request-still-running")
    bookings.gate.set()
    assert (await first).status_code == 201
    assert (await book(client)).json() == (await first).json()
    assert len(bookings.request_ids) == 1


async def test_many_at_the_same_moment_run_once(client, bookings):
    answers = await asyncio.gather(*(book(client) for _ in range(30)))
    assert len(bookings.request_ids) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [answer.status_code for answer in answers].count(201) >= 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_another_body_under_the_same_key_is_refused(client, bookings, at_once):
    if at_once:
        answers = await asyncio.gather(book(client, body="one"), book(client, body="two"))
        other = answers[1]
    else:
        await book(client, body="one")
        other = await book(client, body="two")
    assert other.status_code == 422
    assert other.json()["type"].endswith("/idempotency-key-reused")
    assert len(bookings.request_ids) == 1


async def test_another_address_under_the_same_key_is_refused(client):
    await book(client)
    other = await client.post("/api/v1/bookings?dry_run=true", content="one", headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422


@pytest.mark.parametrize("key", [None, "", "x" * 256])
async def test_a_missing_or_endless_key_is_refused(client, bookings, key):
    answer = await book(client, key)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/idempotency-key-missing")
    assert bookings.request_ids == []


@pytest.mark.parametrize("error", [RuntimeError("crash"), NotAllowed()])
async def test_a_crash_or_a_passing_refusal_frees_the_key(client, bookings, error):
    bookings.error = error
    assert (await book(client)).status_code in (500, 403)
    bookings.error = None
    assert (await book(client)).status_code == 201
    assert bookings.request_ids[0] == bookings.request_ids[1], "the same ids are computed again"


async def test_a_broken_rule_is_an_answer_and_is_replayed(client, bookings):
    bookings.error = TooFull()
    assert (await book(client)).status_code == 409
    bookings.error = None
    again = await book(client)
    assert again.status_code == 409
    assert again.json()["type"].endswith("/too-full")
    assert len(bookings.request_ids) == 1


async def test_after_a_dead_process_the_lease_ends_and_the_request_runs_again(client, bookings, db, monkeypatch):
    monkeypatch.setattr(idempotency, "LEASE", timedelta(milliseconds=-1))
    bookings.gate.clear()
    dead = asyncio.create_task(book(client))
    await until(lambda: bookings.request_ids)
    monkeypatch.setattr(idempotency, "LEASE", timedelta(seconds=15))
    again = asyncio.create_task(book(client))
    await until(lambda: len(bookings.request_ids) == 2)
    assert (await book(client)).status_code == 409
    bookings.gate.set()
    assert (await again).status_code == (await dead).status_code == 201
    assert len(set(bookings.request_ids)) == 1


async def test_an_answer_is_replayed_after_the_lease_and_forgotten_after_a_day(client, bookings, db):
    await book(client)
    notes = relaxed(db.idempotency)
    note = await notes.find_one()
    aged = {"at": note["at"] - timedelta(hours=23), "until": note["until"] - timedelta(hours=23)}
    await notes.update_one({}, {"$set": aged})
    assert (await book(client)).headers.get("idempotent-replayed") == "true"
    aged = {"at": note["at"] - timedelta(hours=25), "until": note["until"] - timedelta(hours=25)}
    await notes.update_one({}, {"$set": aged})
    assert (await book(client)).headers.get("idempotent-replayed") is None
    assert len(bookings.request_ids) == 2


async def test_a_body_that_was_cut_off_does_not_use_up_the_key(app, client, bookings):
    """The client's connection broke while it was sending."""
    messages = [{"type": "http.request", "body": b"on", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer fictitious-key"), (b"idempotency-key", b"k1"), (b"host", b"test")]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
             "path": "/api/v1/bookings", "raw_path": b"/api/v1/bookings", "query_string": b"", "root_path": "",
             "headers": headers, "client": ("127.0.0.1", 1), "server": ("test", 80)}  # fmt: skip
    await app(scope, receive, send)
    assert (bookings.request_ids, sent) == ([], [])
    assert (await book(client)).json()["said"] == "one"


async def test_a_body_that_is_too_large_is_refused(client, bookings, monkeypatch):
    monkeypatch.setattr(idempotency, "LARGEST_BODY", 10)
    answer = await book(client, body="x" * 11)
    assert answer.json()["type"].endswith("/body-too-large")
    assert bookings.request_ids == []


async def test_without_authorization_the_request_is_not_signed_in(client, bookings):
    del client.headers["authorization"]
    assert (await book(client)).status_code == 401
    assert bookings.request_ids == []


async def test_forms_of_pages_need_no_key(client, bookings):
    assert (await client.post("/events/form")).status_code == 200


async def test_an_answer_that_cannot_be_recorded_is_not_sent_as_a_success(client, bookings, db, monkeypatch):
    """The note stays as a running request; when its lease ends the request runs again and finds what is there."""

    async def fails(*_: Any, **__: Any) -> None:
        raise ConnectionError("the store is gone")

    monkeypatch.setattr(Idempotency, "_record_many", fails)
    answer = await book(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"].endswith("/answer-not-recorded")
    assert "Nothing was changed" not in answer.text


async def test_a_late_first_request_leaves_the_note_alone_that_another_took_over(client, bookings, db, monkeypatch):
    monkeypatch.setattr(idempotency, "LEASE", timedelta(milliseconds=-1))
    bookings.gate.clear()
    late = asyncio.create_task(book(client))
    await until(lambda: bookings.request_ids)
    await relaxed(db.idempotency).update_one({}, {"$set": {"token": "another"}})
    bookings.gate.set()
    assert (await late).status_code == 201
    assert "status" not in await relaxed(db.idempotency).find_one()
    bookings.error = RuntimeError("crash")
    bookings.gate.clear()
    late = asyncio.create_task(book(client))
    await until(lambda: len(bookings.request_ids) == 2)
    await relaxed(db.idempotency).update_one({}, {"$set": {"token": "another"}})
    bookings.gate.set()
    assert (await late).status_code == 500
    assert await relaxed(db.idempotency).find_one() is not None
