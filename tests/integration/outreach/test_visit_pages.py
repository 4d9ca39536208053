"""Pages of visits and ambassadors as people use them: teacher, coordinator, company, ambassador."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from services.outreach.domain.people import Person
from shared.schemas.outreach import Role
from tests.support.visits import MONDAY, NOW, date_given
from tests.support.visits_db import asked, booked, fill, propose, said

pytestmark = pytest.mark.processes_only
TYPED = {
    "campaign_id": "campaign", "school_id": "100001", "field": "M", "grade": "8", "group.name": "8a",
    "group.pupils": "27", "contact.name": "Lehrkraft Muster", "contact.email": "lehrkraft@schule.example",
    "contact.language": "de", "alternatives.0.day": "2026-11-09", "alternatives.0.starts": "08:00",
    "alternatives.0.ends": "09:30", "alternatives.1.day": "2026-11-10", "alternatives.1.starts": "08:00",
    "alternatives.1.ends": "09:30", "alternatives.1.lesson": "1", "alternatives.2.day": "",
    "alternatives.2.starts": "", "alternatives.2.ends": "",
}  # fmt: skip


class Sound(HTMLParser):
    """Every label's field and every described-by is there, ids are unique, nothing is scripted or styled inline."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.wanted: set[str] = set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        assert tag != "style" and "style" not in found and (tag != "script" or "src" in found)
        assert not any(name.startswith("on") for name in found)
        if "id" in found:
            self.ids.append(found["id"])
        self.wanted |= {found["for"]} if "for" in found else set()
        self.wanted |= set((found.get("aria-describedby") or "").split())


def assert_sound(html: str) -> None:
    page = Sound()
    page.feed(html)
    assert len(page.ids) == len(set(page.ids)), sorted(page.ids)
    assert page.wanted <= set(page.ids), page.wanted - set(page.ids)


@pytest.fixture(autouse=True)
async def _filled(store):
    await fill(store)


@pytest.fixture
def as_person(store, sign_in):
    """Signs in somebody with one role."""

    async def enter(kind: str, organisation_id: str):
        role = Role(kind=kind, organisation_id=organisation_id)
        person = Person(id=f"{kind}-{organisation_id}", name="Erika Muster", email="e@x.example", roles=(role,))
        await store.insert("people", person, email_key=person.email)
        return await sign_in(person.id)

    return enter


async def shown(browser, path: str, status: int = 200) -> str:
    page = await browser.get(path)
    assert page.status_code == status, page.text
    assert_sound(page.text)
    return page.text


