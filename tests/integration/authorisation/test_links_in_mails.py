"""Mail scanners follow every link: whatever a mail of any kind leads to, opening it changes nothing."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from html import unescape

import pytest

from deploy.local.demo.client import until
from services.notify import mails
from services.notify.rendering import MAILS, Writer
from services.notify.samples import sample_deliveries
from shared.answer_links import AnswerLinks, AsSeen
from shared.mongo import database
from tests.support.estate import NOBODY, Estate
from tests.support.estate_traces import LINKS, send
from tests.support.fingerprints import fingerprint
from tests.support.front_door import NOW, SECRET
from tests.support.notify_builders import STARTS
from tests.support.servers import MailServer

pytestmark = pytest.mark.processes_only
LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]]")
WHO = (NOBODY, "teacher", "company", "ambassador", "coordinator")
# From real flows; the links of the others hold nothing but ids.
WITH_TOKENS = {
    "sign_in": "/outreach/sign-in/link?token=",
    "invitation": "/outreach/invitations/link?token=",
    "pupil_confirmation": "/notify/confirm/",
    "parent_question": "/notify/parent/",
    "pupil_welcome": "/notify/mine/",
    "confirmation_asked": "/events/confirm-again/",
}
# What a mail leads to without naming it in its body: the field List-Unsubscribe, and addresses that people pass on.
BESIDES = {
    "unsubscribe": "/notify/unsubscribe/{unsubscribe}", "class link": "/notify/class/{secret}",
    "calendar feed": "/notify/calendar/{feed_secret}.ics",
}  # fmt: skip


@pytest.fixture
async def links(fresh_estate: Estate, running_mailbox: MailServer) -> AsyncIterator[dict[str, set[str]]]:
    """The addresses in the mails of each kind."""
    await send(fresh_estate, NOBODY, "/outreach/sign-in", {"email": "teacher@beispiel.example"})
    real: set[str] = set()

    async def arrived() -> bool:
        for mail in running_mailbox.mails():
            real.update(_links(fresh_estate, mail["text"], mail["html"]))
        return all(any(start in link for link in real) for start in WITH_TOKENS.values())

    await until("the mails with tokens", arrived)
    found: dict[str, set[str]] = {kind: set() for kind in mails.KINDS}
    for kind, text, html in _written(fresh_estate):
        found[kind].update(_links(fresh_estate, text, html))
    for kind, start in WITH_TOKENS.items():
        found[kind] = {link for link in real if start in link}
    besides = {name: {fresh_estate.door.url + path.format(**fresh_estate.ids)} for name, path in BESIDES.items()}
    yield {**found, **besides, "arrived": real}


def _links(estate: Estate, text: str, html: str) -> Iterator[str]:
    """Every address in the text, and every target in the HTML; of other tests' mails none."""
    targets = [unescape(link) for link in re.findall(r'(?:href|src|action)="(https?:[^"]+)"', html)]
    for link in (*LINK.findall(text), *targets):
        if link.startswith(f"{estate.door.url}/"):
            yield link


def _written(estate: Estate) -> Iterator[tuple[str, str, str]]:
    """(kind, text, HTML) of a mail of each kind to each recipient, about what there is in the estate."""
    ids = estate.ids
    there = {
        "slots/slot1": f"slots/{ids['slot_id']}", "registrations/reg1": f"registrations/{ids['registration_id']}",
        "offers/offer1": f"offers/{ids['offer_id']}", "visits/visit1": f"visits/{ids['visit_id']}",
        "mine/muster": f"mine/{ids['mine']}", "suppressions/muster": f"suppressions/{ids['suppression_id']}",
        "webhooks/muster": f"webhooks/{ids['webhook_id']}",
        LINKS.token("cannot-come", AsSeen("reg1", 1, 1)): ids["cannot_come"],
        LINKS.token("confirm-again", AsSeen("reg1", 1, 1)): ids["confirm_again"],
    }  # fmt: skip
    writer = Writer(
        estate.door.url, "Perspektive <mail@perspektive.example>", "perspektive.example", "Europe/Berlin",
        links=AnswerLinks(SECRET, estate.door.url),
    )  # fmt: skip
    for language in ("de", "en"):
        for delivery in sample_deliveries(language, STARTS, NOW):  # type: ignore[arg-type]
            content = writer.content(delivery, NOW)
            text, html = content.text, content.html
            for sample, real in there.items():
                text, html = text.replace(sample, real), html.replace(sample, real)
            yield delivery.kind, text, html


