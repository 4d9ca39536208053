"""What the same page says to a school, a company and the coordinator, and which school a coordinator acts for."""

from collections.abc import AsyncIterator

import pytest

from tests.support.events_api import World, booking, running_events
from tests.support.events_pages import Visitor, add_people, text_of

pytestmark = pytest.mark.processes_only
FORM = {
    "school_id": "school-1", "group.name": "9a", "group.grade": "9", "group.pupils": "20", "group.adults": "1",
    "contact.name": "Erika Muster", "contact.email": "erika@schule.example", "waitlist": "yes", "acknowledged": "yes",
}  # fmt: skip


@pytest.fixture(scope="module")
async def running(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        await add_people(world)
        yield world


@pytest.fixture
async def world(running: World) -> World:
    await running.reset()
    return running


async def test_requirements_that_changed_after_the_form_was_shown_are_asked_for_again(world: World) -> None:
    slot = await world.slot({"requirements": ["Feste Schuhe", "Schutzbrille"]})
    teacher, address = Visitor(world.client, "teacher"), f"slots/{slot['id']}/register"
    answer = await teacher.send(address, {**FORM, "requirements": "Feste Schuhe"})
    assert answer.status_code == 422 and "has changed meanwhile what it requires" in text_of(answer)
    assert 'value="Feste Schuhe\nSchutzbrille"' in answer.text
    tick = answer.text.split('name="acknowledged"')[1].split(">")[0]
    assert "checked" not in tick, "who ticked the old ones has not read the new ones"
    assert not await world.db.registrations.count_documents({})
    sent = await teacher.send(address, {**FORM, "requirements": "Feste Schuhe\r\nSchutzbrille"})
    assert sent.status_code == 303


async def test_a_program_may_say_which_requirements_it_showed(world: World) -> None:
    slot = await world.slot({"requirements": ["Feste Schuhe"]})
    old = await world.teacher.post(f"slots/{slot['id']}/registrations", booking(requirements=["Turnschuhe"]))
    assert (old.status_code, old.json()["type"].rsplit("/", 1)[-1]) == (409, "requirements-changed")
    assert (await world.teacher.post(f"slots/{slot['id']}/registrations", booking())).status_code == 201


@pytest.mark.parametrize("form", ["slots/{slot}/register", "self-found"])
async def test_a_coordinator_finds_the_school_by_a_search(world: World, form: str) -> None:
    slot = await world.slot()
    kim, address = Visitor(world.client, "coordinator"), form.format(slot=slot["id"])
    asked = await kim.get(address)
    assert asked.status_code == 200 and 'action="/outreach/schools/choose"' in asked.text
    assert 'name="school_id"' not in asked.text and f'value="/events/{address}"' in asked.text
    chosen = await kim.get(f"{address}?school_id=school-2")
    assert 'name="school_id" id="school_id" value="school-2"' in chosen.text
    assert "Choose another school" in chosen.text
    teacher = await Visitor(world.client, "teacher").get(f"{address}?school_id=school-2")
    assert 'value="school-2"' not in teacher.text and "Choose another school" not in teacher.text


async def test_a_request_says_to_each_who_has_to_answer(world: World) -> None:
    slot = await world.slot({"approval": "company"})
    made = await world.teacher.made(f"slots/{slot['id']}/registrations", booking())

    async def read(person: str) -> str:
        return text_of(await Visitor(world.client, person).get(f"registrations/{made['id']}"))

    assert "The school waits for your answer." in await read("company")
    assert "The school waits for the company’s answer." in await read("coordinator")
    assert "you need do nothing" in await read("teacher")
    assert "you need do nothing" not in await read("company")
