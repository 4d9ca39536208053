"""From messages to planned mails, on a real MongoDB: once, in any order, with the calendar's SEQUENCE."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.notify.usecases import planning
from shared.broker import TryAgain
from shared.schemas import events, outreach
from shared.schemas.outreach import VisitDate
from tests.support.notify_builders import (
    NOW,
    STARTS,
    coordinator,
    member,
    registration,
    said,
    slot,
    slot_moved,
    visit,
    visit_said,
)
from tests.support.notify_world import World, build_world

BERLIN_8_ON_17_NOV = datetime(2026, 11, 17, 7, 0, tzinfo=UTC)
BERLIN_8_ON_27_NOV = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
LATER = STARTS + timedelta(days=7)


def confirmed(version: int = 1, **changes: object) -> events.RegistrationConfirmed:
    return said(events.RegistrationConfirmed, registration("confirmed", version, **changes))


def cancelled(version: int = 2, by: str = "school") -> events.RegistrationCancelled:
    return said(events.RegistrationCancelled, registration("cancelled", version, cancelled_by=by))


async def test_a_confirmation_goes_to_both_sides_with_a_calendar_entry_and_reminders(world: World) -> None:
    await world.hear(confirmed())
    transitions = await world.deliveries(kind="registration_confirmed")
    assert [row["_id"] for row in transitions] == [
        "registration_confirmed:reg1:1:teacher",
        "registration_confirmed:reg1:1:company",
    ]
    assert [row["calendar"] for row in transitions] == [
        {"method": "REQUEST", "uid": "registration-reg1-teacher@perspektive.example", "sequence": 0},
        {"method": "REQUEST", "uid": "registration-reg1-company@perspektive.example", "sequence": 0},
    ]
    reminders = await world.deliveries(kind="slot_reminder")
    assert {(row["_id"], row["due_at"]) for row in reminders} == {
        ("slot_reminder:reg1:1:14d:teacher", BERLIN_8_ON_17_NOV),
        ("slot_reminder:reg1:1:14d:company", BERLIN_8_ON_17_NOV),
        ("slot_reminder:reg1:1:2d:teacher", BERLIN_8_ON_27_NOV),
        ("slot_reminder:reg1:1:2d:company", BERLIN_8_ON_27_NOV),
    }


async def test_the_same_message_ten_times_plans_its_mails_once(world: World) -> None:
    await world.hear(*[confirmed()] * 10)
    assert len(await world.deliveries()) == 6


async def test_a_mail_whose_key_is_there_is_not_planned_again_even_without_the_inbox_note(world: World) -> None:
    await world.hear(confirmed())
    await world.db.inbox.delete_many({})
    await world.hear(confirmed())
    assert len(await world.deliveries()) == 6


async def test_a_confirmation_that_comes_after_the_cancellation_is_recorded_and_not_sent(world: World) -> None:
    await world.hear(cancelled(version=3), confirmed(version=2))
    assert await world.summary() == [
        ("registration_cancelled", "teacher", "planned"),
        ("registration_confirmed", "teacher", "cancelled"),
        ("registration_confirmed", "company", "cancelled"),
    ]
    assert {row["reason"] for row in await world.deliveries(kind="registration_confirmed")} == {"superseded"}
    await world.send_all()
    assert world.server.subjects == ["Abgesagt: 8a am 01.12.2026, Musterwerk Siegerland (Demo)"]


async def test_a_cancellation_without_an_entry_carries_no_calendar_part(world: World) -> None:
    await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted")), cancelled())
    rows = await world.deliveries(kind="registration_cancelled")
    assert [(row["recipient_role"], row["calendar"]) for row in rows] == [("teacher", None)]


async def test_a_cancellation_takes_the_entry_back_and_cancels_the_reminders(world: World) -> None:
    await world.hear(confirmed(), cancelled())
    rows = await world.deliveries(kind="registration_cancelled")
    assert [(row["recipient_role"], row["calendar"]["method"], row["calendar"]["sequence"]) for row in rows] == [
        ("teacher", "CANCEL", 1),
        ("company", "CANCEL", 1),
    ]
    assert {row["state"] for row in await world.deliveries(kind="slot_reminder")} == {"cancelled"}


async def test_a_moved_slot_raises_the_sequence_and_moves_the_reminders(world: World) -> None:
    await world.hear(confirmed(), slot_moved(slot(2, LATER)))
    moved = await world.deliveries(kind="slot_moved")
    assert [(row["_id"], row["calendar"]["sequence"]) for row in moved] == [
        ("slot_moved:reg1:2:teacher", 1),
        ("slot_moved:reg1:2:company", 1),
    ]
    waiting = await world.deliveries(kind="slot_reminder", state="planned")
    assert {row["due_at"] for row in waiting} == {
        BERLIN_8_ON_17_NOV + timedelta(days=7),
        BERLIN_8_ON_27_NOV + timedelta(days=7),
    }
    assert len(waiting) == 4 and {row["revision"] for row in waiting} == {2}


async def test_the_confirmation_uses_the_newest_date_when_the_move_was_heard_first(world: World) -> None:
    await world.hear(slot_moved(slot(2, LATER)), confirmed())
    assert await world.deliveries(kind="slot_moved") == []
    subjects = {row["subject"] for row in await world.deliveries(kind="registration_confirmed")}
    assert "Bestätigt: 8a am 08.12.2026, Musterwerk Siegerland (Demo)" in subjects


async def test_an_older_move_after_a_newer_one_tells_nobody_anything(world: World) -> None:
    newest = slot(3, LATER + timedelta(days=1))
    await world.hear(confirmed(), slot_moved(newest), slot_moved(slot(2, LATER)))
    assert {row["_id"] for row in await world.deliveries(kind="slot_moved")} == {
        "slot_moved:reg1:3:teacher",
        "slot_moved:reg1:3:company",
    }


async def test_a_move_known_from_another_group_is_still_told_to_those_who_do_not_know(world: World) -> None:
    other = registration("confirmed", id="reg2", slot=slot(2, LATER))
    await world.hear(confirmed(), said(events.RegistrationConfirmed, other), slot_moved(slot(2, LATER)))
    assert {row["about"] for row in await world.deliveries(kind="slot_moved")} == {"registration:reg1"}


async def test_who_waits_is_told_of_a_move_without_a_calendar_entry(world: World) -> None:
    await world.hear(said(events.RegistrationWaitlisted, registration("waitlisted")), slot_moved(slot(2, LATER)))
    rows = await world.deliveries(kind="slot_moved")
    assert [(row["recipient_role"], row["calendar"]) for row in rows] == [("teacher", None)]


async def test_reminders_whose_time_is_past_are_never_created(world: World) -> None:
    world.clock.set(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    await world.hear(confirmed())
    assert {row["due_at"] for row in await world.deliveries(kind="slot_reminder")} == {BERLIN_8_ON_27_NOV}


async def test_a_resized_group_keeps_its_reminders_and_updates_both_entries(world: World) -> None:
    resized = registration("confirmed", 2, previous_pupils=30)
    await world.hear(confirmed(), said(events.RegistrationResized, resized))
    rows = await world.deliveries(kind="registration_resized")
    assert [(row["recipient_role"], row["calendar"]["sequence"]) for row in rows] == [("teacher", 1), ("company", 1)]
    assert len(await world.deliveries(kind="slot_reminder", state="planned")) == 4


async def test_every_transition_of_the_waiting_list_has_its_own_mail(world: World) -> None:
    states = [
        (events.RegistrationWaitlisted, "waitlisted", "registration_waitlisted"),
        (events.PlacesOffered, "offered", "places_offered"),
        (events.OfferedPlacesExpired, "expired", "offered_places_expired"),
    ]
    for version, (message, state, _) in enumerate(states, 1):
        await world.hear(said(message, registration(state, version, offer_expires_at=NOW + timedelta(days=2))))
    assert await world.summary() == [(kind, "teacher", "planned") for _, _, kind in states]


async def test_attendance_needs_no_mail(world: World) -> None:
    await world.hear(said(events.RegistrationAttended, registration("attended", 2, pupils_attended=20)))
    assert await world.deliveries() == []


async def test_two_messages_handled_by_two_processes_at_the_same_time_see_each_other(world: World) -> None:
    """The move and the confirmation race: whoever is second knows the other, so the newest date is told."""

    other = await build_world(world.db, world.server, clock=world.clock)
    for number in range(10):
        opened = slot(1, slot_id=f"slot{number}")
        moved = slot(2, LATER, slot_id=f"slot{number}")
        await world.hear(events.SlotOpened.about(f"slot:slot{number}", 1, now=NOW, slot=opened))
        race = said(events.RegistrationConfirmed, registration("confirmed", id=f"race{number}", slot=opened))
        await asyncio.gather(world.hear(race), other.hear(slot_moved(moved)))
        rows = await world.deliveries(about=f"registration:race{number}", recipient_role="teacher")
        last_told = max(row["revision"] for row in rows if row["kind"] != "slot_reminder")
        assert last_told == 2


async def test_a_visit_request_reaches_the_school_and_every_coordinator(world: World) -> None:
    await world.hear(coordinator(1), coordinator(2), visit_said(outreach.VisitRequested, visit("requested")))
    assert [row["_id"] for row in await world.deliveries()] == [
        "visit_requested:visit1:1:teacher",
        "visit_requested:visit1:1:coordinator:coordinator1",
        "visit_requested:visit1:1:coordinator:coordinator2",
    ]


async def test_a_visit_from_proposal_to_cancellation(world: World) -> None:
    await world.hear(coordinator(1))
    await world.hear(visit_said(outreach.VisitProposed, visit("proposed", 2)))
    await world.hear(visit_said(outreach.VisitConfirmed, visit("confirmed", 3)))
    later = VisitDate(starts_local=LATER, ends_local=LATER + timedelta(hours=1), zone="Europe/Berlin")
    await world.hear(visit_said(outreach.VisitMoved, visit("confirmed", 4, chosen=later)))
    reminders = await world.deliveries(kind="visit_reminder", state="planned")
    assert {row["due_at"] for row in reminders} == {BERLIN_8_ON_27_NOV + timedelta(days=7)}
    assert {row["recipient_id"] for row in reminders} == {"", "amb1", "amb2"}
    await world.hear(visit_said(outreach.VisitCancelled, visit("cancelled", 5, chosen=later)))
    rows = await world.deliveries(kind="visit_cancelled")
    sequences = [(row["recipient_role"], (row["calendar"] or {}).get("sequence")) for row in rows]
    assert sequences == [("teacher", 2), ("ambassador", 2), ("ambassador", 2), ("coordinator", None)]
    assert await world.deliveries(kind="visit_reminder", state="planned") == []


async def test_who_drops_out_of_a_team_leaves_the_calendar_and_the_others_keep_theirs(world: World) -> None:
    await world.hear(coordinator(1), visit_said(outreach.VisitConfirmed, visit("confirmed", 3)))
    team = [member(1, "declined"), member(2, "accepted")]
    await world.hear(visit_said(outreach.VisitMemberLeft, visit("confirmed", 4, team=team, reason="Prüfung")))
    (told,) = await world.deliveries(kind="visit_member_left")
    assert (told["recipient_id"], told["calendar"]["method"]) == ("amb1", "CANCEL")
    smaller = await world.deliveries(kind="visit_team_smaller")
    assert {(row["recipient_role"], row["recipient_id"]) for row in smaller} == {
        ("teacher", ""), ("ambassador", "amb2"), ("coordinator", "coordinator1"),
    }  # fmt: skip
    assert [row["calendar"] for row in smaller] == [None] * 3
    reminders = await world.deliveries(kind="visit_reminder", state="planned")
    assert {row["recipient_id"] for row in reminders} == {"", "amb2"}
    await world.hear(visit_said(outreach.VisitCancelled, visit("cancelled", 5, team=[member(2, "accepted")])))
    assert {row["recipient_id"] for row in await world.deliveries(kind="visit_cancelled")} == {
        "",
        "amb2",
        "coordinator1",
    }


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (outreach.VisitProposalWithdrawn, "visit_proposal_withdrawn"),
        (outreach.VisitProposalExpired, "visit_proposal_expired"),
    ],
)
async def test_a_fallen_proposal_reaches_the_coordinators_and_the_whole_team(world: World, message, kind) -> None:
    fallen = visit("requested", 3, team=[member(1, "accepted"), member(2, "open")])
    await world.hear(coordinator(1), visit_said(message, fallen))
    assert sorted(await world.summary()) == [(kind, "ambassador", "planned")] * 2 + [(kind, "coordinator", "planned")]


async def test_the_school_is_asked_for_a_date_that_it_has_not_named(world: World) -> None:
    asked = visit("proposed", 2, team=[member(1, "open")], school_answer="open")
    await world.hear(visit_said(outreach.VisitProposed, asked))
    assert [row[:2] for row in sorted(await world.summary())] == [
        ("visit_date_proposed", "teacher"), ("visit_proposed", "ambassador"),
    ]  # fmt: skip


async def test_a_declined_proposal_reaches_the_coordinators_and_the_rest_of_the_team(world: World) -> None:
    declined = visit("requested", 3, team=[member(1, "declined"), member(2, "open")], reason="Prüfung")
    await world.hear(coordinator(1), visit_said(outreach.VisitProposalDeclined, declined))
    told = [("visit_proposal_declined", who, "planned") for who in ("ambassador", "coordinator")]
    assert sorted(await world.summary()) == told


async def test_a_failing_handler_leaves_neither_a_note_nor_a_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(planning, "plan_slot_reminders", broken)
    with pytest.raises(TryAgain):
        await world.hear(confirmed())
    assert await world.db.inbox.count_documents({}) == 0
    assert await world.deliveries() == []
    assert await world.db.registrations.count_documents({}) == 0
