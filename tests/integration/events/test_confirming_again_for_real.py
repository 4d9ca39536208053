"""“Please confirm again” with a real MongoDB: whom the worker asks and releases, and what people see of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.events.domain import commands as do
from services.events.domain.facts import ConfirmAgain, Registration
from services.events.store.questions import groups_to_ask, unanswered
from services.events.store.store import Store
from services.events.usecases.upkeep import ask_and_release, reconcile
from shared.answer_links import AnswerLinks, AsSeen
from shared.ids import random_id
from shared.mongo import Database
from tests.support.events_api import OFFER, World, booking, running_events
from tests.support.events_pages import SECRET, Visitor, add_people, text_of
from tests.support.events_world import furnish, offer, register, school, slot

LINKS = AnswerLinks(SECRET, "http://test")
ASKING = {"confirm_again": {"asked": 5, "until": 2}}
# Tuesday, 1 December 2026: asked on Tuesday the 24th at 8:00, until Friday the 27th at 18:00.
ASKED, UNTIL = datetime(2026, 11, 24, 7, tzinfo=UTC), datetime(2026, 11, 27, 17, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def stored(store: Store, made: Registration) -> Registration:
    found = await store.registration(made.id)
    assert found
    return found


async def booked(db: Database, *names: str, **of_slot: Any) -> tuple[Store, list[Registration]]:
    store = await furnish(db, [slot(**of_slot)], offered=offer(confirm_again=ConfirmAgain(5, 2)))
    made = [await store.decide("slot-1", register(name, 10)) for name in names]
    return store, made  # type: ignore[return-value]


async def said(store: Store) -> list[str]:
    rows = await store.db.outbox.find({}).sort("_id", 1).to_list(None)
    return sorted(row["wire"]["type"].split(".")[0] for row in rows)


async def test_the_worker_asks_at_the_time_and_releases_who_has_not_answered(db: Database) -> None:
    store, (silent, answers, waits) = await booked(db, "9a", "9b", "9c", places=20)
    assert await ask_and_release(store, now=ASKED - timedelta(days=8)) == 0
    await ask_and_release(store, now=ASKED - MINUTE)
    assert (await stored(store, silent)).question is None
    await ask_and_release(store, now=ASKED)
    assert (await stored(store, silent)).awaits_answer(1) and (await stored(store, waits)).question is None
    assert await groups_to_ask(store, ASKED) == [], "nobody is asked twice"
    await store.decide(
        "slot-1", do.SayStillComing(now=ASKED + MINUTE, request_id=random_id(), registration_id=answers.id)
    )
    await ask_and_release(store, now=UNTIL - MINUTE)
    assert (await stored(store, silent)).state == "confirmed"
    await ask_and_release(store, now=UNTIL)
    states = [(await stored(store, each)).state for each in (silent, answers, waits)]
    assert states == ["cancelled", "confirmed", "offered"]
    assert (await stored(store, silent)).cause == "not_confirmed_again"
    assert await unanswered(store, UNTIL + MINUTE) == []
    assert (await reconcile(store)).differences == []
    told = await said(store)
    assert told.count("ConfirmationAsked") == 2 and told.count("RegistrationConfirmedAgain") == 1
    assert told.count("RegistrationCancelled") == 1 and told.count("PlacesOffered") == 1


async def test_two_workers_at_once_ask_once_and_release_once(db: Database) -> None:
    store, (made,) = await booked(db, "9a")
    other = Store(db)
    for now in (ASKED, UNTIL):
        await asyncio.gather(ask_and_release(store, now=now), ask_and_release(other, now=now))
    told = await said(store)
    assert told.count("ConfirmationAsked") == 1 and told.count("RegistrationCancelled") == 1
    assert (await stored(store, made)).version == 3


async def test_a_question_about_a_former_date_releases_nobody_and_is_looked_for_once(db: Database) -> None:
    store, (made,) = await booked(db, "9a")
    await ask_and_release(store, now=ASKED)
    later = timedelta(days=14)
    held = slot()
    await store.decide(
        "slot-1",
        do.MoveSlot(
            now=ASKED + MINUTE, request_id=random_id(), zone="Europe/Berlin", starts_utc=held.starts_utc + later,
            ends_utc=held.ends_utc + later, starts_local=held.starts_local + later, ends_local=held.ends_local + later,
        ),
    )  # fmt: skip
    await ask_and_release(store, now=UNTIL)
    assert (await stored(store, made)).state == "confirmed"
    row = await db.registrations.find_one({"_id": made.id})
    assert row and row["open_question"] is False
    await ask_and_release(store, now=ASKED + later)
    await ask_and_release(store, now=UNTIL + later)
    assert (await stored(store, made)).cause == "not_confirmed_again"


async def test_a_schools_movable_day_moves_its_question(db: Database) -> None:
    schools = [school(1, movable_days=frozenset({datetime(2026, 11, 26).date()}))]
    store = await furnish(db, [slot()], schools=schools, offered=offer(confirm_again=ConfirmAgain(5, 2)))
    made = await store.decide("slot-1", register("9a", 10))
    await ask_and_release(store, now=ASKED - timedelta(days=1))
    assert isinstance(made, Registration) and (await stored(store, made)).question


async def test_the_search_for_questions_uses_indexes(db: Database) -> None:
    store, _ = await booked(db, "9a")
    plans = [
        await store.db.registrations.find({"open_question": True, "question.until": {"$lte": UNTIL}}).explain(),
        await store.db.offers.find({"confirm_again.asked": {"$gte": 1}}).explain(),
    ]
    assert all("IXSCAN" in str(plan["queryPlanner"]["winningPlan"]) for plan in plans)


@pytest.fixture(scope="module")
async def running(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        await add_people(world)
        yield world


@pytest.fixture
async def world(running: World) -> World:
    await running.reset()
    return running


async def asked(world: World, **more: Any) -> tuple[dict[str, Any], str]:
    """A confirmed class that was asked, and the path that the mail leads to."""
    made_slot = await world.slot(ASKING | more)
    made = await world.teacher.made(f"slots/{made_slot['id']}/registrations", booking())
    world.clock.moment = ASKED + MINUTE
    await ask_and_release(Store(world.db), now=world.clock.moment)
    return made, f"confirm-again/{LINKS.token('confirm-again', AsSeen(made['id'], 2, 1))}"


async def test_the_page_of_the_mail_has_two_buttons_and_says_until_when(world: World) -> None:
    made, path = await asked(world)
    page = await Visitor(world.client).get(path)
    assert page.status_code == 200 and page.text.count('name="answer"') == 2
    assert "Please answer by Fri, 27 November 2026, 18:00." in text_of(page), text_of(page)
    assert "Erika" not in page.text
    row = await world.db.registrations.find_one({"_id": made["id"]})
    assert row["version"] == 2, "looking changes nothing"


@pytest.mark.parametrize(("answer", "state"), [("yes", "confirmed"), ("no", "cancelled")])
async def test_either_answer_is_given_once_and_shown_again(world: World, answer: str, state: str) -> None:
    made, path = await asked(world)
    for _ in range(2):
        assert (await Visitor(world.client).send(path, {"answer": answer})).status_code == 303
    row = await world.db.registrations.find_one({"_id": made["id"]})
    assert (row["state"], row["version"]) == (state, 3)
    shown = "Thank you, your class comes" if answer == "yes" else "The registration is cancelled"
    assert shown in (await Visitor(world.client).get(path)).text
    other = "no" if answer == "yes" else "yes"
    assert (await Visitor(world.client).send(path, {"answer": other})).status_code == 409


async def test_after_the_time_and_after_a_move_the_link_says_where_to_look(world: World) -> None:
    made, path = await asked(world)
    world.clock.moment = UNTIL
    late = await Visitor(world.client).get(path)
    assert late.status_code == 409 and f"/events/registrations/{made['id']}" in late.text
    times = {"starts_local": "2026-12-02T09:00", "ends_local": "2026-12-02T12:00"}
    await world.company.made(f"slots/{made['slot_id']}/move", times)
    world.clock.moment = ASKED + MINUTE
    for page in (await Visitor(world.client).get(path), await Visitor(world.client).send(path, {"answer": "yes"})):
        assert page.status_code == 409


async def test_the_question_stands_at_home_and_at_the_registration_until_it_is_answered(world: World) -> None:
    made, _ = await asked(world)
    teacher = Visitor(world.client, "teacher")
    home, page = await teacher.get("home"), await teacher.get(f"registrations/{made['id']}")
    for shown in (home, page):
        assert "Please confirm again" in text_of(shown) and "We come" in text_of(shown)
    for company in ("company", "coordinator"):
        listed = await Visitor(world.client, company).get(f"slots/{made['slot_id']}/manage")
        assert "has not confirmed again yet; time until Fri, 27 November 2026, 18:00" in text_of(listed)
    assert "has not confirmed again yet" in text_of(await Visitor(world.client, "company").get("company/visitors"))
    sent = await teacher.send(f"registrations/{made['id']}/confirm-again")
    assert sent.status_code == 303
    assert "Confirmed again: your class comes." in text_of(await teacher.get(f"registrations/{made['id']}"))
    assert "Please confirm again" not in text_of(await teacher.get("home"))
    assert "confirmed again" in text_of(await Visitor(world.client, "company").get("company/visitors"))


async def test_the_registration_says_that_nobody_confirmed_in_time(world: World) -> None:
    made, _ = await asked(world)
    world.clock.moment = UNTIL + MINUTE
    await ask_and_release(Store(world.db), now=world.clock.moment)
    teacher = Visitor(world.client, "teacher")
    assert "Nobody confirmed in time" in text_of(await teacher.get(f"registrations/{made['id']}"))
    assert "Not confirmed again, so the places are free" in text_of(await teacher.get("home"))
    late = await world.teacher.post(f"registrations/{made['id']}/confirm-again")
    assert late.status_code == 409


async def test_another_school_and_the_company_cannot_answer_for_a_school(world: World) -> None:
    made, _ = await asked(world)
    for caller in (world.other_teacher, world.company, world.other_company):
        assert (await caller.post(f"registrations/{made['id']}/confirm-again")).status_code == 403
    assert (await world.teacher.post(f"registrations/{made['id']}/confirm-again")).is_success


@pytest.mark.parametrize(
    ("asked", "until", "problem"),
    [("5", "", "both numbers"), ("2", "5", "both numbers"), ("1", "1", "2"), ("x", "1", "")],
)
async def test_a_rule_that_makes_no_sense_is_refused_in_the_form(
    world: World, asked: str, until: str, problem: str
) -> None:
    company = Visitor(world.client, "company")
    opened = await world.company.made("offers", {**OFFER, **ASKING})
    assert opened["confirm_again"] == {"asked": 5, "until": 2}
    form = _form(opened) | {"confirm_again.asked": asked, "confirm_again.until": until}
    answer = await company.send(f"offers/{opened['id']}/edit", form)
    assert answer.status_code == 422 and problem in text_of(answer)


async def test_a_company_turns_it_on_and_off_in_its_form(world: World) -> None:
    company = Visitor(world.client, "company")
    opened = await world.company.made("offers", OFFER)
    assert opened["confirm_again"] is None, "off by default"
    on = _form(opened) | {"confirm_again.asked": "10", "confirm_again.until": "5"}
    assert (await company.send(f"offers/{opened['id']}/edit", on)).status_code == 303
    assert "we ask 10 school days before" in text_of(await company.get(f"offers/{opened['id']}"))
    assert 'value="10"' in (await company.get(f"offers/{opened['id']}/edit")).text
    off = _form(opened) | {"version": "2", "confirm_again.asked": "", "confirm_again.until": ""}
    assert (await company.send(f"offers/{opened['id']}/edit", off)).status_code == 303
    assert (await world.company.get(f"offers/{opened['id']}")).json()["confirm_again"] is None


def _form(opened: dict[str, Any]) -> dict[str, Any]:
    place, contact = opened["place"], opened["contact"]
    return {
        "title": opened["title"], "description": opened["description"], "requirements": "Feste Schuhe",
        "grades": [str(grade) for grade in opened["grades"]], "version": str(opened["version"]), "reminders": "",
        **{f"place.{name}": place[name] for name in ("name", "street", "postal_code", "town", "directions")},
        **{f"contact.{name}": contact[name] for name in ("name", "email", "phone", "language")},
    }  # fmt: skip
