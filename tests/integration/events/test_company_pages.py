"""A company's pages and the coordinator's check of offers, with a real MongoDB: what they do and whom they let in."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.events.domain.check_in import check_in_code
from services.events.usecases import company as company_side
from tests.support.events_api import NOW, OFFER, World, booking, running_events
from tests.support.events_pages import SECRET, Visitor, add_people, change_campaign, text_of

pytestmark = pytest.mark.processes_only

PLACE = {f"place.{name}": value for name, value in OFFER["place"].items()}  # type: ignore[attr-defined]
CONTACT = {"contact.name": "Max Beispiel", "contact.email": "max@firma.example", "contact.language": "de"}
FACTS: dict[str, Any] = {
    "title": OFFER["title"], "description": OFFER["description"], "requirements": "Feste Schuhe",
    "grades": ["8", "9", "10"], **PLACE, **CONTACT,
}  # fmt: skip
SERIES: dict[str, Any] = {
    "series.weekdays": ["1"], "series.first_day": "2026-12-01", "series.last_day": "2027-01-05",
    "series.starts": "09:00", "series.ends": "12:00", "series.skip_days_off": "yes", "places": "25", "groups": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
async def running(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        await add_people(world)
        yield world


@pytest.fixture
async def world(running: World) -> World:
    await running.reset()
    await change_campaign(running, await version_of(running) + 1, check_offers=False)
    return running


async def version_of(world: World) -> int:
    row = await world.db.campaigns.find_one({"_id": "campaign-1"})
    assert row
    return row["version"]


async def check_offers(world: World) -> None:
    await change_campaign(world, await version_of(world) + 1, check_offers=True)


def visitor(world: World, person: str = "") -> Visitor:
    return Visitor(world.client, person)


async def booked(world: World, name: str = "9a", pupils: int = 20, **offer: Any) -> tuple[str, str, str]:
    """(offer, slot, registration) of a slot with one group."""
    slot = await world.slot(offer)
    made = await world.teacher.made(f"slots/{slot['id']}/registrations", booking(name, pupils))
    return slot["offer"]["id"], slot["id"], made["id"]


async def messages(world: World, name: str) -> list[dict[str, Any]]:
    rows = await world.db.outbox.find({"wire.type": f"{name}.v1"}).sort("order", 1).to_list(None)
    return [row["wire"]["data"] for row in rows]


async def test_every_page_lets_in_its_own_company_and_nobody_else(world: World) -> None:
    offer, slot, registration = await booked(world, approval="company")
    code = check_in_code(registration, SECRET)
    own = [
        f"offers/{offer}/edit", f"offers/{offer}/again", f"offers/{offer}/slots/series",
        f"offers/{offer}/slots/withdraw", f"slots/{slot}/check-in", f"check-in/{registration}/{code}",
    ]  # fmt: skip
    for path in own:
        for person, status in (("company", 200), ("coordinator", 200), ("other-company", 403), ("teacher", 403)):
            assert (await visitor(world, person).get(path)).status_code == status, (path, person)
        assert (await visitor(world).get(path)).status_code == (403 if "check-in/" in path[:9] else 303), path
    for path in ("company", "company/visitors", "offers"):
        for person, status in (("company", 200), ("coordinator", 200), ("other-company", 200), ("teacher", 403)):
            assert (await visitor(world, person).get(path)).status_code == status, (path, person)
        assert "Musterschule 1" not in (await visitor(world, "other-company").get(path)).text
    for person, status in (("coordinator", 200), ("company", 403), ("other-company", 403), ("teacher", 403), ("", 303)):
        assert (await visitor(world, person).get("offers/waiting")).status_code == status, person


async def test_forms_of_strangers_change_nothing(world: World) -> None:
    offer, slot, registration = await booked(world, approval="company")
    code = check_in_code(registration, SECRET)
    empty = (await world.company.made(f"offers/{offer}/slots", {
        "starts_local": "2026-12-03T09:00", "ends_local": "2026-12-03T12:00", "places": 20, "groups": 1,
    }))["slots"][0]  # fmt: skip
    before = await world.db.outbox.count_documents({})
    world.clock.moment = datetime.fromisoformat("2026-12-01T08:30:00+00:00")
    forms = {
        f"offers/{offer}/edit": {**FACTS, "version": "1"},
        f"offers/{offer}/again": {"campaign_id": "campaign-1", "slots": [slot], **CONTACT},
        f"offers/{offer}/slots/series": {**SERIES, "step": "open", "series.only": ["2026-12-08"]},
        f"offers/{offer}/slots/withdraw": {"slots": [empty["id"]]},
        f"slots/{slot}/check-in": {f"came.{registration}": "yes", f"pupils.{registration}": "3"},
        f"check-in/{registration}/{code}": {"came": "yes", "pupils": "3"},
        "company/decide": {"registration": [registration], "decision": "approve"},
        "offers/waiting": {"offer": [offer]},
    }
    for path, fields in forms.items():
        for person in ("other-company", "teacher"):
            assert (await visitor(world, person).send(path, fields)).status_code == 403, (path, person)
        assert (await visitor(world).send(path, fields)).status_code in (303, 403), path
    assert await world.db.outbox.count_documents({}) == before
    assert await world.db.offers.count_documents({}) == 1 and await world.db.slots.count_documents({}) == 2


async def test_an_offer_waits_for_its_check_and_nobody_else_sees_it(world: World) -> None:
    await check_offers(world)
    slot = await world.slot()
    offer = slot["offer"]["id"]
    assert (slot["offer"]["state"], await messages(world, "OfferPublished")) == ("submitted", [])
    assert await messages(world, "SlotOpened") == [], "a date is told of when it can be booked"
    for caller in (world.teacher, world.other_company):
        assert (await caller.get(f"offers/{offer}")).status_code == 404
        assert (await caller.get(f"slots/{slot['id']}")).status_code == 404
        assert (await caller.get("offers")).json()["items"] == []
        assert (await caller.get("slots", state="all")).json()["items"] == []
    assert (await visitor(world).get(f"slots/{slot['id']}")).status_code == 404
    assert len((await world.company.get("slots")).json()["items"]) == 1
    refused = await world.teacher.post(f"slots/{slot['id']}/registrations", booking())
    assert refused.status_code == 409
    for change in ("resume", "pause"):
        assert (await world.company.post(f"offers/{offer}/{change}")).status_code == 409, (
            "only the coordinator publishes"
        )


async def test_an_offer_that_is_withdrawn_before_it_was_published_stays_hidden(world: World) -> None:
    await check_offers(world)
    slot = await world.slot()
    offer = slot["offer"]["id"]
    await visitor(world, "company").send(f"offers/{offer}/withdraw")
    for path in (f"offers/{offer}", f"slots/{slot['id']}", f"slots/{slot['id']}/calendar.ics"):
        assert (await visitor(world, "other-company").get(path)).status_code in (403, 404), path
    assert slot["id"] not in (await visitor(world).get("")).text
    listed = await world.other_company.get("slots", state="all")
    assert slot["id"] not in [each["id"] for each in listed.json()["items"]]
    assert "withdrawn" in (await visitor(world, "company").get(f"offers/{offer}")).text
    assert await messages(world, "OfferChanged") == []
    await visitor(world, "coordinator").send("offers/waiting", {"offer": [offer]})
    assert await messages(world, "OfferPublished") == []


async def test_the_coordinator_publishes_many_at_once_and_a_second_click_says_so(world: World) -> None:
    await check_offers(world)
    first, second = await world.slot(), await world.slot({"title": "Zweites"})
    ids = [slot["offer"]["id"] for slot in (first, second)]
    coordinator = visitor(world, "coordinator")
    assert "Zweites" in (await coordinator.get("offers/waiting")).text
    done = await coordinator.send("offers/waiting", {"offer": ids})
    assert done.headers["location"] == "/events/offers/waiting?published=2"
    published = await messages(world, "OfferPublished")
    assert [(each["offer"]["state"], each["checked"]) for each in published] == [("published", True)] * 2
    assert len(await messages(world, "SlotOpened")) == 2
    again = await coordinator.send("offers/waiting", {"offer": ids})
    assert again.status_code == 422 and "does not wait for a check" in again.text
    assert len(await messages(world, "OfferPublished")) == 2
    made = await world.teacher.made(f"slots/{first['id']}/registrations", booking())
    assert made["state"] == "confirmed"


async def test_an_offer_is_sent_back_with_a_reason_changed_and_waits_again(world: World) -> None:
    await check_offers(world)
    offer = (await world.slot())["offer"]["id"]
    coordinator, company = visitor(world, "coordinator"), visitor(world, "company")
    without = await coordinator.send("offers/waiting", {"send_back": offer})
    assert without.status_code == 422 and "Please write what the company should change." in without.text
    sent = await coordinator.send("offers/waiting", {"send_back": offer, f"reason.{offer}": "Welche Haltestelle?"})
    assert sent.headers["location"] == "/events/offers/waiting?sent_back=1"
    assert [each["reason"] for each in await messages(world, "OfferSentBack")] == ["Welche Haltestelle?"]
    home = await company.get("company")
    assert "Welche Haltestelle?" in home.text and "Needs your answer" in home.text
    changed = {**FACTS, "place.directions": "Bus R1", "version": "2"}
    assert (await company.send(f"offers/{offer}/edit", changed)).status_code == 303
    assert OFFER["title"] in (await coordinator.get("offers/waiting")).text
    await coordinator.send("offers/waiting", {"offer": [offer]})
    assert (await messages(world, "OfferPublished"))[0]["offer"]["place"]["directions"] == "Bus R1"


async def test_what_a_company_changes_after_the_check_is_shown_until_it_was_seen_and_blocks_nothing(
    world: World,
) -> None:
    await check_offers(world)
    slot = await world.slot()
    offer = slot["offer"]["id"]
    coordinator, company = visitor(world, "coordinator"), visitor(world, "company")
    await coordinator.send("offers/waiting", {"offer": [offer]})
    assert "since the check" not in (await coordinator.get("offers/waiting")).text
    changed = {**FACTS, "title": "Ganz anders", "requirements": "Helm"}
    await company.send(f"offers/{offer}/edit", {**changed, "version": "2"})
    page = text_of(await coordinator.get("offers/waiting"))
    assert "Changed since the check" in page
    for then, now in ((OFFER["title"], "Ganz anders"), ("; ".join(OFFER["requirements"]), "Helm")):
        assert f"before: {then} now: {now}" in page
    assert "1 published offer was changed" in (await coordinator.get("offers/waiting/count")).text
    booked = await world.teacher.made(f"slots/{slot['id']}/registrations", booking())
    assert booked["state"] == "confirmed"
    stale = await coordinator.send("offers/waiting", {"seen": f"{offer}:2"})
    assert stale.status_code == 422 and "changed this offer meanwhile" in stale.text
    assert (await company.send("offers/waiting", {"seen": f"{offer}:3"})).status_code == 403
    for _ in ("once", "a second click"):
        assert (await coordinator.send("offers/waiting", {"seen": f"{offer}:3"})).status_code == 303
    assert "Ganz anders" not in (await coordinator.get("offers/waiting")).text
    assert "changed" not in (await coordinator.get("offers/waiting/count")).text
    saved = await company.send(f"offers/{offer}/edit", {**changed, "title": "Wieder anders", "version": "3"})
    assert saved.status_code == 303, "noting it leaves the company's open form valid"
    assert "Wieder anders" in (await coordinator.get("offers/waiting")).text
    await company.send(f"offers/{offer}/edit", {**changed, "version": "4"})
    assert "Ganz anders" not in (await coordinator.get("offers/waiting")).text, "it says again what was checked"


async def test_what_the_coordinator_changes_herself_she_has_seen(world: World) -> None:
    await check_offers(world)
    offer = (await world.slot())["offer"]["id"]
    coordinator = visitor(world, "coordinator")
    await coordinator.send("offers/waiting", {"offer": [offer]})
    await coordinator.send(f"offers/{offer}/edit", {**FACTS, "title": "Von der Agentur", "version": "2"})
    assert (await world.db.offers.find_one({"_id": offer}))["facts"]["title"] == "Von der Agentur"
    assert "Von der Agentur" not in (await coordinator.get("offers/waiting")).text


async def test_a_changed_place_is_told_to_the_groups_and_a_changed_title_is_not(world: World) -> None:
    offer, slot, _ = await booked(world)
    company = visitor(world, "company")
    assert "1 class is registered" in text_of(await company.get(f"offers/{offer}/edit"))
    await company.send(f"offers/{offer}/edit", {**FACTS, "title": "Neuer Titel", "version": "1"})
    moved = {**FACTS, "title": "Neuer Titel", "version": "2", "note": "Wir ziehen um.", "place.postal_code": "57462",
             "place.town": "Olpe", "requirements": "Feste Schuhe\nHelm"}  # fmt: skip
    await company.send(f"offers/{offer}/edit", moved)
    told = [(each["offer"]["title"], each["changed"], each["note"]) for each in await messages(world, "OfferChanged")]
    assert told == [("Neuer Titel", [], ""), ("Neuer Titel", ["place", "requirements"], "Wir ziehen um.")]
    shown = (await world.teacher.get(f"slots/{slot}")).json()
    assert shown["offer"]["requirements"] == ["Feste Schuhe", "Helm"] and shown["offer"]["place"]["town"] == "Olpe"
    assert (await world.teacher.get("slots", district="05966")).json()["items"][0]["id"] == slot
    stale = await company.send(f"offers/{offer}/edit", moved)
    assert stale.status_code == 422 and "Somebody else changed this offer meanwhile" in stale.text


async def test_a_company_says_in_words_when_to_remind_and_leaves_it_to_the_campaign_by_saying_nothing(
    world: World,
) -> None:
    offer, _, _ = await booked(world)
    company = visitor(world, "company")
    own = {**FACTS, "reminders": "7 Tage vorher um 8:00, 1 Stunde vorher", "version": "1"}
    assert (await company.send(f"offers/{offer}/edit", own)).status_code == 303
    assert (await messages(world, "OfferChanged"))[-1]["offer"]["reminders"] == ["7d", "1h"]
    assert "7 days before at 8:00, 1 hour before" in (await company.get(f"offers/{offer}/edit")).text
    unclear = await company.send(f"offers/{offer}/edit", {**own, "reminders": "soon", "version": "2"})
    assert unclear.status_code == 422
    await company.send(f"offers/{offer}/edit", {**own, "reminders": "", "version": "2"})
    assert (await messages(world, "OfferChanged"))[-1]["offer"]["reminders"] is None


async def test_a_school_is_asked_again_when_the_requirements_change_and_only_then(world: World) -> None:
    offer, _, registration = await booked(world)
    company, teacher = visitor(world, "company"), visitor(world, "teacher")

    async def acknowledged() -> bool:
        return (await world.teacher.get(f"registrations/{registration}")).json()["acknowledged"]

    assert await acknowledged()
    changed = {**FACTS, "requirements": "Schutzbrille", "version": "1"}
    assert (await company.send(f"offers/{offer}/edit", changed)).status_code == 303
    assert not await acknowledged()
    await teacher.send(f"registrations/{registration}/acknowledge", {})
    assert await acknowledged()
    await company.send(f"offers/{offer}/edit", {**changed, "title": "Anderer Titel", "version": "2"})
    assert await acknowledged()


async def test_a_series_is_shown_before_it_is_opened_and_can_be_taken_back(world: World) -> None:
    offer, slot, _ = await booked(world)
    company = visitor(world, "company")
    preview = await company.send(f"offers/{offer}/slots/series", SERIES)
    shown = text_of(preview)
    assert preview.status_code == 200 and "there is a date on this day already" in shown
    assert "lies outside the campaign" in shown and await world.db.slots.count_documents({}) == 1
    chosen = {**SERIES, "step": "open", "series.only": ["2026-12-08", "2026-12-15"]}
    opened = await company.send(f"offers/{offer}/slots/series", chosen, "one-request")
    assert "opened=2" in opened.headers["location"]
    again = await company.send(f"offers/{offer}/slots/series", chosen, "one-request")
    assert again.headers["location"] == opened.headers["location"]
    assert await world.db.slots.count_documents({}) == 3, "a repeated request opens nothing twice"
    batch = opened.headers["location"].split("batch=")[1]
    undo = await company.get(f"offers/{offer}/slots/withdraw?batch={batch}")
    assert undo.text.count(" checked") == 2 and slot not in undo.text
    ids = [row["_id"] async for row in world.db.slots.find({})]
    done = await company.send(f"offers/{offer}/slots/withdraw", {"slots": ids})
    assert done.headers["location"].endswith("?withdrawn=2&kept=1"), "a date with a group stays"
    assert [row["_id"] async for row in world.db.slots.find({"state": "open"})] == [slot]


async def test_a_series_without_a_tick_says_so_at_the_dates_and_keeps_what_was_typed(world: World) -> None:
    offer, _, _ = await booked(world)
    company = visitor(world, "company")
    answer = await company.send(f"offers/{offer}/slots/series", {**SERIES, "step": "open"})
    assert answer.status_code == 422 and await world.db.slots.count_documents({}) == 1
    assert 'href="#series.only"' in answer.text and 'id="series.only"' in answer.text
    assert 'id="only-error"' in answer.text and "Please tick at least one date." in text_of(answer)
    for name in ("series.first_day", "series.last_day", "series.starts", "series.ends", "places", "groups"):
        assert f'name="{name}" value="{SERIES[name]}"' in answer.text, name
    assert " checked" not in answer.text
    without = {name: value for name, value in SERIES.items() if name != "series.weekdays"}
    answer = await company.send(f"offers/{offer}/slots/series", without)
    assert answer.status_code == 422 and 'id="series.weekdays-error"' in answer.text
    assert all(f'value="{SERIES[name]}"' in answer.text for name in ("series.first_day", "series.ends", "places"))


async def test_an_offer_comes_again_on_the_same_weekdays_a_year_later(world: World) -> None:
    offer, slot, _ = await booked(world)
    company = visitor(world, "company")
    holiday = await world.company.made(f"offers/{offer}/slots", {
        "starts_local": "2026-11-02T09:00", "ends_local": "2026-11-02T12:00", "places": 25, "groups": 2,
    })  # fmt: skip
    year = timedelta(days=364)
    await change_campaign(
        world, await version_of(world) + 1, starts_on="2027-10-01", ends_on="2027-12-17", offers_from=NOW,
        booking_from=NOW, closes_at=NOW + year,
    )  # fmt: skip
    try:
        shown = text_of(await company.get(f"offers/{offer}/again?campaign_id=campaign-1"))
        assert "30 November 2027" in shown and "Allerheiligen" not in shown and "There is no school on" in shown
        refused = {"campaign_id": "campaign-1", "slots": [holiday["slots"][0]["id"]], **CONTACT}
        assert (await company.send(f"offers/{offer}/again", refused)).status_code == 422
        assert await world.db.offers.count_documents({}) == 1, "the preview creates nothing"
        made = await company.send(f"offers/{offer}/again", {"campaign_id": "campaign-1", "slots": [slot], **CONTACT})
        assert made.status_code == 303
        rows = await world.db.slots.find({"offer_id": {"$ne": offer}}).to_list(None)
        assert [(row["starts_local"], row["places"], row["taken"]) for row in rows] == [("2027-11-30T09:00:00", 25, 0)]
    finally:
        await change_campaign(world, await version_of(world) + 1, starts_on="2026-11-01", ends_on="2026-12-18",
                              offers_from=NOW - timedelta(days=30), booking_from=NOW - timedelta(days=3),
                              closes_at=NOW + timedelta(days=90))  # fmt: skip


async def test_many_are_approved_at_once_and_the_second_click_says_already_done(world: World) -> None:
    slot = await world.slot({"approval": "company"}, places=60, groups=3)
    one = await world.teacher.made(f"slots/{slot['id']}/registrations", booking("9a"))
    two = await world.other_teacher.made(f"slots/{slot['id']}/registrations", booking("9b", school="school-2"))
    company = visitor(world, "company")
    home = await company.get("company")
    assert "Musterschule 1" in home.text and "Musterschule 2" in home.text
    fields = {"registration": [one["id"], two["id"]], "decision": "approve"}
    assert (await company.send("company/decide", fields)).headers["location"] == "/events/company?done=approved"
    again = await company.send("company/decide", fields)
    assert again.status_code == 422 and again.text.count("This registration is confirmed already.") >= 2
    assert len(await messages(world, "RegistrationConfirmed")) == 2


async def test_visitors_stand_in_one_list_over_all_dates_without_those_who_cancelled(world: World) -> None:
    await booked(world)
    other = await world.slot(
        {"title": "Zweites Angebot"}, starts_local="2026-12-02T09:00", ends_local="2026-12-02T12:00"
    )
    gone = await world.teacher.made(f"slots/{other['id']}/registrations", booking("9c"))
    await world.other_teacher.made(f"slots/{other['id']}/registrations", booking("8b", 4, "school-2"))
    await world.teacher.made(f"registrations/{gone['id']}/cancel", {"reason": ""})
    shown = text_of(await visitor(world, "company").get("company/visitors"))
    assert shown.index("Class 9a") < shown.index("Class 8b") and "Class 9c" not in shown
    assert "Rollstuhl" in shown and "erika@schule.example" in shown
    file = (await visitor(world, "company").get("company/visitors.csv")).text
    assert file.index("9a") < file.index("8b") and "9c" not in file and "Rollstuhl" in file
    assert "9a" not in (await visitor(world, "company").get("company/visitors.csv?past=yes")).text
    assert (await visitor(world, "teacher").get("company/visitors.csv")).status_code == 403
    world.clock.moment = NOW + timedelta(days=80)
    later = text_of(await visitor(world, "company").get("company/visitors?past=yes"))
    assert later.index("Class 8b") < later.index("Class 9a"), "the latest first"
    assert "company/visitors.csv?past=yes" in (await visitor(world, "company").get("company/visitors?past=yes")).text


async def test_a_group_is_checked_in_by_its_code_and_the_entry_can_be_corrected(world: World) -> None:
    _, _, registration = await booked(world)
    code = check_in_code(registration, SECRET)
    path = f"check-in/{registration}/{code}"
    company = visitor(world, "company")
    early = await company.get(path)
    assert "one hour before the start" in early.text and "The group is here" not in early.text
    world.clock.moment = datetime.fromisoformat("2026-12-01T07:30:00+00:00")
    page = await company.get(path)
    assert 'value="20"' in page.text and "Class 9a" in page.text
    assert (await company.send(path, {"came": "yes", "pupils": "19", "version": "1"})).status_code == 303
    shown = text_of(await company.get(path))
    assert "19 pupils are recorded" in shown and "Correct the entry" in shown
    unseen = await company.send(path, {"came": "yes", "pupils": "17", "version": "1"})
    assert unseen.status_code == 422 and "Somebody else has recorded this group meanwhile" in unseen.text
    twice = await company.send(path, {"came": "yes", "pupils": "19", "version": "2"})
    assert twice.status_code == 422 and "recorded already" in twice.text
    assert (await company.send(path, {"came": "yes", "pupils": "18", "version": "2"})).status_code == 303
    assert [each["registration"]["pupils_attended"] for each in await messages(world, "RegistrationAttended")] == [
        19,
        18,
    ]


@pytest.mark.parametrize("person", ["", "teacher", "other-company"])
async def test_a_code_shows_nothing_to_anybody_but_the_host(world: World, person: str) -> None:
    _, _, registration = await booked(world)
    right = await visitor(world, person).get(f"check-in/{registration}/{check_in_code(registration, SECRET)}")
    wrong = await visitor(world, person).get(f"check-in/{registration}/AAAAAAAAAAAAAAAA")
    unknown = await visitor(world, person).get(f"check-in/{'0' * 32}/AAAAAAAAAAAAAAAA")
    for answer in (right, wrong, unknown):
        assert answer.status_code == 403 and "Musterschule" not in answer.text and "Class 9a" not in answer.text
        assert "check-in code" in answer.text


async def test_a_wrong_code_is_refused_even_to_the_host(world: World) -> None:
    _, _, registration = await booked(world)
    answer = await visitor(world, "company").get(f"check-in/{registration}/AAAAAAAAAAAAAAAA")
    assert answer.status_code == 404 and "Class 9a" not in answer.text


async def test_all_groups_of_a_date_are_ticked_at_once(world: World) -> None:
    slot = await world.slot(places=60, groups=3)
    ids = []
    for name, caller, school in (("9a", world.teacher, "school-1"), ("9b", world.other_teacher, "school-2")):
        ids.append((await caller.made(f"slots/{slot['id']}/registrations", booking(name, 20, school)))["id"])
    world.clock.moment = datetime.fromisoformat("2026-12-01T08:30:00+00:00")
    fields: dict[str, str | list[str]] = {f"came.{ids[0]}": "no", "all": "yes"}
    for registration in ids:
        fields |= {f"open.{registration}": "yes", f"pupils.{registration}": "20", f"version.{registration}": "1"}
    company = visitor(world, "company")
    assert (await company.send(f"slots/{slot['id']}/check-in", fields)).status_code == 303
    rows = {row["_id"]: row async for row in world.db.registrations.find({})}
    assert [(rows[each]["state"], rows[each]["pupils_attended"]) for each in ids] == [("no_show", 0), ("attended", 20)]


async def test_a_number_without_a_tick_is_asked_for_and_nothing_is_thanked_for(world: World) -> None:
    _, slot, registration = await booked(world)
    world.clock.moment = datetime.fromisoformat("2026-12-01T08:30:00+00:00")
    company = visitor(world, "company")
    fields = {f"open.{registration}": "yes", f"pupils.{registration}": "20", f"version.{registration}": "1"}
    untouched = await company.send(f"slots/{slot}/check-in", fields)
    changed = await company.send(f"slots/{slot}/check-in", fields | {f"pupils.{registration}": "18"})
    assert (untouched.status_code, changed.status_code) == (422, 422)
    assert "Please tick for each class" in untouched.text
    assert "Please tick whether the class is here" in changed.text and 'value="18"' in changed.text
    row = await world.db.registrations.find_one({"_id": registration})
    assert row and row["pupils_attended"] is None


async def test_offers_come_page_by_page_with_one_query_for_all_their_dates(world: World) -> None:
    for number in range(23):
        await world.slot({"title": f"Angebot {number:02}"})
        world.clock.moment += timedelta(seconds=1)
    company = visitor(world, "company")
    first = await company.get("offers")
    assert "Angebot 22" in first.text and "Angebot 02" not in first.text, "the newest first"
    following = first.text.split('href="/events/offers?after=')[1].split('"')[0]
    second = await company.get(f"offers?after={following}")
    assert [f"Angebot {n:02}" in second.text for n in range(4)] == [True, True, True, False]


async def test_home_shows_the_requests_with_the_earliest_dates_and_says_how_many_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company_side, "REQUESTS_SHOWN", 1)
    later = await world.slot({"approval": "company"}, starts_local="2026-12-08T09:00", ends_local="2026-12-08T12:00")
    earlier = await world.slot({"approval": "company"})
    for slot, name in ((later, "9x"), (earlier, "9a")):
        await world.teacher.made(f"slots/{slot['id']}/registrations", booking(name, 20))
    page = (await visitor(world, "company").get("company")).text
    assert page.count('name="registration"') == 1
    asked = page.partition('name="registration"')[2].partition("</fieldset>")[0]
    assert "9a" in asked and "9x" not in asked
    assert "2 Klassen warten auf Ihre Antwort" in page or "2 classes wait for your answer" in page


async def test_classes_are_declined_in_two_steps(world: World) -> None:
    slot = await world.slot({"approval": "company"}, places=60, groups=3)
    made = [await world.teacher.made(f"slots/{slot['id']}/registrations", booking(name)) for name in ("9a", "9b")]
    company = visitor(world, "company")
    for path in ("company/decide", f"slots/{slot['id']}/decide"):
        asked = await company.send(path, {"registration": [made[0]["id"]], "decision": "decline"})
        assert asked.status_code == 200 and "Really decline?" in asked.text
        assert "Class 9a" in asked.text and "Class 9b" not in asked.text
    assert await messages(world, "RegistrationDeclined") == []
    sure = {"registration": [made[0]["id"]], "decision": "decline", "sure": "yes", "reason": "Umbau"}
    assert (await company.send("company/decide", sure)).status_code == 303
    assert [each["registration"]["reason"] for each in await messages(world, "RegistrationDeclined")] == ["Umbau"]
    other = {"registration": [made[1]["id"]]}
    assert (await company.send("company/decide", {**other, "decision": "approve"})).status_code == 303
    late = await company.send("company/decide", {**sure, **other})
    assert late.status_code == 422 and "Class 9b of" in late.text and "does not wait for an answer" in late.text


async def test_nothing_is_said_to_be_answered_when_the_reason_is_too_long(world: World) -> None:
    slot = await world.slot({"approval": "company"}, places=60, groups=3)
    made = [await world.teacher.made(f"slots/{slot['id']}/registrations", booking(name)) for name in ("9a", "9b")]
    fields = {"registration": [each["id"] for each in made], "decision": "decline", "sure": "yes", "reason": "x" * 501}
    answer = await visitor(world, "company").send("company/decide", fields)
    assert answer.status_code == 422 and "at most 500 characters" in answer.text
    assert "was answered" not in answer.text and "were answered" not in answer.text
    assert await messages(world, "RegistrationDeclined") == []


async def test_a_requirement_that_is_too_long_is_named_at_its_field(world: World) -> None:
    fields = {"requirements": f"Sicherheitsschuhe\n{'x' * 161}"}
    answer = await visitor(world, "company").send("offers/new", fields)
    assert answer.status_code == 422
    assert 'href="#requirements"' in answer.text and "Entry 2: This is too long" in answer.text


async def test_a_cursor_that_is_none_of_ours_is_no_failure(world: World) -> None:
    slot = await world.slot()
    for path in ("registrations", "self-found", "company/visitors", "offers", f"offers/{slot['offer']['id']}"):
        who = "teacher" if path in ("registrations", "self-found") else "company"
        assert (await visitor(world, who).get(f"{path}?after={'x' * 201}")).status_code == 422, path
