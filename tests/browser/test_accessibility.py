"""WCAG 2.2 AA by axe, on every page, as each role that may open it; and what else holds for every page."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, Request

from shared.ids import random_id
from tests.integration.authorisation.rules import LAST, RULES
from tests.support.estate import NOBODY, Estate
from tests.support.routes import Route
from tests.support.sample_forms import filled

pytestmark = pytest.mark.processes_only
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESKTOP = {"width": 360, "height": 780}, {"width": 1280, "height": 900}
LOOKS: list[tuple[str, dict[str, int], str]] = [("de", PHONE, "light"), ("en", DESKTOP, "dark")]
ORDER = ("coordinator", "teacher", "company", "ambassador", "operator", NOBODY)
PAGES = [route for route in RULES if route[0] == "GET"]
FORMS = [route for route in RULES if route[0] == "POST" and route[1] not in LAST]


def who_opens(route: Route) -> str:
    """The one whose page it is: the most particular of those who may."""
    allowed = RULES[route]
    if NOBODY in allowed:
        return NOBODY
    return min((actor for actor in ORDER if actor in allowed), key=lambda actor: (actor == "coordinator", actor))


@dataclass
class Watch:
    """What a page did that it should not."""

    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@dataclass
class Visitor:
    """A browser window of one actor in one language, size and colour scheme."""

    page: Page
    estate: Estate
    watch: Watch

    async def look(self, html: str, name: str) -> list[str]:
        """What axe finds in `html`, shown as the page at its address."""
        self.watch.console.clear()
        await self.page.unroute_all()
        await self.page.route("**/shown", lambda route: route.fulfill(body=html, content_type="text/html"))
        await self.page.goto("/shown")
        found = await Axe().run(self.page, options={"runOnly": {"type": "tag", "values": WCAG}})
        return [
            f"{name}: {each['id']} ({each['help']}) {node['target']} {node['html'][:160]}"
            for each in found.response["violations"]
            for node in each["nodes"][:3]
        ]


@pytest.fixture(scope="session")
async def windows(browser: Browser, estate: Estate) -> AsyncIterator[Any]:
    """Windows, one for each language, size and scheme, with watchers."""
    opened: dict[str, tuple[BrowserContext, Visitor]] = {}

    async def window(language: str, size: dict[str, int], scheme: str) -> Visitor:
        key = f"{language}{size}{scheme}"
        if key not in opened:
            context = await browser.new_context(
                base_url=estate.door.url, viewport=size, locale=language, color_scheme=scheme  # type: ignore[arg-type]
            )  # fmt: skip
            page, watch = await context.new_page(), Watch()
            page.on("console", lambda message: watch.console.append(message.text))
            page.on("request", lambda request: _note(request, estate, watch))
            opened[key] = context, Visitor(page, estate, watch)
        return opened[key][1]

    yield window
    for context, _ in opened.values():
        await context.close()


def _note(request: Request, estate: Estate, watch: Watch) -> None:
    if not request.url.startswith((estate.door.url, "data:")):
        watch.foreign.append(request.url)


async def fetched(estate: Estate, actor: str, route: Route, language: str, form: dict[str, Any] | None = None) -> str:
    """The HTML that `actor` gets; empty for an answer that is no page."""
    method, path = route
    ids = {**dict.fromkeys(re.findall(r"{(\w+)}", path), "none"), "kind": "new", "action": "move", **estate.ids}
    http = await estate.client(actor)
    http.cookies.set("perspektive_language", language)
    try:
        if method == "GET":
            answer = await http.get(path.format(**ids), follow_redirects=True)
        else:
            hidden = {"csrf": estate.tokens[actor], "request_id": random_id()}
            answer = await http.post(path.format(**ids), data={**(form or {}), **hidden}, follow_redirects=True)
    finally:
        http.cookies.delete("perspektive_language")
    assert answer.status_code < 500, answer.text[:400]
    return answer.text if answer.headers.get("content-type", "").startswith("text/html") else ""


@pytest.mark.parametrize("route", PAGES, ids=" ".join)
async def test_every_page_is_accessible(estate: Estate, windows: Any, route: Route) -> None:
    for language, size, scheme in LOOKS:
        window = await windows(language, size, scheme)
        html = await fetched(estate, who_opens(route), route, language)
        if html:
            assert await window.look(html, f"{route[1]} {language} {scheme}") == []
            assert window.watch.console == [] and window.watch.foreign == [], route


@pytest.mark.parametrize("route", FORMS, ids=" ".join)
async def test_a_form_shown_again_with_its_errors_is_accessible(estate: Estate, windows: Any, route: Route) -> None:
    """Sent with nothing in it, and with every field too long."""
    actor = who_opens(route)
    for (language, size, scheme), form in zip(LOOKS, ({}, _too_long(route, estate)), strict=True):
        window = await windows(language, size, scheme)
        html = await fetched(estate, actor, route, language, form)
        if html:
            assert await window.look(html, f"{route[1]} {language} {scheme}") == []
            assert window.watch.console == [] and window.watch.foreign == [], route


def _too_long(route: Route, estate: Estate) -> dict[str, Any]:
    return dict.fromkeys(filled(route[1], {"kind": "new", **estate.ids}), "lang " * 2000)


async def test_axe_finds_what_is_wrong(windows: Any) -> None:
    window = await windows(*LOOKS[0])
    wrong = "<html><body><main><img src=x><input><p style='color:#aaa'>pale</p><a href='/'></a></main></body></html>"
    found = " ".join(await window.look(wrong, "wrong"))
    for rule in ("image-alt", "label", "color-contrast", "link-name", "html-has-lang", "document-title"):
        assert rule in found, rule
