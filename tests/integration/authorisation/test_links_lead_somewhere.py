"""Whoever follows the links that a page shows never stands before a closed door: each role walks all its pages."""

import re
from collections import Counter
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.support.estate import NOBODY, Estate

LINK = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')
pytestmark = pytest.mark.processes_only
START = "/outreach/start"
LIKE_IT = 2  # pages of one kind that are opened: the rest differ by their ids
OUTSIDE = ("https:", "mailto:", "tel:", "webcal:")
WHO = (NOBODY, "teacher", "company", "ambassador", "coordinator", "operator", "stranger", "teacher and company")
ID = re.compile(r"(?<=/)[^/?]*\d[^/?]*")


@pytest.mark.parametrize("actor", WHO)
async def test_every_link_that_is_shown_can_be_followed(estate: Estate, actor: str) -> None:
    browser = await estate.client(actor)
    waiting, kinds, wrong = [(START, "")], Counter[str](), list[str]()
    seen = {START, "/"}  # whoever starts the parts decides what the root shows
    while waiting:
        path, shown_on = waiting.pop(0)
        answer = await browser.get(path, follow_redirects=True)
        if answer.status_code != 200:
            wrong.append(f"{answer.status_code} {path} shown on {shown_on}")
        if "text/html" not in answer.headers["content-type"]:
            continue
        for link in LINK.findall(answer.text):
            found = _followed(answer, unescape(link))
            if found is None:
                wrong.append(f"{link[:200]!r} on {path}")
            elif found and found not in seen and kinds[_kind(found)] < LIKE_IT:
                seen.add(found)
                kinds[_kind(found)] += 1
                waiting.append((found, path))
    assert wrong == [], "\n".join(wrong)
    assert len(seen) > 10


def _followed(page: httpx.Response, link: str) -> str | None:
    """The address within the product, empty for one outside; None for what is no address at all."""
    origin = str(page.url.copy_with(path="/", query=None, fragment=None))
    if link.startswith(OUTSIDE):
        return ""
    if not link.startswith(origin) and not re.fullmatch(r"[/?#][^\s<>(){}]*", link):
        return None
    there = urlsplit(urljoin(str(page.url), link))
    return there.path + (f"?{there.query}" if there.query else "")


def _kind(address: str) -> str:
    """What addresses of one kind of page have in common: the path without ids, and what is asked for."""
    path, _, query = address.partition("?")
    return ID.sub("*", path) + "?" + "&".join(part.partition("=")[0] for part in query.split("&"))
