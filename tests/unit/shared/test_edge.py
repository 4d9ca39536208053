"""The HTTP edge that every service has, without any server behind it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel
from pymongo.errors import ServerSelectionTimeoutError

from shared.errors import Conflict, TooManyRequests, TryLater
from shared.log import _JsonLines
from shared.mongo import connect
from shared.service import front_door
from shared.settings import CommonSettings
from shared.web.callers import RequestId, client_of
from shared.web.edge import build_edge
from shared.web.pages import Pages


class OddlyNamed(Conflict):
    """This has the status {status} and the type {type}."""


class Body(BaseModel):
    number: int


class Parts:
    """What works at the moment."""

    def __init__(self) -> None:
        self.store = self.broker = True

    async def store_answers(self) -> bool:
        if not self.store:
            raise ConnectionError
        return True

    async def broker_connected(self) -> bool:
        return self.broker


@pytest.fixture
def parts() -> Parts:
    return Parts()


@asynccontextmanager
async def no_lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def app(parts: Parts, tmp_path: Path) -> FastAPI:
    settings = CommonSettings(mongodb_url="mongodb://127.0.0.1:1", nats_url="nats://127.0.0.1:1", secret_key="x" * 32)
    db = connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1")["edge"]
    checks = {"store": parts.store_answers, "broker": parts.broker_connected}
    app = build_edge("events", settings, db, Pages("events", tmp_path, "Europe/Berlin"), no_lifespan, checks)

    @app.get("/crash")
    @app.get("/api/v1/crash")
    async def crash() -> None:
        raise RuntimeError("Erika Musterfrau")

    @app.get("/store")
    @app.get("/api/v1/store")
    async def store_away() -> None:
        raise ServerSelectionTimeoutError("Erika Musterfrau")

    @app.get("/api/v1/odd")
    async def odd() -> None:
        raise OddlyNamed(status="confirmed", type="tour")

    @app.get("/api/v1/many")
    async def many() -> None:
        raise TooManyRequests(seconds=30)

    @app.get("/api/v1/later")
    async def later() -> None:
        raise TryLater

    @app.put("/api/v1/numbers")
    async def numbers(body: Body) -> None:
        return None

    @app.post("/api/v1/things")
    async def things(request_id: RequestId, body: Body | None = None) -> None:
        return None

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Accept-Language": "en"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as made:
        yield made


@pytest.mark.parametrize("address", ["/api/v1/crash", "/crash", "/nowhere", "/api/v1/nowhere", "/healthz"])
async def test_every_answer_has_the_security_headers_and_a_correlation_id(client: httpx.AsyncClient, address: str):
    headers = (await client.get(address)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-correlation-id"]) == 32


async def test_a_crash_is_one_problem_without_a_trace_and_one_log_line_with_the_correlation_id(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    ids: list[str] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            from shared.log import correlation_id

            if record.levelno >= logging.ERROR:
                ids.append(correlation_id.get())

    handler = Note()
    logging.getLogger().addHandler(handler)
    try:
        answer = await client.get("/api/v1/crash")
    finally:
        logging.getLogger().removeHandler(handler)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Erika" not in answer.text
    assert ids == [answer.headers["x-correlation-id"]]


async def test_a_form_from_elsewhere_or_a_large_one_is_refused_before_it_is_read(client: httpx.AsyncClient):
    own = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}

    async def never_read() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    for site, length, status in (("cross-site", "10", 403), ("same-origin", str(65 * 1024), 413)):
        headers = {**own, "Sec-Fetch-Site": site, "Content-Length": length}
        answer = await client.post("/language", content=never_read(), headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    answer = await client.post("/language", content=never_read(), headers={**own, "Accept-Language": "de"})
    assert answer.status_code == 413 and "mehr als 64 kB" in answer.text
    answer = await client.post("/language", data={"language": "de", "back": "/x"}, headers=own)
    assert (answer.status_code, answer.headers["location"]) == (303, "/x")


async def test_a_form_that_has_no_files_takes_none(client: httpx.AsyncClient):
    files = {"language": (None, "de"), "more": ("a.txt", b"x")}
    answer = await client.post("/language", files=files, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400


async def test_no_page_is_kept_by_others_and_that_of_a_person_not_at_all(app: FastAPI, client: httpx.AsyncClient):
    @app.get("/own/{rest:path}")
    async def own(request: Request, rest: str) -> None:
        request.state.person = object()

    for address, kept in (
        ("/own/x", "no-store"), ("/own/static/x.css", "no-store"), ("/static/none.css", "no-cache, private"),
        ("/healthz", "no-cache, private"), ("/api/v1/many", "no-store"),
    ):  # fmt: skip
        assert (await client.get(address)).headers["cache-control"] == kept, address


async def test_a_style_sheet_is_compressed_for_who_takes_that_and_known_by_a_weak_tag(client: httpx.AsyncClient):
    async def get(**headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.get("/static/perspektive.css", headers=named)

    for accepted, coding in (("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("gzip;q=0", None), ("gzip; q=0.0", None)):
        assert (await get(accept_encoding=accepted)).headers.get("content-encoding") == coding, accepted
    tag = (await get()).headers["etag"]
    assert tag.startswith('W/"')
    assert (await get(if_none_match=f'"other", {tag.removeprefix("W/")}')).status_code == 304


async def test_a_crashed_page_is_a_page(client: httpx.AsyncClient):
    answer = await client.get("/crash")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")


async def test_without_the_store_a_page_says_in_a_page_to_come_again(client: httpx.AsyncClient):
    answer = await client.get("/store")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"].startswith("text/html")
    assert "try again in a moment" in answer.text
    assert "Nothing was changed" not in answer.text


async def test_without_the_store_a_post_with_a_key_is_told_to_come_again(client: httpx.AsyncClient):
    """The store is asked by the middleware, outside of the routes' own error handlers."""
    headers = {"Authorization": "Bearer fictitious-key", "Idempotency-Key": "k1"}
    answer = await client.post("/api/v1/things", headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_log_line_tells_an_errors_class_and_frames_and_not_its_text():
    def fails() -> None:
        try:
            raise KeyError(f"{'Erika'} {'Musterfrau'}")
        except KeyError as error:
            raise RuntimeError(f"{'Max'} {'Mustermann'}") from error

    with pytest.raises(RuntimeError) as caught:
        fails()
    record = logging.LogRecord("a", logging.ERROR, "", 0, "failed", (), (RuntimeError, caught.value, caught.tb))
    line = _JsonLines().format(record)
    assert "Erika Musterfrau" not in line and "Max Mustermann" not in line
    assert "builtins.KeyError" in line and "builtins.RuntimeError" in line and "in fails" in line


async def test_a_rules_values_stand_beside_the_standard_members_and_never_replace_them(client: httpx.AsyncClient):
    answer = await client.get("/api/v1/odd")
    assert answer.status_code == 409
    assert answer.json()["status"] == 409
    assert answer.json()["type"].endswith("/oddly-named")
    assert answer.json()["detail"] == "This has the status confirmed and the type tour."


@pytest.mark.parametrize(("address", "status", "seconds"), [("many", 429, "30"), ("later", 503, "1")])
async def test_who_may_come_again_is_told_when(client: httpx.AsyncClient, address: str, status: int, seconds: str):
    answer = await client.get(f"/api/v1/{address}")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, seconds)


