"""WCAG 2.2 AA by axe on pages in each of their states: registrations, pupils, mails, imports, empty lists, refusals."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.outreach.store.core import Store
from services.outreach.usecases.bootstrap import ensure_coordinator
from shared.mongo import database
from tests.support.estate import NOBODY, REGISTER, Estate
from tests.support.front_door import NOW, running_front_door
from tests.support.looks import LOOKS, Window, answer, open_in_all, opened, show_in_all
from tests.support.servers import MailServer, running_nats
from tests.support.states import STATES, Paths, in_every_state
from tests.support.waiting import until

pytestmark = pytest.mark.processes_only
ONE = "/events/registrations"
SEEN: list[tuple[str, str]] = [
    *((actor, f"{ONE}/{{{state}}}") for state in STATES for actor in ("teacher", "company", "coordinator")),
    *(("teacher", f"{ONE}?state={state}") for state in STATES),
    *(("teacher", f"{ONE}/{{confirmed}}/{sheet}") for sheet in ("day-sheet", "attendance-list", "qr", "cancel")),
    ("company", f"{ONE}/{{confirmed}}/day-sheet"), ("company", f"{ONE}/{{confirmed}}/cancel"),
    ("teacher", "/events/home"), ("company", "/events/home"), ("company", "/events/company"),
    ("company", "/events/company/visitors"), ("company", "/events/company/visitors?past=yes"),
    *(("company", f"/events/slots/{{{slot}}}/{page}") for slot in ("full_slot", "past_slot")
      for page in ("manage", "check-in", "list")),
    ("", "/events/slots/{full_slot}"), ("teacher", "/events/slots/{full_slot}"),
    ("teacher", "/events/compare?slot={full_slot}&slot={past_slot}"),
    ("", "/events/?view=map"), ("", "/events/?view=calendar"), ("", "/events/?from=gestern"),
    ("", "/events/?district=05962&field=K"), ("teacher", "/events/find?group=9a&grade=9&max_km=20"),
    ("company", "/events/offers?withdrawn=yes"), ("company", "/events/offers/new?like={offer_paused}"),
    *(("company", f"/events/offers/{{offer_{state}}}") for state in ("paused", "checked", "withdrawn")),
    ("coordinator", "/events/offers/waiting"), ("coordinator", "/events/offers/{offer_checked}"),
    *(("teacher", f"/notify/class-links/{{confirmed}}{page}") for page in ("", "/sheet", "/renew", "/close")),
    ("teacher", "/notify/class-links/{confirmed}/participants/{participant}/remove"),
    ("teacher", "/notify/class-links/{requested}"),
    ("", "/notify/class/{class}"), ("", "/notify/class/{class}/sent?to=parent"),
    ("", "/notify/class/{class}/sent?to=pupil"), ("", "/notify/erased?by=parent&after=no"),
    ("", "/notify/erased?by=pupil&after=withdraw"), ("", "/notify/class/gone"),
    *(("", f"/notify/{{{pupil}}}") for pupil in
      ("asked", "parent_asked", "parent_said_yes", "reminded", "cannot_come", "too_late")),
    ("operator", "/notify/deliveries/{refused}"), ("operator", "/notify/deliveries/{refused}/resend"),
    ("operator", "/notify/stuck"), ("operator", "/notify/?state=refused"), ("operator", "/notify/suppressions"),
    ("operator", "/notify/suppressions/{suppressed}"), ("operator", "/notify/suppressions/{lifted}"),
    ("operator", "/notify/suppressions/{suppressed}/lift"),
    *(("operator", f"/{service}/messages{page}") for service in ("outreach", "events", "notify")
      for page in ("", "/broken", "/broken/discard", "/replay")),
]  # fmt: skip
REFUSED = [
    ("stranger", "/events/company"), ("teacher", "/events/offers/{offer_paused}"), ("teacher", "/outreach/people"),
    ("company", "/notify/"), ("teacher", "/notify/nowhere"), ("", "/outreach/nowhere"), ("company", "/events/nowhere"),
    ("foreign teacher", f"{ONE}/{{confirmed}}"), ("foreign company", "/events/slots/{full_slot}/manage"),
]  # fmt: skip
NOTHING = [
    ("foreign teacher", "/events/home"), ("foreign teacher", ONE), ("foreign teacher", "/events/self-found"),
    ("foreign teacher", "/events/find"), ("foreign teacher", "/events/compare"),
    ("foreign teacher", "/outreach/visits"), ("foreign teacher", "/outreach/my-organisation"),
    ("foreign company", "/events/company"), ("foreign company", "/events/company/visitors"),
    ("foreign company", "/events/offers"), ("foreign company", "/outreach/visits"),
    ("foreign company", "/outreach/ambassadors"), ("foreign ambassador", "/outreach/my-visits"),
    ("stranger", "/outreach/account"),
]  # fmt: skip
EMPTY = [
    "/outreach/", "/outreach/schools", "/outreach/companies", "/outreach/people", "/outreach/visits",
    "/outreach/ambassadors", "/outreach/api-keys", "/outreach/messages", "/outreach/coverage", "/outreach/feedback",
    "/events/", "/events/offers", "/events/offers/new", "/events/offers/waiting", "/events/registrations",
    "/events/self-found", "/events/coverage", "/events/messages", "/notify/", "/notify/stuck", "/notify/upcoming",
    "/notify/suppressions", "/notify/messages", "/outreach/visits/new",
]  # fmt: skip


@pytest.fixture(scope="session")
async def states(estate: Estate) -> AsyncIterator[Paths]:
    """What is in which state."""
    async with in_every_state(estate) as made:
        yield made


@pytest.mark.parametrize("actor,path", SEEN, ids=str)
async def test_a_state_is_accessible(
    estate: Estate, windows: list[Window], states: Paths, actor: str, path: str
) -> None:
    assert await open_in_all(windows, actor or NOBODY, path.format(**states)) == []
    assert windows[0].status == (404 if "gone" in path or "too_late" in path or "class-links/{req" in path else 200)


@pytest.mark.parametrize("actor,path", REFUSED, ids=str)
async def test_a_refusal_is_accessible(windows: list[Window], states: Paths, actor: str, path: str) -> None:
    assert await open_in_all(windows, actor or NOBODY, path.format(**states)) == []
    assert windows[0].status in (403, 404)


@pytest.mark.parametrize("actor,path", NOTHING, ids=str)
async def test_a_list_with_nothing_in_it_is_accessible(windows: list[Window], actor: str, path: str) -> None:
    assert await open_in_all(windows, actor, path) == []


@pytest.mark.parametrize("path", ["/outreach/search", "/events/search", "/notify/search", "/notify/find"])
@pytest.mark.parametrize("text", ["muster", "beispiel.example", "nothing like it"])
async def test_what_a_search_found_is_accessible(
    estate: Estate, windows: list[Window], states: Paths, path: str, text: str
) -> None:
    pages = [await answer(estate, "coordinator", path, look.language, {"q": text}) for look in LOOKS]
    assert all(pages) and await show_in_all(windows, "coordinator", pages, f"{path} {text}") == []


FILES = {
    "/outreach/imports": ("file", REGISTER),
    "/outreach/import/companies": ("file", b"name;postal_code;town\nA;59821;Arnsberg\n;12;\n"),
    "/outreach/import/people": ("file", b"Name;E-Mail\nToni;keine Adresse\n"),
    "/outreach/import/ambassadors": ("file", b"\xff\xfe"),
    "/events/import/offers": ("file", b"title\nohne alles\n"),
}


@pytest.mark.parametrize("path", FILES)
async def test_an_import_is_accessible_at_every_step(estate: Estate, windows: list[Window], path: str) -> None:
    field, content = FILES[path]
    data = content if isinstance(content, bytes) else b"".join(content.read_bytes().splitlines(True)[:40]) + b"x;y\n"
    http = await estate.client("coordinator")
    sent = {"csrf": estate.tokens["coordinator"], "request_id": path}
    answered = await http.post(path, data=sent, files={field: ("list.csv", data, "text/csv")})
    if answered.status_code == 422:
        assert await show_in_all(windows, "coordinator", [answered.text] * 2, path) == []
        return
    page = answered.headers["location"]
    assert await open_in_all(windows, "coordinator", page) == []  # perhaps still being checked
    await until(lambda: _is_checked(http, page))
    assert await open_in_all(windows, "coordinator", page) == []
    await http.post(page, data=sent)
    assert await open_in_all(windows, "coordinator", page) == []


async def _is_checked(http: Any, page: str) -> bool:
    return "http-equiv" not in (await http.get(page)).text


@pytest.fixture(scope="session")
async def empty_windows(
    browser: Any, mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Window]]:
    """Windows on a system with a coordinator and nothing else."""
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as door,
    ):
        async with database(mongodb_url, f"{door.prefix}_outreach") as db:
            kim = await ensure_coordinator(Store(db), "kim@agentur.example", "Kim Koordination", NOW)
        for service in ("events", "notify"):
            async with database(mongodb_url, f"{door.prefix}_{service}") as db:
                await until(lambda db=db: db.people.find_one({"_id": kim}))  # type: ignore[misc]
        made = [await opened(browser, Estate(door, mongodb_url, {"coordinator": kim}), look) for look in LOOKS]
        yield made
        for window in made:
            await window.context.close()


@pytest.mark.parametrize("path", EMPTY)
async def test_an_empty_system_is_accessible(empty_windows: list[Window], path: str) -> None:
    assert await open_in_all(empty_windows, "coordinator", path) == []
    assert empty_windows[0].status == 200
