"""People with sessions before the pages of the running service `events`, without a browser."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from services.events.consumer import HANDLERS, Context
from services.events.store.store import Store
from shared.auth import Directory, Sessions
from shared.ids import random_id
from shared.schemas.outreach import CampaignChanged, PersonChanged, Role
from shared.web.callers import SESSION_COOKIE
from shared.web.pages import masked
from tests.support.events_api import NOW, World

SECRET = "s" * 40
PEOPLE = {
    "coordinator": Role(kind="coordinator", organisation_id="agency"),
    "teacher": Role(kind="teacher", organisation_id="school-1"),
    "company": Role(kind="company", organisation_id="company-1"),
    "other-company": Role(kind="company", organisation_id="company-2"),
}
Fields = Mapping[str, str | list[str]]


class Visitor:
    """Somebody with a session (or nobody, without) who opens pages and sends their forms."""

    def __init__(self, client: httpx.AsyncClient, person: str = "") -> None:
        self._client = client
        sessions = Sessions(SECRET)
        cookie = sessions.open(person, 1) if person else ""
        self._csrf = (sessions.read(cookie) or ("", 0, ""))[2]
        self._headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        if person:
            self._headers["Cookie"] = f"{SESSION_COOKIE}={cookie}; perspektive_language=en"

    async def get(self, path: str) -> httpx.Response:
        return await self._client.get(f"/events/{path}", headers=self._headers)

    async def send(self, path: str, fields: Fields | None = None, request_id: str = "") -> httpx.Response:
        """The form with `fields`, as its page would send it."""
        token = masked(self._csrf) if self._csrf else ""
        form = {"csrf": token, "request_id": request_id or random_id(), **(fields or {})}
        return await self._client.post(f"/events/{path}", data=form, headers=self._headers)


async def add_people(world: World) -> None:
    """The people of PEOPLE, as `outreach` would tell of them."""
    context = Context(Store(world.db), Directory(world.db))
    for person, role in PEOPLE.items():
        message = PersonChanged.about(
            f"person:{person}", 1, now=NOW, person_id=person, name=f"Person {person}",
            email=f"{person}@beispiel.example", language="en", roles=[role], session_epoch=1, active=True,
        )  # fmt: skip
        await HANDLERS[PersonChanged](message, context, NOW)


async def change_campaign(world: World, version: int, **changes: Any) -> None:
    """The world's campaign with other facts, told by `outreach`."""
    row = await world.db.campaigns.find_one({"_id": "campaign-1"}) or {}
    facts = {name: value for name, value in row.items() if name not in ("_id", "version")}
    message = CampaignChanged.about(
        "campaign:campaign-1", version, now=NOW, campaign_id="campaign-1", **(facts | changes)
    )  # fmt: skip
    await HANDLERS[CampaignChanged](message, Context(Store(world.db), Directory(world.db)), NOW)


def text_of(answer: httpx.Response) -> str:
    """What a person reads of a page: no tags, spaces collapsed."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
