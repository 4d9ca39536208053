"""The HTTP API of `events` as a foreign program meets it, with a real MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.events_api import OFFER, World, booking, running_events
from tests.support.waiting import until


@pytest.fixture(scope="module")
async def running(mongodb_url: str) -> AsyncIterator[World]:
    async with running_events(mongodb_url) as world:
        yield world


@pytest.fixture
async def world(running: World) -> World:
    await running.reset()
    return running


async def test_a_group_is_registered_waits_is_offered_places_and_accepts(world: World) -> None:
    slot = await world.slot()
    first = await world.teacher.made(f"slots/{slot['id']}/registrations", booking("9a", 20))
    second = await world.other_teacher.made(f"slots/{slot['id']}/registrations", booking("9b", 20, "school-2"))
    assert (first["state"], second["state"]) == ("confirmed", "waitlisted")
    shown = (await world.teacher.get(f"slots/{slot['id']}")).json()
    assert (shown["taken"], shown["free"], shown["waiting"]) == (20, 5, 1)
    await world.teacher.made(f"registrations/{first['id']}/cancel", {"reason": "krank"})
    offered = (await world.other_teacher.get(f"registrations/{second['id']}")).json()
    assert offered["state"] == "offered"
    assert offered["offer_expires_at"] == "2026-10-07T16:00:00Z"
    accepted = await world.other_teacher.made(f"registrations/{second['id']}/accept")
    assert accepted["state"] == "confirmed"
    said = [row["wire"]["type"] async for row in world.db.outbox.find({}).sort("order", 1)]
    assert said == [
        "OfferPublished.v1", "SlotOpened.v1", "RegistrationConfirmed.v1", "RegistrationWaitlisted.v1",
        "RegistrationCancelled.v1", "PlacesOffered.v1", "RegistrationConfirmed.v1",
    ]  # fmt: skip


async def test_concurrent_requests_fill_the_slot_exactly(world: World) -> None:
    slot = await world.slot(places=30, groups=30)
    bodies = [booking(f"{n}", 1) for n in range(60)]
    answers = await asyncio.gather(*(world.teacher.post(f"slots/{slot['id']}/registrations", body) for body in bodies))
    states = [answer.json()["state"] for answer in answers]
    assert states.count("confirmed") == 30 and states.count("waitlisted") == 30
    report = await world.coordinator.made("reconciliation")
    assert report["differences"] == [] and report["slots_checked"] == 1


async def test_a_retried_request_finds_what_it_made_even_when_the_note_of_it_was_lost(world: World) -> None:
    slot = await world.slot()
    path = f"slots/{slot['id']}/registrations"
    first = (await world.teacher.post(path, booking(), key="k1")).json()
    await world.db.idempotency.delete_many({})
    again = (await world.teacher.post(path, booking(), key="k1")).json()
    assert again["id"] == first["id"]
    assert (await world.teacher.get(f"slots/{slot['id']}")).json()["taken"] == 20


async def test_a_full_slot_is_a_problem_that_names_free_and_asked(world: World) -> None:
    slot = await world.slot({"waiting_list": "none"})
    await world.teacher.made(f"slots/{slot['id']}/registrations", booking("9a", 20))
    answer = await world.teacher.post(f"slots/{slot['id']}/registrations", booking("9b", 10))
    problem = answer.json()
    assert answer.status_code == 409 and answer.headers["content-type"] == "application/problem+json"
    assert problem["type"].endswith("/slot-is-full")
    assert (problem["free"], problem["asked"]) == (5, 10)
    assert problem["detail"] == "This date cannot take 10 more places. Free places: 5; room for further groups: 1."


async def test_an_offer_with_requirements_needs_them_acknowledged(world: World) -> None:
    slot = await world.slot()
    answer = await world.teacher.post(f"slots/{slot['id']}/registrations", booking(acknowledged=False))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "acknowledged"


async def test_a_schools_own_movable_day_is_named(world: World) -> None:
    slot = await world.slot(starts_local="2026-12-08T09:00", ends_local="2026-12-08T12:00")
    body = booking(school="school-3")
    answer = await world.coordinator.post(f"slots/{slot['id']}/registrations", body)
    assert answer.status_code == 409 and "8 December 2026" in answer.json()["detail"]


async def test_a_slot_on_a_public_holiday_is_refused_with_its_name_unless_allowed(world: World) -> None:
    offer = await world.company.made("offers", OFFER)
    day = {"starts_local": "2026-11-01T09:00", "ends_local": "2026-11-01T12:00", "places": 5, "groups": 1}
    answer = await world.company.post(f"offers/{offer['id']}/slots", day)
    assert answer.status_code == 422 and answer.json()["type"].endswith("/slot-on-day-off")
    assert "All Saints' Day" in answer.json()["detail"]
    assert (await world.company.post(f"offers/{offer['id']}/slots", day | {"allow_days_off": True})).status_code == 201


async def test_a_series_is_one_action_and_names_the_days_it_leaves_out(world: World) -> None:
    offer = await world.company.made("offers", OFFER)
    series = {
        "weekdays": [6, 1],
        "first_day": "2026-11-01",
        "last_day": "2026-11-15",
        "starts": "09:00",
        "ends": "12:00",
    }
    made = await world.company.made(f"offers/{offer['id']}/slots", {"series": series, "places": 20, "groups": 1})
    assert [slot["starts_local"] for slot in made["slots"]] == ["2026-11-03T09:00:00", "2026-11-10T09:00:00"]
    assert [skip["reason"] for skip in made["skipped"]] == ["All Saints' Day", "Sunday", "Sunday"]
    found = (await world.teacher.get("slots", offer_id=offer["id"])).json()
    assert len(found["items"]) == 2


async def test_a_moved_slot_keeps_its_registrations_and_says_so_once(world: World) -> None:
    slot = await world.slot()
    made = await world.teacher.made(f"slots/{slot['id']}/registrations", booking())
    body = ELSEWHEN | {"reason": "Messe"}
    for _ in range(2):
        moved = (await world.company.post(f"slots/{slot['id']}/move", body, key="m1")).json()
    assert (moved["starts_local"], moved["revision"]) == ("2026-12-02T10:00:00", 2)
    assert (await world.teacher.get(f"registrations/{made['id']}")).json()["state"] == "confirmed"
    assert await world.db.outbox.count_documents({"wire.type": "SlotMoved.v1"}) == 1


async def test_a_cancelled_slot_cancels_every_registration(world: World) -> None:
    slot = await world.slot()
    made = await world.teacher.made(f"slots/{slot['id']}/registrations", booking())
    cancelled = await world.company.made(f"slots/{slot['id']}/cancel", {"reason": "Brand"})
    assert (cancelled["state"], cancelled["taken"]) == ("cancelled", 0)
    left = (await world.teacher.get(f"registrations/{made['id']}")).json()
    assert (left["state"], left["cancelled_by"], left["reason"]) == ("cancelled", "company", "Brand")


async def test_offered_places_expire_by_themselves(world: World) -> None:
    slot = await world.slot()
    first = await world.teacher.made(f"slots/{slot['id']}/registrations", booking("9a", 20))
    second = await world.teacher.made(f"slots/{slot['id']}/registrations", booking("9b", 20))
    await world.teacher.made(f"registrations/{first['id']}/cancel")
    world.clock.moment = datetime(2026, 10, 7, 16, 0, tzinfo=UTC)

    async def expired() -> bool:
        return (await world.teacher.get(f"registrations/{second['id']}")).json()["state"] == "expired"

    await until(expired)


async def test_attendance_is_recorded_by_the_company_after_the_start(world: World) -> None:
    slot = await world.slot()
    made = await world.teacher.made(f"slots/{slot['id']}/registrations", booking())
    path = f"registrations/{made['id']}/attend"
    assert (await world.company.post(path, {"came": True, "pupils": 18})).status_code == 409
    world.clock.moment = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
    assert (await world.company.made(path, {"came": True, "pupils": 18}))["pupils_attended"] == 18


async def test_everybody_acts_for_their_own_only(world: World) -> None:
    slot = await world.slot({"approval": "company"})
    path = f"slots/{slot['id']}/registrations"
    made = await world.teacher.made(path, booking())
    about = f"registrations/{made['id']}"
    refused = [
        await world.other_teacher.post(path, booking("x")),
        await world.company.post(path, booking("x")),
        await world.other_teacher.post(f"{about}/cancel"),
        await world.other_company.post(f"{about}/cancel"),
        await world.teacher.post(f"{about}/approve"),
        await world.other_company.post(f"{about}/approve"),
        await world.company.post(f"{about}/accept"),
        await world.company.post(f"{about}/resize", {"pupils": 1}),
        await world.teacher.post(f"slots/{slot['id']}/cancel"),
        await world.other_company.post(f"slots/{slot['id']}/move", ELSEWHEN),
        await world.other_company.post(f"slots/{slot['id']}/resize", {"places": 1, "groups": 1}),
        await world.other_company.post("offers", OFFER),
        await world.teacher.post("offers", OFFER),
        await world.other_company.post(f"offers/{slot['offer']['id']}/pause"),
        await world.other_teacher.get(about),
        await world.other_company.get(about),
        await world.teacher.get(f"slots/{slot['id']}/waiting-list"),
        await world.teacher.get("reconciliation"),
        await world.company.post("self-found-places", SELF_FOUND),
        await world.teacher.post(f"{about}/cancel", {"by": "company"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert (await world.company.get(about)).json()["group"]["needs"] == "Rollstuhl"
    assert (await world.company.made(f"{about}/approve"))["state"] == "confirmed"
    assert (await world.company.post(f"{about}/approve")).json()["type"].endswith("/already-confirmed")


ELSEWHEN = {"starts_local": "2026-12-02T10:00", "ends_local": "2026-12-02T13:00"}
SELF_FOUND = {
    "campaign_id": "campaign-1", "school_id": "school-1", "company_name": "Nachbarbetrieb", "field": "D",
    "group": {"name": "9c", "grade": 9, "pupils": 4, "adults": 0}, "day": "2026-11-20",
}  # fmt: skip


async def test_lists_show_the_own_rows_only_and_go_on_where_they_stopped(world: World) -> None:
    slot = await world.slot(places=100, groups=50)
    for number in range(5):
        await world.teacher.made(f"slots/{slot['id']}/registrations", booking(f"9{number}", 1))
        world.clock.moment += timedelta(seconds=1)
    await world.other_teacher.made(f"slots/{slot['id']}/registrations", booking("9x", 1, "school-2"))
    page = (await world.teacher.get("registrations", limit=3)).json()
    rest = (await world.teacher.get("registrations", limit=3, after=page["next"])).json()
    assert [row["group"]["name"] for row in page["items"] + rest["items"]] == ["90", "91", "92", "93", "94"]
    assert rest["next"] is None and page["items"][0]["slot"]["offer"]["company_name"] == "Beispiel GmbH"
    assert len((await world.company.get(f"slots/{slot['id']}/registrations")).json()["items"]) == 6
    assert len((await world.other_teacher.get(f"slots/{slot['id']}/registrations")).json()["items"]) == 1
    assert (await world.other_company.get("registrations")).json()["items"] == []
    assert (await world.teacher.get("registrations", after="nonsense")).status_code == 422


async def test_the_waiting_list_tells_who_was_skipped_and_why(world: World) -> None:
    slot = await world.slot(places=25, groups=5)
    path = f"slots/{slot['id']}/registrations"
    first = await world.teacher.made(path, booking("9a", 25))
    large = await world.teacher.made(path, booking("9b", 25))
    small = await world.teacher.made(path, booking("9c", 5))
    await world.teacher.made(f"registrations/{first['id']}/resize", {"pupils": 18})
    shown = (await world.company.get(f"slots/{slot['id']}/waiting-list")).json()
    assert [row["id"] for row in shown["offered"]] == [small["id"]]
    (waiting,) = shown["waiting"]
    assert waiting["registration"]["id"] == large["id"] and waiting["times_skipped"] == 1
    assert waiting["last_skipped_because"] == "group_larger_than_free_places"
    assert shown["log"][0]["offered"] == [small["id"]] and shown["log"][0]["free"] == 7
    seen = (await world.teacher.get(f"registrations/{large['id']}")).json()
    assert seen["waiting_before"] == 0


async def test_a_paused_offer_can_be_resumed_and_a_withdrawn_one_cannot(world: World) -> None:
    slot = await world.slot()
    offer = f"offers/{slot['offer']['id']}"
    assert (await world.company.made(f"{offer}/pause"))["state"] == "paused"
    assert (await world.company.post(f"{offer}/pause")).json()["type"].endswith("/already-paused")
    answer = await world.teacher.post(f"slots/{slot['id']}/registrations", booking())
    assert answer.json()["type"].endswith("/offer-takes-no-bookings")
    assert (await world.teacher.get("slots", state="bookable")).json()["items"] == []
    assert (await world.company.made(f"{offer}/resume"))["state"] == "published"
    assert len((await world.teacher.get("slots", state="bookable")).json()["items"]) == 1
    await world.company.made(f"{offer}/withdraw")
    assert (await world.company.post(f"{offer}/resume")).status_code == 409
    assert await world.db.outbox.count_documents({"wire.type": "OfferChanged.v1"}) == 3


async def test_self_found_places_are_recorded_and_can_be_taken_back(world: World) -> None:
    record = await world.teacher.made("self-found-places", SELF_FOUND)
    assert (await world.teacher.post(f"self-found-places/{record['id']}/withdraw")).json()["withdrawn"]
    assert (await world.teacher.post(f"self-found-places/{record['id']}/withdraw")).status_code == 409
    outside = await world.teacher.post("self-found-places", SELF_FOUND | {"day": "2027-05-05"})
    assert outside.json()["type"].endswith("/day-outside-campaign")
    assert len((await world.coordinator.get("self-found-places")).json()["items"]) == 1
    said = [row["wire"]["data"]["withdrawn"] async for row in world.db.outbox.find({}).sort("order", 1)]
    assert said == [False, True]


async def test_control_characters_and_unknown_fields_are_refused_by_name(world: World) -> None:
    body = booking() | {"extra": 1}
    body["contact"] = {"name": "Erika\r\nBcc: x", "email": "keine-adresse"}
    answer = await world.teacher.post("slots/any/registrations", body)
    fields = {error["field"]: error["reason"] for error in answer.json()["errors"]}
    assert set(fields) == {"contact.name", "contact.email", "extra"}
    assert "control characters" in fields["contact.name"]


async def test_offers_wait_for_their_phase_and_unknown_things_are_named(world: World) -> None:
    for change, field in (({"campaign_id": "x"}, "campaign_id"), ({"field": "99"}, "field")):
        answer = await world.coordinator.post("offers", OFFER | change)
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field
    world.clock.moment -= timedelta(days=31)
    assert (await world.company.post("offers", OFFER)).json()["type"].endswith("/offers-not-open-yet")


async def test_the_openapi_document_describes_every_answer(world: World) -> None:
    document = (await world.client.get("/events/api/v1/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/"):
                schema = operation["responses"]["201" if "201" in operation["responses"] else "200"]
                assert schema["content"]["application/json"]["schema"], (path, method)


async def test_a_reason_may_be_left_out_with_the_whole_body(world: World) -> None:
    slot = await world.slot()
    made = await world.teacher.made(f"slots/{slot['id']}/registrations", booking())
    headers = {"Authorization": "Bearer teacher-key", "Idempotency-Key": "without-a-body"}
    answer = await world.client.post(f"/events/api/v1/registrations/{made['id']}/cancel", headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_the_counters_are_proven_while_bookings_go_on(world: World) -> None:
    slot = await world.slot(places=500, groups=500)
    path = f"slots/{slot['id']}/registrations"

    async def prove() -> list[dict[str, object]]:
        return (await world.coordinator.get("reconciliation")).json()["differences"]

    booking_all = [world.teacher.post(path, booking(f"{n}", 1)) for n in range(100)]
    outcomes = await asyncio.gather(*booking_all, *(prove() for _ in range(10)))
    assert outcomes[100:] == [[]] * 10
