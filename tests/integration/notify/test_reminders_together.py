"""Reminders on a real MongoDB and a real SMTP server: digests, the cap, quiet hours, choices."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from services.notify.sender import Sender
from services.notify.timing import QuietHours
from services.notify.usecases.bouncing import hear_bounce
from shared.mongo import Document
from shared.schemas import events, outreach
from tests.support.bounced_mails import notification
from tests.support.notify_builders import TEACHER, coordinator, offer, registration, said, slot, slot_moved
from tests.support.notify_world import World, part

FIRST_REMINDER = datetime(2026, 11, 17, 7, tzinfo=UTC)  # 8:00 in Berlin, 14 days before
KONRAD, TESSA = "konrad@betrieb.example", "tessa1@schule.example"


def group(number: int, **changes: Any) -> events.RegistrationConfirmed:
    """A class with a teacher and a slot of its own; all come to the same company on the same day."""
    teacher = TEACHER.model_copy(update={"email": f"tessa{number}@schule.example"})
    facts = registration(id=f"reg{number}", contact=teacher, slot=slot(slot_id=f"slot{number}", **changes))
    return said(events.RegistrationConfirmed, facts)


def campaign(version: int, reminders: list[str] | None) -> outreach.CampaignChanged:
    day, moment = date(2026, 9, 1), datetime(2026, 9, 1, tzinfo=UTC)
    return outreach.CampaignChanged.about(
        "campaign:campaign1", version, now=moment, campaign_id="campaign1", name="Herbst", starts_on=day, ends_on=day,
        districts=[], kinds=["tour"], offers_from=moment, booking_from=moment, closes_at=moment, reminders=reminders,
    )  # fmt: skip


async def booked(world: World, *messages: events.RegistrationConfirmed) -> None:
    """Confirmed, the mails about that sent, and the clock at the first reminder."""
    await world.hear(*messages)
    await world.send_all()
    world.server.mails.clear()
    world.server.recipients.clear()
    world.clock.set(FIRST_REMINDER)


async def reminders_of(world: World, email: str, days: int = 14) -> list[Document]:
    rows = await world.deliveries(kind="slot_reminder", recipient=email)
    return [row for row in rows if f":{days}d:" in row["_id"]]


def with_rules(world: World, **rules: Any) -> None:
    world.context = replace(world.context, **rules)
    world.sender = Sender(world.context, world.mailer, world.clock, 4)  # type: ignore[arg-type]


async def test_reminders_for_one_address_on_one_day_are_one_mail_and_each_has_its_own_record(world: World) -> None:
    await booked(world, *(group(number) for number in range(5)))
    await world.send_all()
    assert sorted(world.server.recipients) == sorted([KONRAD, *(f"tessa{n}@schule.example" for n in range(5))])
    digest = next(mail for mail in world.server.mails if KONRAD in mail["To"])
    assert digest["Subject"] == "Erinnerung: 5 Termine, der nächste am 01.12.2026"
    text = part(digest, "text/plain").get_content()
    assert text.count("/events/slots/slot3/manage") == 1 and text.count("Feste, geschlossene Schuhe") == 5
    rows = await reminders_of(world, KONRAD)
    assert {row["state"] for row in rows} == {"sent"} and len(rows) == 5
    assert {row["message_id"] for row in rows} == {digest["Message-ID"]}
    assert len({row["together"] for row in rows}) == 1
    assert all(row["attempts"][0]["answer"].startswith("250") and "lease" not in row for row in rows)


async def test_any_number_of_senders_at_once_send_one_mail_per_address(world: World) -> None:
    await booked(world, *(group(number) for number in range(10)))
    senders = [Sender(world.context, world.mailer, world.clock, 2) for _ in range(12)]  # type: ignore[arg-type]
    due = {"waiting": True, "due_at": {"$lte": FIRST_REMINDER}}
    while await world.deliveries(**due):
        await asyncio.gather(*(each.send_due() for each in senders))
        await asyncio.gather(*(each.settle() for each in senders))
    assert world.server.recipients.count(KONRAD) == 1
    assert len(world.server.recipients) == len(set(world.server.recipients)) == 11
    assert {row["state"] for row in await reminders_of(world, KONRAD)} == {"sent"}


async def test_two_that_hold_one_reminder_each_end_with_one_of_them_holding_both(world: World) -> None:
    await booked(world, group(1), group(2))
    await world.db.deliveries.delete_many({"recipient": {"$ne": KONRAD}})
    reminders, deliveries = world.context.store.reminders, world.context.store.deliveries
    held = [*await deliveries.claim(1, world.clock.now()), *await deliveries.claim(1, world.clock.now())]
    gathered = await asyncio.gather(*(reminders.gather(each) for each in held))
    assert sorted(len(each) for each in gathered) == [0, 2]


async def test_what_was_called_off_is_not_in_the_digest(world: World) -> None:
    await booked(world, *(group(number) for number in range(3)))
    off = registration("cancelled", 2, "reg1", slot=slot(slot_id="slot1"))
    await world.hear(said(events.RegistrationCancelled, off))
    await world.send_all()
    digest = next(mail for mail in world.server.mails if mail["Subject"].startswith("Erinnerung: 2 Termine"))
    assert "slot1/manage" not in part(digest, "text/plain").get_content()
    assert [row["state"] for row in await reminders_of(world, KONRAD)] == ["sent", "cancelled", "sent"]


async def test_a_digest_that_is_deferred_is_tried_again_as_the_same_mail(world: World) -> None:
    await booked(world, *(group(number) for number in range(3)))
    world.server.script += ["450 later"] * 4
    await world.send_all()
    assert {row["state"] for row in await reminders_of(world, KONRAD)} == {"deferred"}
    world.clock.forward(timedelta(minutes=1))
    await world.send_all()
    again = [mail for mail in world.server.mails if mail["Subject"].startswith("Erinnerung: 3 Termine")]
    rows = await reminders_of(world, KONRAD)
    assert len(again) == 1 and {row["message_id"] for row in rows} == {again[0]["Message-ID"]}
    assert {(row["state"], row["attempt_count"]) for row in rows} == {("sent", 2)}


async def test_a_sender_that_dies_with_a_digest_in_its_hands_leaves_it_whole_to_the_next(world: World) -> None:
    await booked(world, *(group(number) for number in range(3)))
    reminders, deliveries = world.context.store.reminders, world.context.store.deliveries
    held = [each for each in await deliveries.claim(20, world.clock.now()) if each.to.email == KONRAD]
    assert len(await reminders.gather(held[1])) == 3
    assert await reminders.gather(held[0]) == [], "it was taken along"
    long_ago = {"$set": {"lease.until": datetime(2020, 1, 1, tzinfo=UTC)}}
    await world.db.deliveries.update_many({"lease": {"$exists": True}}, long_ago)
    assert await deliveries.free_abandoned() == 6
    await world.send_all()
    assert world.server.recipients.count(KONRAD) == 1
    digest = next(mail for mail in world.server.mails if KONRAD in mail["To"])
    assert digest["Message-ID"] == held[1].message_id


async def test_a_refused_digest_refuses_each_of_its_reminders_and_says_so_of_each(world: World) -> None:
    await booked(world, group(1), group(2))
    await world.db.deliveries.delete_many({"recipient": {"$ne": KONRAD}})
    world.server.script += ["554 no"]
    await world.send_all()
    rows = await reminders_of(world, KONRAD)
    assert {row["state"] for row in rows} == {"refused"}
    said_of = [str(row) async for row in world.db.outbox.find()]
    assert all(any(row["_id"] in each for each in said_of) for row in rows)


async def test_nobody_gets_more_mails_with_reminders_in_a_week_than_the_setting_says(world: World) -> None:
    with_rules(world, reminders_per_week=2)
    await booked(world, group(1, offer=offer(reminders=["4h", "3h", "1h"])))
    for hour in (4, 5, 7):
        world.clock.set(datetime(2026, 12, 1, hour, 0, tzinfo=UTC))
        await world.send_all()
    rows = await world.deliveries(kind="slot_reminder", recipient=KONRAD)
    assert [(row["state"], row["reason"]) for row in rows] == [("sent", "")] * 2 + [("cancelled", "over_cap")]
    assert world.server.recipients.count(KONRAD) == 2
    assert "betrieb" not in str(await world.db.counters.find().to_list(None)), "only a hash of the address is kept"


async def test_the_cap_counts_a_mail_once_however_often_it_is_tried(world: World) -> None:
    count = world.context.store.reminders.count_in
    assert [await count(TESSA, "2026-W48", "mail1", 2) for _ in range(3)] == [True] * 3
    assert await count(TESSA.upper(), "2026-W48", "mail2", 2)
    assert not await count(TESSA, "2026-W48", "mail3", 2)
    assert await count(TESSA, "2026-W48", "mail1", 2), "it was counted before"
    assert await count(TESSA, "2026-W49", "mail3", 2), "another week"


async def test_the_cap_holds_when_many_ask_in_the_same_moment(world: World) -> None:
    count = world.context.store.reminders.count_in
    answers = await asyncio.gather(*(count(TESSA, "2026-W48", f"mail{n}", 5) for n in range(40)))
    assert answers.count(True) == 5


async def test_in_quiet_hours_late_reminders_and_others_news_wait_for_the_morning(world: World) -> None:
    with_rules(world, quiet=QuietHours(time(20), time(7), "Europe/Berlin"))
    morning = datetime(2026, 11, 18, 6, tzinfo=UTC)
    await booked(world, group(1))
    world.clock.set(datetime(2026, 11, 17, 21, tzinfo=UTC))  # the relay was away all day
    await world.hear(group(2), slot_moved(slot(2, datetime(2026, 12, 3, 9), slot_id="slot2")))
    await world.send_all()
    assert world.server.recipients == ["tessa2@schule.example"], "her receipt, which she has just asked for"
    waiting = await world.deliveries(waiting=True, due_at={"$lte": morning})
    assert {row["due_at"] for row in waiting} == {morning}
    assert {row["kind"] for row in waiting} == {"slot_reminder", "registration_confirmed", "slot_moved"}
    world.clock.set(morning)
    await world.send_all()
    assert await world.deliveries(waiting=True, due_at={"$lte": morning}) == []
    assert {KONRAD, TESSA} <= set(world.server.recipients)


@pytest.mark.parametrize(("choice", "states"), [("last", ["cancelled", "sent"]), ("none", ["cancelled", "cancelled"])])
async def test_a_persons_own_choice_counts_at_the_moment_of_sending(
    world: World, choice: str, states: list[str]
) -> None:
    await booked(world, group(1))
    role = outreach.Role(kind="company", organisation_id="company1")
    await world.hear(coordinator(9, email=KONRAD, roles=[role], reminders=choice))
    for moment in (FIRST_REMINDER, datetime(2026, 11, 27, 7, tzinfo=UTC)):
        world.clock.set(moment)
        await world.send_all()
    rows = await world.deliveries(kind="slot_reminder", recipient=KONRAD)
    assert [row["state"] for row in rows] == states
    assert {row["reason"] for row in rows if row["state"] == "cancelled"} == {"not_wanted"}
    assert [row["state"] for row in await world.deliveries(kind="slot_reminder", recipient=TESSA)] == ["sent", "sent"]


async def waiting_offsets(world: World) -> set[str]:
    rows = await world.deliveries(kind="slot_reminder", waiting=True, recipient_role="teacher")
    return {row["_id"].split(":", 3)[3].removesuffix(":teacher") for row in rows}


async def test_a_campaigns_offsets_hold_for_what_is_planned_and_come_back_when_they_do(world: World) -> None:
    await world.hear(campaign(1, None), group(1))
    assert await waiting_offsets(world) == {"14d", "2d"}
    await world.hear(campaign(2, ["7d", "1h"]))
    assert await waiting_offsets(world) == {"7d", "1h"}
    await world.hear(group(2))
    assert await waiting_offsets(world) == {"7d", "1h"}
    await world.hear(campaign(4, ["14d"]), campaign(3, ["3d"]))
    assert await waiting_offsets(world) == {"14d"}
    rows = await world.deliveries(kind="slot_reminder", recipient_role="teacher", state="planned")
    assert len(rows) == 2 and {row["due_at"] for row in rows} == {FIRST_REMINDER}


async def test_an_offers_own_offsets_hold_at_once_for_what_is_planned(world: World) -> None:
    await world.hear(campaign(1, ["7d"]), group(1))
    changed = offer(reminders=["3d@17:30"])
    await world.hear(events.OfferChanged.about("offer:offer1", 2, now=world.clock.now(), offer=changed))
    assert await waiting_offsets(world) == {"3d@17:30"}
    rows = await world.deliveries(kind="slot_reminder", waiting=True)
    assert {row["due_at"] for row in rows} == {datetime(2026, 11, 27, 16, 30, tzinfo=UTC)}, "not on the Saturday"


async def test_a_schools_movable_day_moves_its_teachers_reminder_and_not_the_companys(world: World) -> None:
    facts = {"name": "x", "short_name": "x", "school_type": "15", "street": "x", "postal_code": "x", "town": "x"}
    place = {"municipality_ags": "05966", "district_ags": "05966", "lat": None, "lon": None, "pupils": None}
    school = outreach.SchoolChanged.about(
        "school:school1", 1, now=world.clock.now(), school_id="school1", open=True,
        movable_days=[FIRST_REMINDER.date()], **facts, **place,
    )  # fmt: skip
    await world.hear(school, group(1))
    teachers, companies = await reminders_of(world, TESSA), await reminders_of(world, KONRAD)
    assert teachers[0]["due_at"] == FIRST_REMINDER - timedelta(days=1)
    assert companies[0]["due_at"] == FIRST_REMINDER


async def test_a_reminder_that_is_late_survives_that_the_group_is_resized(world: World) -> None:
    await booked(world, group(1))
    world.clock.forward(timedelta(hours=2))
    resized = registration("confirmed", 2, "reg1", slot=slot(slot_id="slot1"), previous_pupils=30)
    await world.hear(said(events.RegistrationResized, resized))
    await world.send_all()
    assert [row["state"] for row in await reminders_of(world, KONRAD)] == ["sent"]


async def test_a_digest_of_which_one_part_is_in_other_hands_is_not_handed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await booked(world, *(group(number) for number in range(3)))
    stolen = {"$set": {"lease.token": "somebody else's"}}
    counted = world.context.store.reminders.count_in

    async def lose_one(*about: Any) -> bool:
        await world.db.deliveries.update_one({"recipient": KONRAD, "lease": {"$exists": True}}, stolen)
        return await counted(*about)

    monkeypatch.setattr(world.context.store.reminders, "count_in", lose_one)
    await world.send_all()
    assert KONRAD not in world.server.recipients


async def test_a_digest_that_came_back_is_shown_with_each_of_its_reminders(world: World) -> None:
    await booked(world, *(group(number) for number in range(3)))
    await world.send_all()
    (message_id,) = {row["message_id"] for row in await reminders_of(world, KONRAD)}
    bounced = notification(message_id, "smtp; 550 5.1.1 unknown")
    assert await hear_bounce(world.context, bounced, now=world.clock.now()) == "noted"
    assert await hear_bounce(world.context, bounced, now=world.clock.now()) == "known"
    rows = await reminders_of(world, KONRAD)
    assert [(row["state"], row["attempts"][-1]["outcome"]) for row in rows] == [("refused", "bounced")] * 3