def test_every_mail_that_can_be_written_is_of_a_kind_whose_links_are_opened_here() -> None:
    folders = {path.name for path in MAILS.iterdir() if path.is_dir()}
    assert folders - {"common"} == set(mails.KINDS)
    for language in ("de", "en"):
        assert {each.kind for each in sample_deliveries(language, STARTS, NOW)} == set(mails.KINDS)  # type: ignore[arg-type]


async def test_no_link_in_any_mail_changes_anything(fresh_estate: Estate, links: dict[str, set[str]]) -> None:
    assert [kind for kind, found in links.items() if not found] == []
    both = {*links["slot_reminder"], *links["reminder_digest"]}
    assert any("/events/cannot-come/" in link for link in both), "the mails hold the links that people act by"
    before = await _quiet(fresh_estate)
    opened, statuses = set(), defaultdict(set)
    for link in sorted(set().union(*links.values())):
        for actor in WHO:
            for method in ("GET", "HEAD"):
                answer = await (await fresh_estate.client(actor)).request(method, link)
                assert method == "GET" or answer.content == b""
                statuses[link, actor].add(answer.status_code)
                assert answer.status_code < 500 and answer.status_code != 404, (method, actor, link, answer.status_code)
                opened |= {link} if answer.is_success else set()
    assert [where for where, seen in statuses.items() if len(seen) > 1] == [], "HEAD is answered as GET is"
    assert await _all_rows(fresh_estate) == before
    assert opened == set().union(*links.values()), "each link opens for somebody"


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("/notify/confirm/{token}", "notify.participants"), ("/notify/unsubscribe/{token}", "notify.reminder_stops"),
        ("/events/cannot-come/{token}", "events.registrations"),
        ("/events/confirm-again/{token}", "events.registrations"),
    ],
)  # fmt: skip
async def test_the_button_behind_a_link_does_change_something(
    fresh_estate: Estate, links: dict[str, set[str]], path: str, changes: str
) -> None:
    before = await _quiet(fresh_estate)
    await send(fresh_estate, NOBODY, path)
    changed = {name for name, rows in (await _all_rows(fresh_estate)).items() if rows != before[name]}
    assert changes in changed


async def _quiet(estate: Estate) -> dict[str, str]:
    """The fingerprint, once nothing of the estate's furnishing is on its way any more."""
    last: list[dict[str, str]] = [{}]

    async def the_same_again() -> bool:
        last.append(await _all_rows(estate))
        return last[-1] == last[-2] and not await _under_way(estate)

    await until("all to be quiet", the_same_again)
    return last[-1]


async def _under_way(estate: Estate) -> int:
    async with database(estate.mongodb_url, f"{estate.door.prefix}_notify") as db:
        due = {"state": {"$in": ["planned", "sending"]}, "due_at": {"$lte": NOW}}
        return await db.deliveries.count_documents(due)


async def _all_rows(estate: Estate) -> dict[str, str]:
    found = {}
    for service in ("outreach", "events", "notify"):
        async with database(estate.mongodb_url, f"{estate.door.prefix}_{service}") as db:
            found |= {f"{service}.{name}": rows for name, rows in (await fingerprint(db)).items()}
    return found


async def test_an_address_of_no_service_is_a_page_and_below_api_a_problem(fresh_estate: Estate) -> None:
    client = await fresh_estate.client(NOBODY)
    page, problem = await client.get("/nothing"), await client.get("/events/api/v1/slots/a%0Ab")
    assert page.status_code == problem.status_code == 404
    assert page.headers["content-type"].startswith("text/html") and "/outreach/static/" in page.text
    assert problem.headers["content-type"] == "application/problem+json"