async def sent(browser, path: str, fields: dict) -> str:
    answer = await browser.send(path, fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_teacher_asks_for_a_visit_sees_it_and_calls_it_off_in_two_steps(as_person, store):
    teacher = await as_person("teacher", "100001")
    assert "There is no visit yet" in await shown(teacher, "/outreach/visits")
    form = await shown(teacher, "/outreach/visits/new")
    assert "Siegen, GH Beispiel" in form and "Siegen, Andere" not in form
    address = await sent(teacher, "/outreach/visits/new", TYPED)
    page = await shown(teacher, address)
    assert "A team is being looked for" in page and "lessons 1 and 2" in page and "Propose" not in page
    assert "8a" in await shown(teacher, "/outreach/visits")
    first_step = await shown(teacher, f"{address}/cancel")
    assert "cannot be undone" in first_step and (await store.db.visits.find_one())["state"] == "requested"
    await sent(teacher, f"{address}/cancel", {"reason": "Klassenfahrt"})
    assert "does not take place" in await shown(teacher, address)
    assert await said(store, address.rsplit("/", 1)[1]) == ["VisitRequested", "VisitCancelled"]


async def test_the_same_form_sent_twice_asks_once(as_person, store):
    teacher = await as_person("teacher", "100001")
    await shown(teacher, "/outreach/visits/new")
    assert await sent(teacher, "/outreach/visits/new", TYPED) == await sent(teacher, "/outreach/visits/new", TYPED)
    assert await store.db.visits.count_documents({}) == 1


@pytest.mark.parametrize(
    ("typed", "field", "reason"),
    [
        ({"alternatives.1.day": "2026-12-24"}, "alternatives.1.day", "There is no school on"),
        ({"alternatives.1.day": ""}, "alternatives.1.day", "Please give the day and the lessons"),
        ({"alternatives.1.ends": "07:00"}, "alternatives.1.ends", "The end must be after the start"),
        ({"alternatives.2.day": "2026-11-11"}, "alternatives.2.lesson", "Please give the day and the lessons"),
        ({"group.pupils": ""}, "group.pupils", "required"),
        ({"field": ""}, "field", "required"),
        ({"group.name": "x" * 300}, "group.name", "too long"),
    ],
)
async def test_a_mistake_is_shown_at_its_field_with_what_was_typed(as_person, typed, field, reason):
    teacher = await as_person("teacher", "100001")
    await shown(teacher, "/outreach/visits/new")
    answer = await teacher.send("/outreach/visits/new", {**TYPED, **typed})
    assert answer.status_code == 422
    assert_sound(answer.text)
    assert f'id="{field}-error"' in answer.text and reason in answer.text
    assert 'value="Lehrkraft Muster"' in answer.text and 'value="08:00"' in answer.text


async def test_a_coordinator_sees_who_is_free_and_why_others_are_not_and_proposes(sign_in, coordinator, store):
    await propose(store, await asked(store), "c")
    visit = await asked(store)
    browser = await sign_in(coordinator)
    address = f"/outreach/visits/{visit.id}"
    assert "This needs you" in await shown(browser, "/outreach/visits")
    page = await shown(browser, address)
    assert page.count('name="ambassador_ids"') == 2 and "Cem (Demo) has another visit at that time" in page
    nobody = await browser.send(f"{address}/propose", {"alternative": "0"})
    assert nobody.status_code == 422 and "Please choose at least one" in nobody.text
    assert_sound(nobody.text)
    taken = await browser.send(f"{address}/propose", {"alternative": "0", "ambassador_ids": ["a", "c"]})
    assert taken.status_code == 422 and "has another visit" in taken.text
    await shown(browser, f"{address}?alternative=1")
    await sent(browser, f"{address}/propose", {"alternative": "1", "ambassador_ids": ["a", "b"]})
    page = await shown(browser, address)
    assert "Ada (Demo)" in page and "Accepted: 0 of 2." in page
    await sent(browser, f"{address}/accept", {"ambassador_id": "a"})
    await shown(browser, address)
    await sent(browser, f"{address}/accept", {"ambassador_id": "b"})
    assert "The date is certain" in await shown(browser, address)
    assert 'value="2026-11-10"' in await shown(browser, f"{address}/move")
    wrong = await browser.send(f"{address}/move", {"day": "2026-11-15", "starts": "08:00", "ends": "09:00"})
    assert wrong.status_code == 422 and 'id="day-error"' in wrong.text
    await sent(browser, f"{address}/move", {"day": "2026-11-12", "starts": "08:00", "ends": "09:00", "reason": "Bus"})
    assert (await said(store, visit.id))[-1] == "VisitMoved"


async def test_an_ambassador_accepts_declines_and_blocks_days(sign_in, store, clock):
    first = await propose(store, await asked(store), "a")
    later = [date_given(MONDAY + timedelta(days=n)) for n in (14, 15)]
    second = await propose(store, await asked(store, *later), "a")
    browser = await sign_in("person-a")
    page = await shown(browser, "/outreach/my-visits")
    assert page.count("I will come") == 2 and "No day is blocked" in page
    await sent(browser, f"/outreach/visits/{first.id}/accept", {})
    assert "I cannot come" in await shown(browser, f"/outreach/visits/{second.id}")
    await sent(browser, f"/outreach/visits/{second.id}/decline", {"reason": "Prüfung"})
    assert [row["visit_id"] for row in await booked(store, "a")] == [first.id]
    page = await shown(browser, "/outreach/my-visits")
    assert "No question is open" in page and "The date is certain" in page
    block = {"day": "2026-12-07", "until": "2026-12-09", "weekdays": ["3"], "reason": "Berufsschule"}
    await sent(browser, "/outreach/my-visits/block", block)
    page = await shown(browser, "/outreach/my-visits")
    assert page.count("Free again") == 2 and "Every Thursday" in page and "7 December 2026 to Wed" in page
    await sent(browser, "/outreach/my-visits/unblock", {"weekdays": "3"})
    assert (await shown(browser, "/outreach/my-visits")).count("Free again") == 1
    forged = await browser.send("/outreach/my-visits/unblock", {"weekdays": "nine"})
    assert forged.status_code == 422
    refused = await browser.send("/outreach/my-visits/block", {"day": "2026-11-09", "reason": ""})
    assert refused.status_code == 422 and "There is a visit on" in refused.text
    assert_sound(refused.text)
    empty = await browser.send("/outreach/my-visits/block", {"reason": ""})
    assert empty.status_code == 422 and "at least one day" in empty.text
    limits = {"limits.per_week": "2", "limits.per_campaign": "4", "fields": ["M"], "home_postal_code": "57072"}
    await sent(browser, "/outreach/my-visits/settings", limits)
    assert "At most 2 per week and 4 per campaign" in await shown(browser, "/outreach/my-visits")
    wrong = await browser.send("/outreach/my-visits/settings", {**limits, "limits.per_week": "0"})
    assert wrong.status_code == 422 and 'id="limits.per_week-error"' in wrong.text
    clock.forward(timedelta(days=8))
    assert "Did it take place?" in await shown(browser, "/outreach/my-visits")
    await sent(browser, f"/outreach/visits/{first.id}/complete", {"pupils_reached": "24"})
    assert "24 pupils were reached" in await shown(browser, f"/outreach/visits/{first.id}")


async def test_a_company_proposes_only_its_own_ambassadors_and_invites_new_ones(as_person, store):
    visit = await asked(store)
    company = await as_person("company", "works")
    page = await shown(company, f"/outreach/visits/{visit.id}")
    assert "Ada (Demo)" in page and "Cem (Demo)" not in page and "Lehrkraft Muster" not in page
    refused = await company.send(f"/outreach/visits/{visit.id}/propose", {"alternative": "0", "ambassador_ids": ["c"]})
    assert refused.status_code == 403
    await sent(company, f"/outreach/visits/{visit.id}/propose", {"alternative": "0", "ambassador_ids": ["a"]})
    page = await shown(company, "/outreach/ambassadors")
    assert "Ada (Demo)" in page and "Cem (Demo)" not in page
    typed = {"company_id": "works", "name": "Dora", "email": "dora@betrieb.example", "language": "de",
             "limits.per_week": "1", "limits.per_campaign": "5", "fields": ["M"]}  # fmt: skip
    await sent(company, "/outreach/ambassadors", typed)
    page = await shown(company, "/outreach/ambassadors")
    assert "has not answered yet" in page and "dora@betrieb.example" in page
    assert await store.db.people.count_documents({"email_key": "dora@betrieb.example"}) == 0
    assert (await company.send("/outreach/ambassadors", {**typed, "email": ""})).status_code == 422


async def test_a_company_s_form_begins_with_its_own_texts_and_a_coordinator_s_with_the_newest(
    as_person, store, sign_in, coordinator
):
    for company_id, text in (("works", "Unser Koffer"), ("other", "Fremder Beamer")):
        visit = await propose(store, await asked(store), "a" if company_id == "works" else "c")
        await store.db.visits.update_one({"_id": visit.id}, {"$set": {"material": text, "preparation": text}})
    await store.db.visits.update_one({"_id": visit.id}, {"$set": {"requested_at": NOW + timedelta(hours=1)}})
    later = [date_given(MONDAY + timedelta(days=n)) for n in (14, 15)]
    path = f"/outreach/visits/{(await asked(store, *later)).id}"
    page = await shown(await as_person("company", "works"), path)
    assert "Unser Koffer" in page and "Fremder Beamer" not in page
    assert "Fremder Beamer" in await shown(await sign_in(coordinator), path)


@pytest.mark.parametrize("path", ["visits/new", "my-visits", "ambassadors"])
async def test_pages_of_others_are_closed(as_person, path):
    nobody = await as_person("operator", "agency")
    await shown(nobody, f"/outreach/{path}", 403)


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page(browser):
    answer = await browser.get("/outreach/my-visits")
    assert (answer.status_code, answer.headers["location"]) == (303, "/outreach/sign-in?next=/outreach/my-visits")


async def test_a_form_from_elsewhere_is_refused(as_person, store):
    visit = await asked(store)
    teacher = await as_person("teacher", "100001")
    await shown(teacher, f"/outreach/visits/{visit.id}/cancel")
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await teacher.send(f"/outreach/visits/{visit.id}/cancel", {}, headers=headers)
    assert (answer.status_code, (await store.db.visits.find_one())["state"]) == (403, "requested")


async def test_pages_are_german_for_who_wants_german(as_person, store):
    visit = await asked(store)
    teacher = await as_person("teacher", "100001")
    teacher.client.cookies.set("perspektive_language", "de")
    for path in ("visits", "visits/new", f"visits/{visit.id}", f"visits/{visit.id}/cancel"):
        page = await shown(teacher, f"/outreach/{path}")
        assert "Schulbesuch" in page or "Besuch" in page
    assert "ein Team gesucht" in await shown(teacher, f"/outreach/visits/{visit.id}")


async def test_before_booking_opens_the_form_says_when(as_person, store):
    await store.db.campaigns.update_one({}, {"$set": {"booking_from": datetime(2026, 11, 30, 23, 30, tzinfo=UTC)}})
    teacher = await as_person("teacher", "100001")
    assert "1 December 2026" in await shown(teacher, "/outreach/visits/new")
    await store.db.campaigns.update_one({}, {"$set": {"kinds": ["tour"]}})
    assert "No campaign takes wishes" in await shown(teacher, "/outreach/visits/new")
