"""What is accepted comes back the same everywhere: in the API, on pages, in files, mails and calendar entries; what is
refused is refused with its field's name."""

import csv
import io
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from openpyxl import load_workbook

from deploy.local.demo.client import Client
from shared.auth import SCOPES
from shared.ids import random_id
from shared.tables.escapes import plain
from tests.support.estate import CONTACT, Estate, furnished, offer_of
from tests.support.front_door import running_front_door
from tests.support.servers import MailServer, running_nats

pytestmark = pytest.mark.processes_only
LONGEST = {"group": 60, "contact": 160, "title": 160}
HOSTILE = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ 7 * 7 }}{% raw %}", "%s %(name)s {0} {name}",
    "=1+1", "@SUM(A1)", "-2+3", "+49 271", "'; drop table mails; --", "a;b,c\\n\\,d", "O’Brien & Söhne <GmbH>",
    "👩‍🏭👷🏽‍♂️ Ausbildung 🇩🇪", "שלום 9b", "مدرسة", "e\u0301cole", "ﬁ ﬂ ﬀ", "ﷺ", "…".join("abc"), "&amp; &lt; &#x27;",
    "BEGIN:VEVENT", "0049", "1e5", "TRUE", "#NAME?", "\u200bnull\u200b", "a\u00a0b", "=?utf-8?q?x?=",
)  # fmt: skip
REFUSED = ("a\nBcc: x@post.example", "a\rb", "a\x00b", "a\u2028b", "\u202egnp.exe", "\u2066x", "a\u0085b", "x\ufffe")
Facts = dict[str, str]


def typed(most: int) -> st.SearchStrategy[str]:
    """What somebody might type or paste into one line."""
    letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufffe\uffff")
    random = st.text(letters, min_size=1, max_size=most)
    texts = st.one_of(st.sampled_from(HOSTILE), random).map(lambda text: " ".join(text.split()))
    return texts.filter(lambda text: bool(text) and not any(each in text for each in "\u202a\u202b\u202c\u202d\u202e"))


some_facts = st.fixed_dictionaries({name: typed(most) for name, most in LONGEST.items()}).filter(
    lambda facts: not any("\u2066" <= letter <= "\u2069" for text in facts.values() for letter in text)
)


@pytest.fixture(scope="module")
async def estate(
    mongodb_url: str, running_mailbox: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Estate]:
    with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats_url,
        running_front_door(mongodb_url, nats_url, running_mailbox.smtp_url) as door,
    ):
        async with furnished(door, mongodb_url) as made:
            yield made


@pytest.fixture(scope="module")
async def client(estate: Estate) -> AsyncIterator[Client]:
    async with Client(estate.door.url, await estate.key(tuple(sorted(SCOPES)))) as opened:
        yield opened


class Read(HTMLParser):
    """What a person reads on a page, with white space as a browser shows it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def __contains__(self, text: str) -> bool:
        return _as_shown(text) in _as_shown(" ".join(self.parts)) or _as_shown(text) in _as_shown("".join(self.parts))


def _as_shown(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


async def booked(client: Client, estate: Estate, facts: Facts) -> dict[str, Any]:
    """A confirmed registration that carries these facts; its contact's address is its own."""
    email = f"{random_id()}@schule.example"
    offer = {**offer_of(estate.ids), "approval": "automatic", "title": facts["title"]}
    opened = (await client.post("/events/api/v1/offers", offer)).ok()
    dates = {"starts_local": "2026-12-09T09:00", "ends_local": "2026-12-09T12:00", "places": 30, "groups": 1}
    slot = (await client.post(f"/events/api/v1/offers/{opened['id']}/slots", dates)).ok()["slots"][0]
    body = {
        "school_id": estate.ids["school_id"], "acknowledged": True,
        "group": {"name": facts["group"], "grade": 9, "pupils": 20, "adults": 2},
        "contact": {**CONTACT, "name": facts["contact"], "email": email},
    }  # fmt: skip
    return (await client.post(f"/events/api/v1/slots/{slot['id']}/registrations", body)).ok()


@settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(several=st.lists(some_facts, min_size=12, max_size=12))
async def test_what_is_accepted_comes_back_the_same_everywhere(
    client: Client, estate: Estate, running_mailbox: MailServer, several: list[Facts]
) -> None:
    made = [await booked(client, estate, facts) for facts in several]
    browser = await estate.client("coordinator")
    in_csv, in_xlsx = await csv_rows(browser), await xlsx_rows(browser)
    for facts, row in zip(several, made, strict=True):
        id, texts = row["id"], tuple(facts[name] for name in LONGEST)
        answer = await client.get(f"/events/api/v1/registrations/{id}")
        there = (answer["group"]["name"], answer["contact"]["name"], answer["slot"]["offer"]["title"])
        assert there == texts, "the API"
        page = Read((await browser.get(f"/events/registrations/{id}")).text)
        assert [text for text in texts if text not in page] == [], "the page"
        assert in_csv[id] == texts, "the CSV file"
        assert in_xlsx[id] == texts, "the workbook"
        (mail,) = await running_mailbox.wait_for(to=row["contact"]["email"])
        told = mail["text"].replace("\n", " ")
        assert facts["group"] in mail["subject"], "the subject"
        assert [text for text in texts if _as_shown(text) not in _as_shown(told)] == [], "the mail's text"
        told = Read(mail["html"])  # which greets nobody by name
        assert facts["group"] in told and facts["title"] in told, "the mail's HTML"
        (event,) = Calendar.from_ical(mail["calendar"]).walk("VEVENT")
        assert facts["title"] in str(event["SUMMARY"]) + str(event["DESCRIPTION"]), "the calendar entry"


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("field", ["group.name", "contact.name"])
async def test_what_nobody_can_see_is_refused_at_its_field(
    client: Client, estate: Estate, field: str, text: str
) -> None:
    part, _, name = field.partition(".")
    body: dict[str, Any] = {
        "school_id": estate.ids["school_id"], "group": {"name": "9a", "grade": 9, "pupils": 2, "adults": 0},
        "contact": dict(CONTACT), "acknowledged": True,
    }  # fmt: skip
    body[part][name] = text
    answer = await client.post(f"/events/api/v1/slots/{estate.ids['slot_id']}/registrations", body)
    assert (answer.status, answer.problem) == (422, "body-invalid")
    assert [each["field"] for each in answer.body["errors"]] == [field]


async def test_ten_thousand_letters_are_refused(client: Client, estate: Estate) -> None:
    answer = await client.post("/events/api/v1/offers", {**offer_of(estate.ids), "title": "x" * 10_000})
    assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (422, ["title"])


async def csv_rows(browser: httpx.AsyncClient) -> dict[str, tuple[str, ...]]:
    """What the registrations' file says of each, by id."""
    answer = await browser.get("/events/registrations.csv")
    return _by_id(list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";")))


async def xlsx_rows(browser: httpx.AsyncClient) -> dict[str, tuple[str, ...]]:
    """The same of the workbook."""
    answer = await browser.get("/events/registrations.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content), read_only=True).worksheets[0]
    return _by_id([[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)])


def _by_id(rows: list[list[str]]) -> dict[str, tuple[str, ...]]:
    """With what an import reads of each cell: without the mark before what looks like a formula."""
    head = [name.partition("[")[2].removesuffix("]") for name in rows[0]]
    found = [dict(zip(head, map(plain, row), strict=False)) for row in rows[1:]]
    return {each["id"]: tuple(each[name] for name in ("group.name", "contact.name", "title")) for each in found}
