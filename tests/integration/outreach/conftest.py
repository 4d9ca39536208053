"""A running outreach on a real database, empty before each test, without a broker."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.outreach.app import create_app
from services.outreach.settings import Settings
from services.outreach.store import collections
from services.outreach.store.core import Store
from services.outreach.usecases.bootstrap import ensure_api_key, ensure_coordinator
from services.outreach.usecases.sign_in import make_sign_in_link
from shared.ids import random_id
from shared.mongo import database
from shared.service import front_door
from tests.support.outreach import NOW, SECRET, HandClock

PUBLIC_URL = "http://perspektive.example"
FORMS = re.compile(r'<form(?=[^>]*method="post")[^>]* action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'name="(csrf|request_id|token|handle|next)" value="([^"]*)"')


@dataclass
class Running:
    """The application, its clock and its store."""

    app: FastAPI
    clock: HandClock
    store: Store


@pytest.fixture(scope="session")
async def _running(mongodb_url: str) -> AsyncIterator[Running]:
    settings = Settings(
        mongodb_url=mongodb_url, nats_url="nats://127.0.0.1:1", secret_key=SECRET, public_url=PUBLIC_URL,
        database_prefix=f"test_{random_id()[:8]}",
    )  # fmt: skip
    clock = HandClock()
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(database(mongodb_url, f"{settings.database_prefix}_outreach"))
        store = Store(db)
        await collections.prepare(store)
        app = create_app(settings, clock)
        yield Running(app, clock, store)
        await db.client.drop_database(db.name)


@pytest.fixture
async def running(_running: Running) -> Running:
    """Outreach with an empty database, at NOW."""
    _running.clock.moment = NOW
    db = _running.store.db
    for name in await db.list_collection_names():
        await db[name].delete_many({})
    _running.app.state.directory._kept.clear()
    return _running


@pytest.fixture
def store(running: Running) -> Store:
    """The store of the running application."""
    return running.store


@pytest.fixture
def clock(running: Running) -> HandClock:
    """The clock of the running application."""
    return running.clock


def http(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    """A client of the application below /outreach."""
    transport = httpx.ASGITransport(app=front_door({"outreach": app}), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers)


class Api:
    """The API as a program with a key sees it."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self.client = client
        self.key = key

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """GET below /outreach/api/v1/."""
        return await self.client.get(f"/outreach/api/v1/{path}", params=query)

    async def post(self, path: str, body: Any = None, request_id: str = "", **options: Any) -> httpx.Response:
        """POST below /outreach/api/v1/ with a key of its own, or with `request_id`."""
        headers = {"Idempotency-Key": request_id or random_id(), **options.pop("headers", {})}
        content = {} if {"files", "content"} & options.keys() else {"json": {} if body is None else body}
        return await self.client.post(f"/outreach/api/v1/{path}", headers=headers, **content, **options)


@pytest.fixture
async def api(running: Running) -> AsyncIterator[Api]:
    """The API, with a key that has all scopes."""
    key = await ensure_api_key(running.store, "tests", NOW)
    async with http(running.app, Authorization=f"Bearer {key}", **{"Accept-Language": "en"}) as client:
        yield Api(client, str(key))


class Browser:
    """The pages as a person sees them; forms are sent with what they hide."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.page: httpx.Response | None = None

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        self.page = await self.client.get(path)
        return self.page

    async def send(self, path: str, fields: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """Send the open page's form for `path` with what it hides, or where there is none, what the page hides."""
        assert self.page is not None
        forms = [form for action, form in FORMS.findall(self.page.text) if unescape(action) == path]
        hidden = {}
        for name, value in HIDDEN.findall(forms[0] if forms else self.page.text):
            hidden.setdefault(name, value)
        return await self.client.post(path, data={**hidden, **(fields or {})}, **options)


@pytest.fixture
async def browser(running: Running) -> AsyncIterator[Browser]:
    """A browser in which nobody is signed in; English."""
    async with http(running.app, **{"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}) as client:
        client.cookies.set("perspektive_language", "en")
        yield Browser(client)


@pytest.fixture
async def coordinator(running: Running) -> str:
    """The id of a coordinator."""
    return await ensure_coordinator(running.store, "kim.koordination@agentur.example", "Kim Koordination", NOW)


@pytest.fixture
def sign_in(running: Running, browser: Browser) -> Callable[[str], Awaitable[Browser]]:
    """Signs a person in to the browser."""

    async def sign_in_as(person_id: str) -> Browser:
        link = await make_sign_in_link(running.store, person_id, timedelta(hours=1), running.clock.now())
        await browser.get(link)
        answer = await browser.send("/outreach/sign-in/link")
        assert answer.status_code == 303, answer.text
        return browser

    return sign_in_as