async def test_an_invalid_body_names_the_field_and_does_not_repeat_its_value(client: httpx.AsyncClient):
    answer = await client.put("/api/v1/numbers", json={"number": "Erika Musterfrau"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "number", "reason": "This must be a whole number."}]
    assert "Erika" not in answer.text


async def test_a_post_without_a_key_is_not_signed_in_instead_of_a_crash(client: httpx.AsyncClient):
    assert (await client.post("/api/v1/things")).status_code == 401


async def test_the_body_of_a_post_without_a_key_is_not_read(app: FastAPI, client: httpx.AsyncClient):
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            read.append(b"x")
            yield b"x" * 1024

    assert (await client.post("/api/v1/things", content=body())).status_code == 401
    assert read == []


async def test_without_the_broker_requests_are_answered_and_without_the_store_not(
    client: httpx.AsyncClient, parts: Parts
):
    parts.broker = False
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "parts": {"store": True, "broker": False}}
    parts.store = False
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"store": False, "broker": False}}
    assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"), ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient"),
        (None, "unknown"),
    ],
)  # fmt: skip
def test_all_addresses_of_one_ipv6_network_are_counted_as_one(host: str | None, counted: str) -> None:
    client = (host, 1) if host else None
    assert client_of(Request({"type": "http", "headers": [], "client": client})) == counted


async def test_head_is_answered_as_get_without_the_body(client: httpx.AsyncClient):
    for address in ("/nowhere", "/api/v1/nowhere", "/healthz"):
        asked, looked = await client.get(address), await client.head(address)
        assert (looked.status_code, looked.content) == (asked.status_code, b"")
        assert looked.headers["content-type"] == asked.headers["content-type"]


async def test_the_icon_is_where_browsers_ask_for_it_unbidden(app: FastAPI):
    """What is no page of ours, a text or a file, names no icon."""
    transport = httpx.ASGITransport(front_door({"events": app}))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", follow_redirects=True) as door:
        icon = await door.get("/favicon.ico")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
