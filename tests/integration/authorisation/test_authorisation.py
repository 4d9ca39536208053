"""Every route times everybody who might call it: what is not allowed is refused, by people and by programs."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from services.events.web import manage, offers
from shared.ids import random_id
from tests.integration.authorisation.rules import LAST, RULES
from tests.support.estate import ACTORS, NOBODY, Estate
from tests.support.estate_traces import named
from tests.support.routes import Route, all_routes, application, is_api, is_page, routes_of
from tests.support.sample_forms import asked, attached, filled

pytestmark = pytest.mark.processes_only


def _order(route: Route) -> int:
    return LAST.index(route[1]) + 1 if route[1] in LAST else 0


PAGES = sorted((route for route in all_routes() if is_page(route)), key=_order)
# What an address names that need not exist: whoever may not know does not learn that it is not there.
MADE_UP = {"action": "resize", "change": "pause"}
CHOICES = [
    (route, {name: choice})
    for route in RULES
    for name, choices in {"action": manage.CHANGES, "change": offers.STATES}.items()
    for choice in choices
    if f"{{{name}}}" in route[1]
]
# Nothing to be found in this estate: no provider to sign in at, no funder's logo, no date that a calendar could hold;
# and what an invitation leads to is known by its mail alone (test_links_in_mails opens it).
NOT_THERE = {
    "/outreach/sign-in/oidc", "/outreach/sign-in/oidc/callback", "/outreach/funder-logo",
    "/outreach/visits/{visit_id}/calendar.ics", "/outreach/invitations/link",
}  # fmt: skip


def test_every_page_and_form_has_a_rule_and_every_rule_a_route() -> None:
    assert unruled(PAGES) == [] and sorted(set(RULES) - set(PAGES)) == []


def test_a_page_that_nobody_made_a_rule_for_is_found() -> None:
    app = application("notify")
    app.add_api_route("/forgotten", lambda: "open to all")
    assert unruled([route for route in routes_of("notify", app) if is_page(route)]) == [("GET", "/notify/forgotten")]


def unruled(routes: list[Route]) -> list[Route]:
    """The routes without a rule."""
    return sorted(set(routes) - set(RULES))


@pytest.mark.parametrize(("route", "choice"), CHOICES, ids=str)
async def test_no_action_of_a_page_is_open_to_those_who_may_not(
    estate: Estate, route: Route, choice: dict[str, str]
) -> None:
    for actor in sorted(set(ACTORS) - RULES[route]):
        assert not _lets_in(actor, await _call(estate, actor, route, choice)), actor


@pytest.mark.parametrize("route", PAGES, ids=" ".join)
async def test_a_page_opens_for_those_who_may_and_for_nobody_else(estate: Estate, route: Route) -> None:
    answers = {actor: await _call(estate, actor, route) for actor in ACTORS}
    refused = {actor for actor, answer in answers.items() if not _lets_in(actor, answer)}
    assert refused == set(ACTORS) - RULES[route]
    statuses = {answers[actor].status_code for actor in RULES[route]}
    found = statuses - {404, 422} if route[0] == "GET" else statuses - {404}
    assert found or route[1] in NOT_THERE, f"the estate lacks what this address names: {statuses}"


def _lets_in(actor: str, answer: httpx.Response) -> bool:
    to_sign_in = answer.headers.get("location", "").startswith("/outreach/sign-in?next=")
    assert answer.status_code < 500, (actor, answer.status_code, answer.text[:500])
    assert not to_sign_in or actor == NOBODY, (actor, "was led to the sign-in page")
    return not to_sign_in and answer.status_code not in (401, 403)


async def _call(
    estate: Estate, actor: str, route: Route, choice: Mapping[str, str] = MappingProxyType(MADE_UP)
) -> httpx.Response:
    method, path = route
    ids = {**dict.fromkeys(re.findall(r"{(\w+)}", path), "none"), **choice, **named(path, estate.ids)}
    http = await estate.client(actor)
    if method == "GET":
        return await http.get(path.format(**ids), params=asked(path, ids))
    hidden = {"csrf": estate.tokens[actor], "request_id": random_id()}
    return await http.post(path.format(**ids), data={**filled(path, ids), **hidden}, files=attached(path))


@pytest.mark.parametrize("route", [route for route in all_routes() if is_api(route)], ids=" ".join)
async def test_the_api_asks_for_a_key_with_the_right_scope(estate: Estate, route: Route) -> None:
    method, path = route
    service = path.split("/")[1]
    right = f"{service}:{'read' if method == 'GET' else 'write'}"
    for scopes, expected in (((), 401), (_all_but(right), 403)):
        key = await estate.key(scopes) if scopes else None
        assert await _status(estate, route, key) == expected, scopes
    assert await _status(estate, route, await estate.key((right,))) not in (401, 403)


@pytest.mark.parametrize("route", [route for route in all_routes() if is_api(route)], ids=" ".join)
async def test_a_session_opens_no_api(estate: Estate, route: Route) -> None:
    http = await estate.client("coordinator")
    answer = await http.request(route[0], re.sub(r"{\w+}", "none", route[1]), headers=_headers(None))
    assert answer.status_code == 401


async def _status(estate: Estate, route: Route, key: str | None) -> int:
    method, path = route
    http = await estate.client(NOBODY)
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    return (await http.request(method, re.sub(r"{\w+}", "none", path), headers=_headers(key), **body)).status_code


def _headers(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": random_id(), **({"Authorization": f"Bearer {key}"} if key else {})}


def _all_but(right: str) -> tuple[str, ...]:
    rights = [f"{service}:{verb}" for service in ("outreach", "events", "notify") for verb in ("read", "write")]
    return tuple(each for each in rights if each != right)
