"""WCAG 2.2 AA by axe, on every page, as the role that opens it; and what else holds for every page: it fits 320 px,
the console stays silent, and no request leaves the origin."""

import re

import pytest

from tests.integration.authorisation.rules import LAST, RULES
from tests.support.estate import NOBODY, Estate
from tests.support.looks import LOOKS, Window, answer, open_in_all, show_in_all, too_long
from tests.support.routes import Route
from tests.support.sample_forms import filled

pytestmark = pytest.mark.processes_only
ORDER = ("coordinator", "teacher", "company", "ambassador", "operator", NOBODY)
PAGES = [route for route in RULES if route[0] == "GET"]
FORMS = [route for route in RULES if route[0] == "POST" and route[1] not in LAST]
NAMES = {"kind": "new", "action": "move", "change": "pause"}


def who_opens(route: Route) -> str:
    """The one whose page it is: the most particular of those who may."""
    allowed = RULES[route]
    if NOBODY in allowed:
        return NOBODY
    return min((actor for actor in ORDER if actor in allowed), key=lambda actor: (actor == "coordinator", actor))


def address(path: str, estate: Estate) -> str:
    """The path with the ids of what there is; what there is none of leads to the page that says so."""
    return path.format(**{**dict.fromkeys(re.findall(r"{(\w+)}", path), "none"), **NAMES, **estate.ids})


@pytest.mark.parametrize("route", PAGES, ids=" ".join)
async def test_every_page_is_accessible(estate: Estate, windows: list[Window], route: Route) -> None:
    assert await open_in_all(windows, who_opens(route), address(route[1], estate)) == []


@pytest.mark.parametrize("route", FORMS, ids=" ".join)
async def test_a_form_shown_again_with_its_errors_is_accessible(
    estate: Estate, windows: list[Window], route: Route
) -> None:
    """Sent with nothing in it, and with every field too long, too early or too large."""
    actor, path = who_opens(route), address(route[1], estate)
    sample = filled(route[1], {**NAMES, **estate.ids})
    empty = {name: "" for name, value in sample.items() if isinstance(value, str)}  # what a browser sends then
    wrong = {name: too_long(value) for name, value in sample.items()}
    pages = [
        await answer(estate, actor, path, look.language, form) for look, form in zip(LOOKS, (empty, wrong), strict=True)
    ]
    assert await show_in_all(windows, actor, pages, route[1]) == []


async def test_axe_finds_what_is_wrong(windows: list[Window]) -> None:
    await windows[0].sign_in(NOBODY)
    wrong = (
        "<html><body><main><img src='https://elsewhere.example/x.png'><input><p style='color:#aaa'>pale</p>"
        "<a href='/'></a><script>console.log('a word')</script></main></body></html>"
    )
    found = " ".join(await windows[0].show(wrong, "wrong"))
    rules = ("image-alt", "label", "color-contrast", "link-name", "html-has-lang", "document-title")
    for rule in (*rules, "foreign request", "console: a word", "not one h1"):
        assert rule in found, rule
