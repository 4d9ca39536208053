"""What a school answers by a link in a mail: the pages of the running service, looked at by nobody in particular."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.events.store.documents import registration_of
from shared.answer_links import AnswerLinks, AsSeen
from shared.ids import random_id
from tests.support.events_api import World, booking, running_events
from tests.support.events_pages import SECRET, Visitor, add_people, text_of

LINKS = AnswerLinks(SECRET, "http://test")


@pytest.fixture(scope="module")
async def running(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        await add_people(world)
        yield world


@pytest.fixture
async def world(running: World) -> World:
    await running.reset()
    return running


async def booked(world: World, slot_id: str, name: str = "9a", **more: Any) -> dict[str, Any]:
    return await world.teacher.made(f"slots/{slot_id}/registrations", booking(name, **more))


async def cannot_come(world: World, registration_id: str) -> str:
    """The path of the page that a mail written now leads to."""
    row = await world.db.registrations.find_one({"_id": registration_id})
    slot = await world.db.slots.find_one({"_id": row["slot_id"]})
    seen = AsSeen(registration_id, row["version"], slot["revision"])
    return f"cannot-come/{LINKS.token('cannot-come', seen)}"


async def state_of(world: World, registration_id: str) -> str:
    row = await world.db.registrations.find_one({"_id": registration_id})
    return registration_of(row).state


async def test_one_click_and_one_button_cancel_without_signing_in_and_wake_the_waiting_list(world: World) -> None:
    slot = await world.slot()
    first, second = await booked(world, slot["id"]), await booked(world, slot["id"], "9b")
    assert (first["state"], second["state"]) == ("confirmed", "waitlisted")
    nobody, path = Visitor(world.client), await cannot_come(world, first["id"])
    page = await nobody.get(path)
    assert page.status_code == 200 and "Class 9a" in text_of(page) and "Yes, we cannot come" in page.text
    assert "Erika" not in page.text and "@" not in text_of(page), "no contact is shown to whoever has the link"
    assert await state_of(world, first["id"]) == "confirmed", "looking changes nothing"
    assert (await nobody.send(path)).headers["location"] == f"/events/{path}"
    assert [await state_of(world, each["id"]) for each in (first, second)] == ["cancelled", "offered"]
    assert "The registration is cancelled" in (await nobody.get(path)).text
    told = await world.db.outbox.find({"aggregate": f"registration:{first['id']}"}).to_list(None)
    last = max((row["wire"]["data"]["registration"] for row in told), key=lambda facts: facts["version"])
    assert (last["state"], last["cancelled_by"]) == ("cancelled", "school")


async def test_the_button_pressed_twice_cancels_once(world: World) -> None:
    slot = await world.slot()
    made = await booked(world, slot["id"])
    path = await cannot_come(world, made["id"])
    for _ in range(2):
        assert (await Visitor(world.client).send(path)).status_code == 303
    told = await world.db.outbox.find({"aggregate": f"registration:{made['id']}"}).to_list(None)
    assert len(told) == 2


@pytest.mark.parametrize("change", ["resized", "moved", "cancelled by the company", "begun"])
async def test_a_link_about_what_has_changed_since_is_no_longer_valid_and_says_where_to_look(
    world: World, change: str
) -> None:
    slot = await world.slot()
    made = await booked(world, slot["id"])
    path = await cannot_come(world, made["id"])
    if change == "resized":
        await world.teacher.made(f"registrations/{made['id']}/resize", {"pupils": 18})
    elif change == "moved":
        times = {"starts_local": "2026-12-02T09:00", "ends_local": "2026-12-02T12:00"}
        await world.company.made(f"slots/{slot['id']}/move", times)
    elif change == "cancelled by the company":
        await world.company.made(f"registrations/{made['id']}/cancel", {"reason": "Umbau"})
    else:
        world.clock.moment += timedelta(days=57)
    before = await world.db.registrations.find_one({"_id": made["id"]})
    for page in (await Visitor(world.client).get(path), await Visitor(world.client).send(path)):
        assert page.status_code == 409
        assert "Nothing was changed" in page.text and f"/events/registrations/{made['id']}" in page.text
    assert await world.db.registrations.find_one({"_id": made["id"]}) == before


async def test_a_link_that_was_not_written_here_or_for_another_answer_opens_nothing(world: World) -> None:
    slot = await world.slot()
    made = await booked(world, slot["id"])
    other = LINKS.token("confirm-again", AsSeen(made["id"], 1, 1))
    forged = AnswerLinks("another-secret" * 3, "").token("cannot-come", AsSeen(made["id"], 1, 1))
    for token in ("none", other, forged):
        for page in (
            await Visitor(world.client).get(f"cannot-come/{token}"),
            await Visitor(world.client).send(f"cannot-come/{token}"),
        ):
            assert page.status_code == 404 and made["id"] not in page.text
    assert await state_of(world, made["id"]) == "confirmed"


async def test_a_form_from_elsewhere_cancels_nothing(world: World) -> None:
    slot = await world.slot()
    made = await booked(world, slot["id"])
    path = await cannot_come(world, made["id"])
    answer = await world.client.post(
        f"/events/{path}", data={"request_id": random_id()}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403 and await state_of(world, made["id"]) == "confirmed"


async def test_a_page_behind_a_link_is_kept_by_nobody_and_tells_no_other_site_of_its_address(world: World) -> None:
    slot = await world.slot()
    made = await booked(world, slot["id"])
    headers = (await Visitor(world.client).get(await cannot_come(world, made["id"]))).headers
    assert headers["Cache-Control"] == "no-store" and "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "same-origin"
