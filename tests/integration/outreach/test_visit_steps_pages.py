"""Pages around a proposal: agreeing, other dates, withdrawing; paper, calendar, breaks, finding a school; who may."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from services.outreach.domain.people import Person
from services.outreach.domain.visit_commands import AcceptVisit, MoveVisit
from services.outreach.usecases import visit_proposals, visits
from shared.ids import random_id
from shared.schemas.outreach import Role
from tests.integration.outreach.test_visit_pages import TYPED, assert_sound
from tests.support.visits import COORDINATOR, MONDAY, NOW, ZONE, date_given
from tests.support.visits_db import asked, booked, fill, propose, said

pytestmark = pytest.mark.processes_only
DATES = {
    "alternatives.0.day": "2026-11-16", "alternatives.0.lesson": "1", "alternatives.1.day": "2026-11-18",
    "alternatives.1.lesson": "3",
}  # fmt: skip


@pytest.fixture(autouse=True)
async def _filled(store):
    await fill(store)


@pytest.fixture
def as_person(store, sign_in):
    """Signs in somebody with one role, or one of the ambassadors."""

    async def enter(kind: str, organisation_id: str = "agency"):
        if kind == "ambassador":
            return await sign_in(f"person-{organisation_id}")
        role = Role(kind=kind, organisation_id=organisation_id)
        person = Person(id=f"{kind}-{organisation_id}", name="Erika Muster", email="e@x.example", roles=(role,))
        if not await store.db.people.find_one({"_id": person.id}):
            await store.insert("people", person, email_key=f"{person.id}@x.example")
        return await sign_in(person.id)

    return enter


async def shown(browser, path: str, status: int = 200) -> str:
    page = await browser.get(path)
    assert page.status_code == status, page.text
    assert_sound(page.text)
    return page.text


async def sent(browser, path: str, fields: dict) -> None:
    answer = await browser.send(path, fields)
    assert answer.status_code == 303, answer.text


async def confirmed(store, *ids: str):
    visit = await propose(store, await asked(store), *ids)
    for id in ids:
        command = AcceptVisit(ambassador_id=id)
        await visit_proposals.accept_visit(store, COORDINATOR, visit.id, command, now=NOW, request_id=random_id())
    return visit


async def elsewhere(store):
    visit = await propose(store, await asked(store), "a")
    to = MoveVisit(**date_given(MONDAY + timedelta(days=14)).model_dump())
    await visits.move_visit(store, COORDINATOR, visit.id, to, zone=ZONE, now=NOW, request_id=random_id())
    return visit


async def test_a_teacher_chooses_day_and_lesson_only(as_person, store):
    teacher = await as_person("teacher", "100001")
    await shown(teacher, "/outreach/visits/new")
    plain = {name: value for name, value in TYPED.items() if not name.startswith("alternatives.")}
    await sent(teacher, "/outreach/visits/new", {**plain, **DATES, "room": "Aula"})
    row = await store.db.visits.find_one()
    times = [each["starts_local"][11:] for each in row["alternatives"]]
    assert (times, row["room"]) == (["08:00", "09:50"], "Aula")


async def test_a_teachers_home_takes_in_what_visits_are_coming_and_nothing_of_other_schools(as_person, store):
    teacher, other = await as_person("teacher", "100001"), "/outreach/visits/coming"
    assert (await teacher.get(other)).text.strip() == ""
    visit = await confirmed(store, "a")
    page = (await teacher.get(other)).text
    assert f"/outreach/visits/{visit.id}" in page and "The date is certain" in page and "<html" not in page
    assert visit.id not in (await (await as_person("teacher", "100002")).get(other)).text


async def test_a_teacher_agrees_to_a_date_that_was_not_among_hers(as_person, store):
    visit = await elsewhere(store)
    teacher = await as_person("teacher", "100001")
    assert "This needs you" in await shown(teacher, "/outreach/visits")
    page = await shown(teacher, f"/outreach/visits/{visit.id}")
    assert "This date was not among yours" in page and "Answer by Thu, 5 November 2026" in page
    await sent(teacher, f"/outreach/visits/{visit.id}/agree", {})
    assert "Accepted: 0 of 1." in await shown(teacher, f"/outreach/visits/{visit.id}")
    again = await teacher.send(f"/outreach/visits/{visit.id}/agree", {"request_id": "another"})
    assert again.status_code == 422 and "agreed to this date already" in again.text


async def test_a_teacher_names_other_dates_in_two_steps(as_person, store):
    visit = await propose(store, await asked(store), "a", "b")
    teacher = await as_person("teacher", "100001")
    first = await shown(teacher, f"/outreach/visits/{visit.id}/dates")
    assert "2 ambassadors are free again" in first and len(await booked(store)) == 2
    wrong = await teacher.send(f"/outreach/visits/{visit.id}/dates", {**DATES, "alternatives.1.day": "2026-12-24"})
    assert wrong.status_code == 422 and 'id="alternatives.1.day-error"' in wrong.text
    assert_sound(wrong.text)
    await sent(teacher, f"/outreach/visits/{visit.id}/dates", DATES)
    assert await booked(store) == [] and (await said(store, visit.id))[-1] == "VisitProposalWithdrawn"


async def test_a_company_withdraws_its_proposal_in_two_steps(as_person, store):
    visit = await propose(store, await asked(store), "a")
    company = await as_person("company", "works")
    assert "/withdraw" in await shown(company, f"/outreach/visits/{visit.id}")
    await shown(company, f"/outreach/visits/{visit.id}/withdraw")
    assert len(await booked(store)) == 1
    await sent(company, f"/outreach/visits/{visit.id}/withdraw", {"reason": "Ferien"})
    assert await booked(store) == []
    assert "Propose this team" in await shown(company, f"/outreach/visits/{visit.id}")


async def test_the_team_that_suits_best_is_ticked_with_the_reasons(sign_in, coordinator, store):
    await store.db.ambassadors.update_one({"_id": "c"}, {"$set": {"fields": ["M"], "home_postal_code": "57072"}})
    visit = await asked(store)
    page = await shown(await sign_in(coordinator), f"/outreach/visits/{visit.id}")
    ticked = [
        part.split('"')[0] for part in page.split('name="ambassador_ids" value="')[1:] if " checked>" in part[:80]
    ]
    assert ticked == ["c", "a"]
    assert "field fits" in page and "0 of at most 10 visits in this campaign" in page and "about" in page


async def test_a_confirmed_visit_has_a_sheet_and_a_calendar_entry(as_person, store):
    visit = await confirmed(store, "a")
    ambassador = await as_person("ambassador", "a")
    sheet = await shown(ambassador, f"/outreach/visits/{visit.id}/sheet")
    assert "Lehrkraft Muster" in sheet and "27 pupils" in sheet
    answer = await ambassador.get(f"/outreach/visits/{visit.id}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    event = Calendar.from_ical(answer.text).walk("VEVENT")[0]
    assert str(event["UID"]) == f"visit-{visit.id}-ambassador-a@perspektive.example"
    assert event["DTSTART"].dt.isoformat() == "2026-11-09T08:00:00+01:00" and "VTIMEZONE" in answer.text
    assert "Beispielweg 2" in answer.text.replace("\\", "")


async def test_before_the_date_is_certain_there_is_no_calendar_entry(as_person, store):
    visit = await propose(store, await asked(store), "a")
    ambassador = await as_person("ambassador", "a")
    assert (await ambassador.get(f"/outreach/visits/{visit.id}/calendar.ics")).status_code == 404


async def test_an_ambassador_sees_the_way_and_reports_what_the_school_does_not_read(as_person, store, clock):
    await store.db.ambassadors.update_one({"_id": "a"}, {"$set": {"home_postal_code": "57462"}})
    visit = await confirmed(store, "a")
    ambassador = await as_person("ambassador", "a")
    page = await shown(ambassador, "/outreach/my-visits")
    assert "km from your home" in page and 'rel="noreferrer" href="https://www.openstreetmap.org/search' in page
    clock.forward(timedelta(days=8))
    await shown(ambassador, f"/outreach/visits/{visit.id}")
    report = {"pupils_reached": "24", "went_well": "Alle durften schrauben.", "notes": "Mehr Zeit."}
    await sent(ambassador, f"/outreach/visits/{visit.id}/complete", report)
    assert "Alle durften schrauben." in await shown(ambassador, f"/outreach/visits/{visit.id}")
    teacher = await as_person("teacher", "100001")
    page = await shown(teacher, f"/outreach/visits/{visit.id}")
    assert "24 pupils were reached" in page and "schrauben" not in page


async def test_the_list_is_filtered_by_what_stands_in_the_address(sign_in, coordinator, store):
    await asked(store)
    await confirmed(store, "a")
    browser = await sign_in(coordinator)
    for query, count in (("", 2), ("?state=requested", 1), ("?state=confirmed&field=M", 1), ("?district=05958", 0)):
        page = await shown(browser, f"/outreach/visits{query}")
        assert page.count('<h3><a href="/outreach/visits/') == count, query
    assert "No visit fits this filter" in page


async def test_one_of_a_team_drops_out_in_two_steps(as_person, store):
    visit = await confirmed(store, "a", "b")
    path = f"/outreach/visits/{visit.id}"
    ada = await as_person("ambassador", "a")
    assert f'href="{path}/leave"' in await shown(ada, path)
    page = await shown(ada, f"{path}/leave")
    assert "The visit takes place without you, with: Ben (Demo)." in page and f'href="{path}/cancel"' in page
    assert len((await store.db.visits.find_one({"_id": visit.id}))["team"]) == 2, "looking changes nothing"
    await sent(ada, f"{path}/leave", {"reason": "Prüfung"})
    assert "The visit takes place with the others of the team" in await shown(ada, "/outreach/my-visits?done=left")
    row = await store.db.visits.find_one({"_id": visit.id})
    assert (row["state"], [each["ambassador_id"] for each in row["team"]]) == ("confirmed", ["b"])
    page = await shown(await as_person("coordinator"), path)
    assert "dropped out of the team (Prüfung)" in page and "does not come …" not in page
    ben = await as_person("ambassador", "b")
    assert f'href="{path}/leave"' not in await shown(ben, path)
    assert (await ben.get(f"{path}/leave")).status_code == 303
    await shown(ben, "/outreach/my-visits")
    assert (await ben.send(f"{path}/leave", {"reason": ""})).status_code == 422


async def test_a_company_takes_one_of_its_own_out_of_a_team(as_person, store):
    visit = await confirmed(store, "a", "c")
    path = f"/outreach/visits/{visit.id}"
    company = await as_person("company", "works")
    page = await shown(company, path)
    assert f"{path}/leave?ambassador_id=a" in page and f"{path}/leave?ambassador_id=c" not in page
    assert (await company.get(f"{path}/leave?ambassador_id=c")).status_code == 303
    assert "Ada (Demo) does not come?" in await shown(company, f"{path}/leave?ambassador_id=a")
    assert (await company.send(f"{path}/leave", {"ambassador_id": "c"})).status_code == 403
    await shown(company, f"{path}/leave?ambassador_id=a")
    answer = await company.send(f"{path}/leave", {"ambassador_id": "a", "reason": ""})
    assert answer.status_code == 303
    assert "The visit takes place with the others" in await shown(company, answer.headers["location"])
    assert (await store.db.visits.find_one({"_id": visit.id}))["team"][0]["ambassador_id"] == "c"


async def test_a_break_is_begun_in_two_steps_and_ended(as_person, store):
    open_one = await propose(store, await asked(store), "a", "b")
    company = await as_person("company", "works")
    page = await shown(company, "/outreach/ambassadors/a")
    assert "0 took place, 0 planned, 1 not answered yet" in page
    assert "1 open proposal is declined" in await shown(company, "/outreach/ambassadors/a/pause")
    assert (await store.db.ambassadors.find_one({"_id": "a"}))["paused"] is False
    await sent(company, "/outreach/ambassadors/a/pause", {})
    assert (await store.db.visits.find_one({"_id": open_one.id}))["state"] == "requested"
    assert "takes a break" in await shown(company, "/outreach/ambassadors")
    page = await shown(company, f"/outreach/visits/{open_one.id}")
    assert "Ada (Demo) takes a break from visits" in page
    twice = await company.send("/outreach/ambassadors/a/pause", {})
    assert twice.status_code == 422
    await shown(company, "/outreach/ambassadors/a")
    await sent(company, "/outreach/ambassadors/a/resume", {})
    assert (await store.db.ambassadors.find_one({"_id": "a"}))["paused"] is False


async def test_a_company_looks_after_limits_and_days_of_its_own_ambassadors(as_person, store):
    company = await as_person("company", "works")
    await shown(company, "/outreach/ambassadors/a")
    days = {"day": "2026-12-07", "until": "2026-12-08", "reason": "Prüfung"}
    await sent(company, "/outreach/ambassadors/a/block", days)
    assert "to Tue, 8 December 2026" in await shown(company, "/outreach/ambassadors/a")
    await sent(company, "/outreach/ambassadors/a/unblock", {"days": ["2026-12-07", "2026-12-08"]})
    await shown(company, "/outreach/ambassadors/a")
    limits = {"limits.per_week": "3", "limits.per_campaign": "4", "fields": ["M"]}
    await sent(company, "/outreach/ambassadors/a/settings", limits)
    row = await store.db.ambassadors.find_one({"_id": "a"})
    assert (row["blocked_days"], row["limits"]["per_week"]) == ([], 3)


async def test_a_coordinator_finds_a_school_by_words_and_goes_on_with_it(sign_in, coordinator, store):
    await store.db.schools.update_many({}, [{"$set": {"search": {"$toLower": "$name"}}}])
    browser = await sign_in(coordinator)
    page = await shown(browser, "/outreach/visits/new")
    assert 'name="school_id"' not in page and 'hx-get="/outreach/visits/new"' in page
    page = await shown(browser, "/outreach/visits/new?q=andere+schule")
    assert "/outreach/visits/new?school_id=100002" in page and "100001" not in page
    assert "No open school fits" in await shown(browser, "/outreach/visits/new?q=xyz")
    page = await shown(browser, "/outreach/visits/new?school_id=100002")
    assert 'name="school_id" id="school_id" value="100002"' in page and "Siegen, Andere" in page


async def test_the_search_leads_back_to_the_page_that_wanted_a_school_and_nowhere_else(as_person, store):
    await store.db.schools.update_many({}, [{"$set": {"search": {"$toLower": "$name"}}}])
    teacher = await as_person("teacher", "100001")
    page = await shown(teacher, "/outreach/schools/choose?next=/events/registrations%3Fstate%3Dopen&q=andere")
    assert 'href="/events/registrations?state=open&amp;school_id=100002"' in page
    for elsewhere_ in ("https://evil.example/", "//evil.example/events/", "/%5Cevil.example", "/other/", "events/"):
        assert (await teacher.get(f"/outreach/schools/choose?next={elsewhere_}")).status_code == 422


OWN = {"teacher": "100001", "company": "works", "ambassador": "a"}
FOREIGN = {"teacher": "100002", "company": "other", "ambassador": "b"}
GETS = {
    "visits/{id}/dates": {"teacher"}, "visits/{id}/withdraw": {"company"}, "visits/{id}/sheet": set(OWN),
    "ambassadors/a": {"company", "ambassador"}, "ambassadors/a/pause": {"company"},
}  # fmt: skip
POSTS = {
    "visits/{id}/agree": {"teacher"}, "visits/{id}/dates": {"teacher"}, "visits/{id}/withdraw": {"company"},
    "ambassadors/a/settings": {"company", "ambassador"}, "ambassadors/a/block": {"company", "ambassador"},
    "ambassadors/a/unblock": {"company", "ambassador"}, "ambassadors/a/pause": {"company"},
    "ambassadors/a/resume": {"company"},
}  # fmt: skip
FIELDS = {
    **DATES, "day": "2026-12-07", "reason": "", "limits.per_week": "1", "limits.per_campaign": "9",
    "weekdays": "4",
}  # fmt: skip


@pytest.mark.parametrize("kind", OWN)
async def test_foreign_people_are_refused_and_own_ones_are_not(as_person, store, kind):
    visit = await elsewhere(store)
    stranger = await as_person(kind, FOREIGN[kind])
    await stranger.get("/outreach/account")
    for path in GETS:
        assert (await stranger.get("/outreach/" + path.format(id=visit.id))).status_code == 403, path
    await stranger.get("/outreach/account")
    for path in POSTS:
        only = {"agree": {}, "dates": DATES, "withdraw": {"reason": ""}}.get(path.rsplit("/", 1)[1], FIELDS)
        answer = await stranger.send("/outreach/" + path.format(id=visit.id), only)
        assert answer.status_code in (403, 422), path
    assert (await store.db.visits.find_one({"_id": visit.id}))["school_answer"] == "open"
    assert (await store.db.ambassadors.find_one({"_id": "a"}))["version"] == 3, "nothing but the two bookings"
    own = await as_person(kind, OWN[kind])
    for path, allowed in GETS.items():
        answer = await own.get("/outreach/" + path.format(id=visit.id))
        assert (answer.status_code in (200, 303)) == (kind in allowed or "visits/" in path), path


@pytest.mark.parametrize(
    "path", [*GETS, "visits", "visits/new", "visits/{id}/calendar.ics", "schools/choose?next=/events/"]
)
async def test_without_a_session_every_page_leads_to_the_sign_in(browser, store, path):
    visit = await asked(store)
    answer = await browser.get("/outreach/" + path.format(id=visit.id))
    assert answer.status_code == 303 and answer.headers["location"].startswith("/outreach/sign-in?next=")


@pytest.mark.parametrize("path", POSTS)
async def test_without_a_session_no_form_is_taken(browser, store, path):
    visit = await elsewhere(store)
    answer = await browser.client.post("/outreach/" + path.format(id=visit.id), data=FIELDS)
    assert answer.status_code in (303, 403)
    assert (await store.db.visits.find_one({"_id": visit.id}))["school_answer"] == "open"
