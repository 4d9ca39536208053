"""WCAG 2.2 AA by axe, on the pages of everything in each of its states, of lists that are empty, of what is refused,
and on each mail. What there is, is made once for all of these tests.

The looks take turns over states and empty lists: every page is looked at in each of them in test_accessibility.py."""

from collections.abc import AsyncIterator, Iterable
from itertools import cycle
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from services.notify.mails import KINDS
from services.outreach.store.core import Store
from services.outreach.usecases.account import sign_out_everywhere
from services.outreach.usecases.bootstrap import ensure_coordinator
from shared.identity import Identity
from shared.ids import random_id
from tests.browser.states import empty_lists, pages_in_states
from tests.support.estate import NOBODY, Estate, know_each_other
from tests.support.front_door import NOW, running_front_door
from tests.support.looks import LOOKS, Window, answered, open_in_all, opened, show_in_all
from tests.support.sample_forms import SERIES
from tests.support.servers import MailServer, running_nats
from tests.support.states import bring_about
from tests.support.states.common import database_of

pytestmark = pytest.mark.processes_only
TOO_LONG = "x" * 70_000
PUPIL = {"first_name": "Jo", "email": "jo@post.example", "under_16": "false"}


def in_turns(pages: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Each with the number of the look in which it is looked at."""
    return [(*page, look) for page, look in zip(pages, cycle(range(len(LOOKS))), strict=False)]


@pytest.fixture(scope="module")
async def there(estate: Estate) -> dict[str, str]:
    """Ids and links by the names of their states."""
    estate.people["ended"] = estate.ids["colleague_id"]
    async with database_of(estate, "outreach") as db:
        colleague = Identity(estate.people["ended"], "person", "Colleague", ())
        await sign_out_everywhere(Store(db), colleague, now=NOW, request_id=random_id())
    return await bring_about(estate)


@pytest.fixture(scope="module")
async def nothing(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    """A system on its first day: a coordinator, and nothing else."""
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as door,
    ):
        empty = Estate(door, mongodb_url)
        async with database_of(empty, "outreach") as db:
            coordinator = await ensure_coordinator(Store(db), "kim@agentur.example", "Kim Koordination", NOW)
        empty.people["coordinator"] = coordinator
        await know_each_other(empty)
        yield empty


@pytest.fixture(scope="module")
async def empty_windows(browser: Browser, nothing: Estate) -> AsyncIterator[list[Window]]:
    """A window of each look on it."""
    made = [await opened(browser, nothing, look) for look in LOOKS]
    yield made
    for window in made:
        await window.context.close()


@pytest.mark.parametrize(("actor", "address", "status", "look"), in_turns(pages_in_states()))
async def test_every_state_is_accessible(
    windows: list[Window], there: dict[str, str], actor: str, address: str, status: int, look: int
) -> None:
    assert await open_in_all([windows[look]], actor, address.format(**there)) == []
    assert windows[look].status == status


@pytest.mark.parametrize(("actor", "address", "look"), in_turns(empty_lists()))
async def test_every_empty_list_is_accessible(
    windows: list[Window], empty_windows: list[Window], actor: str, address: str, look: int
) -> None:
    window = (empty_windows if actor == "coordinator" else windows)[look]
    assert await open_in_all([window], actor, address) == []
    assert window.status == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_every_mail_is_accessible_in_each_language(windows: list[Window], kind: str) -> None:
    for window in windows:
        await window.sign_in("coordinator")
        assert await window.open(f"/notify/templates/{kind}/preview?language={window.look.language}") == []
    assert {window.status for window in windows} == {200}


async def _shown(
    windows: list[Window], actor: str, path: str, form: dict[str, Any], status: int, **hidden: str
) -> list[str]:
    """What is wrong with the page that the form is answered with, in each look."""
    got = [await answered(window.estate, actor, path, window.look.language, form, **hidden) for window in windows]
    assert {answer.status_code for answer in got} == {status}, [answer.text[:2000] for answer in got]
    return await show_in_all(windows, actor, [answer.text for answer in got], path)


@pytest.mark.parametrize(
    ("actor", "path", "form", "status"),
    [
        (NOBODY, "/outreach/sign-in", {"email": "jemand@schule.example"}, 200),
        (NOBODY, "/outreach/sign-in/code", {"handle": "{handle}", "code": "000000"}, 422),
        (NOBODY, "/outreach/sign-in/code", {"handle": "expired", "code": "000000"}, 422),
        (NOBODY, "/outreach/sign-in/link", {"token": "used"}, 422),
        (NOBODY, "/outreach/invitations/accept", {"token": "used"}, 422),
        (NOBODY, "/notify/class/{class_closed}", PUPIL, 404),
        (NOBODY, "/notify/confirm/{pupil_waits_for_parent}", {}, 404),
        ("teacher", "/events/registrations/{registration_confirmed}/accept", {}, 422),
        ("company", "/events/offers/{offer_published}/slots/series", {**SERIES, "step": "open"}, 422),
        ("ambassador", "/outreach/visits/{visit_left}/leave", {"reason": ""}, 422),
        ("teacher", "/events/registrations/{registration_expired}/accept", {}, 422),
        ("teacher", "/outreach/visits/{visit_done}/cancel", {"reason": "zu spät"}, 422),
        ("ambassador", "/outreach/visits/{visit_due}/complete", {"pupils_reached": "9999"}, 422),
        ("ambassador", "/outreach/visits/{visit_proposed}/decline", {"reason": "x" * 3000}, 422),
        ("teacher", "/events/registrations/{not_recorded}/attend", {"came": "true", "pupils": "0"}, 422),
        ("company", "/events/company/decide",
         {"registration": ["{registration_requested}"], "decision": "decline"}, 200),
        ("company", "/events/slots/{slot_today}/check-in", {}, 422),
        ("teacher", "/events/search", {"q": "nichts dergleichen"}, 200),
        ("coordinator", "/outreach/search", {"q": "nichts dergleichen"}, 200),
        ("coordinator", "/notify/find", {"q": "nichts dergleichen"}, 200),
        ("coordinator", "/outreach/people", {"q": "nichts dergleichen"}, 200),
        ("coordinator", "/notify/stuck", {"chosen": ["{mail_refused}"], "action": "resend"}, 200),
        ("coordinator", "/notify/stuck", {"chosen": ["{mail_refused}"], "action": "settle"}, 200),
        ("coordinator", "/notify/deliveries/{mail_cancelled}/resend", {}, 409),
        ("company", "/outreach/campaigns/new", {}, 403),
        ("teacher", "/outreach/account", {"name": TOO_LONG}, 413),
    ],
)  # fmt: skip
async def test_every_answer_to_a_form_is_accessible(
    windows: list[Window], there: dict[str, str], actor: str, path: str, form: dict[str, Any], status: int
) -> None:
    names = {**there, "handle": await _handle(windows[0].estate)} if "{handle}" in str(form) else there
    filled = {
        name: [each.format(**names) for each in value] if isinstance(value, list) else value.format(**names)
        for name, value in form.items()
    }
    assert await _shown(windows, actor, path.format(**names), filled, status) == []


async def test_an_old_form_is_refused_accessibly(windows: list[Window]) -> None:
    assert await _shown(windows, "teacher", "/outreach/account", {"name": "Neu"}, 403, csrf="old") == []


async def test_an_invitation_that_is_declined_is_accessible(windows: list[Window], there: dict[str, str]) -> None:
    form = {"token": there["invitation_to_decline"]}
    assert await _shown(windows, NOBODY, "/outreach/invitations/decline", form, 200) == []


async def test_too_many_sign_in_mails_are_refused_accessibly(windows: list[Window]) -> None:
    form = {"email": "zu-oft@schule.example"}
    for _ in range(5):
        await answered(windows[0].estate, NOBODY, "/outreach/sign-in", "de", form)
    assert await _shown(windows, NOBODY, "/outreach/sign-in", form, 429) == []


async def test_a_failure_of_ours_is_told_accessibly(estate: Estate, windows: list[Window]) -> None:
    """A row that nobody could have written stands for a fault that nobody thought of."""
    async with database_of(estate, "events") as db:
        await db.self_found_places.insert_one({"_id": "broken", "school_id": estate.ids["school_id"]})
        try:
            assert await open_in_all(windows, "coordinator", "/events/self-found/broken/withdraw") == []
            assert {window.status for window in windows} == {500}
        finally:
            await db.self_found_places.delete_one({"_id": "broken"})


async def _handle(estate: Estate) -> str:
    """With which a browser that asked for a sign-in mail may use its code."""
    http = await estate.client(NOBODY)
    form = {"email": "teacher@beispiel.example", "request_id": random_id()}
    answer = await http.post("/outreach/sign-in", data=form)
    return httpx.URL(answer.headers["location"]).params["request"]
