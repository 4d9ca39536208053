"""Reminders that were planned follow what is told later: days off, and when a campaign reminds."""

from datetime import UTC, date, datetime, timedelta

from shared.schemas import events, outreach
from shared.schemas.outreach import CampaignChanged, SchoolChanged
from tests.integration.notify.test_pupils_reminders import confirmed, older
from tests.support.notify_builders import NOW, coordinator, registration, said, visit, visit_said
from tests.support.notify_world import World

FRIDAY, THURSDAY = (datetime(2026, 11, day, 7, tzinfo=UTC) for day in (27, 26))


def school(version: int, *days: date) -> SchoolChanged:
    """A school with these movable days."""
    place = {"street": "Weg 1", "postal_code": "57462", "town": "Olpe", "municipality_ags": "05966024"}
    facts = {"name": "Gesamtschule Musterstadt", "short_name": "GE", "school_type": "15", "district_ags": "05966"}
    return SchoolChanged.about(
        "school:school1", version, now=NOW, school_id="school1", open=True, lat=None, lon=None, pupils=None,
        movable_days=list(days), **facts, **place,
    )  # fmt: skip


def campaign(version: int, *reminders: str) -> CampaignChanged:
    """The campaign reminds at these offsets."""
    return CampaignChanged.about(
        "campaign:campaign1", version, now=NOW, campaign_id="campaign1", name="Herbst", districts=[], kinds=["tour"],
        starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 30), offers_from=NOW, booking_from=NOW, closes_at=NOW,
        reminders=list(reminders),
    )  # fmt: skip


async def due(world: World, kind: str, role: str) -> list[datetime]:
    """When the reminders that wait are due."""
    rows = await world.deliveries(kind=kind, recipient_role=role, waiting=True)
    return sorted(row["due_at"] for row in rows)


async def test_a_movable_day_that_is_told_later_moves_the_reminders_of_the_school(world: World) -> None:
    await world.hear(said(events.RegistrationConfirmed, registration()))
    await world.send_all()
    secret = (await world.db.class_links.find_one({"_id": "reg1"}))["secret"]
    await confirmed(world, secret, older())
    await world.hear(visit_said(outreach.VisitConfirmed, visit("confirmed")))
    kinds = (("slot_reminder", "teacher"), ("visit_reminder", "teacher"), ("pupil_reminder", "pupil"))
    assert [FRIDAY in await due(world, *each) for each in kinds] == [True] * 3
    await world.hear(*[school(1, FRIDAY.date())] * 2)
    for each in kinds:
        moments = await due(world, *each)
        assert THURSDAY in moments and FRIDAY not in moments, each
    assert FRIDAY in await due(world, "slot_reminder", "company")
    assert {row["day"] for row in await world.deliveries(kind="visit_reminder", recipient_role="teacher")} == {
        "2026-11-26"
    }
    await world.hear(school(2))
    assert [FRIDAY in await due(world, *each) for each in kinds] == [True] * 3


async def test_a_visit_is_reminded_of_when_its_campaign_says_so(world: World) -> None:
    await world.hear(visit_said(outreach.VisitConfirmed, visit("confirmed")))
    assert await due(world, "visit_reminder", "teacher") == [FRIDAY]
    await world.hear(campaign(1, "7d@08:00"))
    week_before = [datetime(2026, 11, 24, 7, tzinfo=UTC)]
    assert await due(world, "visit_reminder", "teacher") == week_before
    await world.hear(visit_said(outreach.VisitConfirmed, visit("confirmed", visit_id="visit2")))
    assert await due(world, "visit_reminder", "teacher") == week_before * 2


async def test_another_hour_on_the_day_of_a_reminder_that_went_out_is_no_second_one(world: World) -> None:
    await world.hear(said(events.RegistrationConfirmed, registration()))
    await world.send_all()
    world.clock.set(datetime(2026, 11, 17, 7, 5, tzinfo=UTC))
    await world.send_all()
    world.server.recipients.clear()
    await world.hear(campaign(1, "14d@09:00", "2d@08:00"))
    world.clock.forward(timedelta(hours=3))
    await world.send_all()
    assert world.server.recipients == []
    assert await due(world, "slot_reminder", "teacher") == [FRIDAY]


async def test_a_feed_that_is_too_long_has_the_latest_dates(world: World, monkeypatch) -> None:
    monkeypatch.setattr("services.notify.store.feeds.MOST", 1)
    starts = datetime(2026, 12, 8, 9)
    for number, day in ((1, 7), (2, 14), (3, 0)):
        slot = registration().slot.model_copy(
            update={"slot_id": f"slot{number}", "starts_local": starts + timedelta(days=day)}
        )
        await world.hear(said(events.RegistrationConfirmed, registration(id=f"reg{number}", slot=slot)))
    (found,) = await world.context.store.feeds.registrations_by_id("school_id", "school1")
    assert found.facts.registration_id == "reg2"


async def test_who_saved_own_words_is_forgotten_with_the_person(world: World) -> None:
    row = {"_id": "w:1", "key": "w", "by": "p1", "version": 1}
    await world.db.wordings.insert_many([row, {**row, "_id": "w:2", "by": "p2", "version": 2}])
    await world.hear(coordinator(9, 1, person_id="p1", email="", name="", active=False, roles=[]))
    assert [each["by"] async for each in world.db.wordings.find().sort("_id", 1)] == ["", "p2"]
