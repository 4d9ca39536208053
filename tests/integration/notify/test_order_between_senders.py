"""Two processes that send: what goes to one address about one thing goes in the order in which it was planned."""

import random
from datetime import timedelta

import pytest

from services.notify.domain import Attempt, Delivery, is_late
from services.notify.store.deliveries import LATER, Deliveries
from services.notify.urgency import BULK, REMINDER, SIGN_IN, TRANSITION
from shared.mongo import Session, transaction
from shared.schemas import events
from tests.support.notify_builders import NOW, registration, said
from tests.support.notify_world import World, build_world
from tests.unit.notify.test_order_of_mails import planned

CONFIRMED = said(events.RegistrationConfirmed, registration("confirmed", 1))
WAITLISTED = said(events.RegistrationWaitlisted, registration("waitlisted"))


async def two_senders(world: World) -> tuple[Deliveries, Deliveries]:
    other = await build_world(world.db, world.server)
    return world.context.store.deliveries, other.context.store.deliveries


async def plan(world: World, *deliveries: Delivery) -> None:
    async def work(session: Session) -> None:
        await world.context.store.deliveries.add(deliveries, session)

    await transaction(world.db, work)


async def sent(deliveries: Deliveries, *held: Delivery) -> None:
    for each in held:
        await deliveries.end(each, Attempt(NOW, "sent", "250 OK"), state="sent", sent_at=NOW)


async def test_a_mail_waits_for_the_earlier_one_that_another_process_holds(world: World) -> None:
    ours, theirs = await two_senders(world)
    await world.hear(WAITLISTED)
    (first,) = await ours.claim(10, NOW)
    await world.hear(CONFIRMED)
    to_the_company = await theirs.claim(10, NOW)
    assert {each.to.role for each in to_the_company} == {"company"}
    assert await theirs.claim(10, NOW + LATER) == [], "the first is still on its way"
    await sent(ours, first)
    assert await theirs.claim(10, NOW + LATER) == [], "it is looked at again a moment later"
    (second,) = await theirs.claim(10, NOW + 2 * LATER)
    assert (second.kind, second.to.role) == ("registration_confirmed", "teacher")
    assert not is_late(second, NOW), "it goes out in its turn, whatever is known by now"


async def test_a_mail_that_was_tried_and_waits_for_its_turn_is_shown_as_deferred(world: World) -> None:
    ours, theirs = await two_senders(world)
    await plan(world, planned("second", now=NOW + LATER))
    (second,) = await theirs.claim(10, NOW + LATER)
    await theirs.end(second, Attempt(NOW, "deferred", "451"), state="deferred", due_at=NOW + 2 * LATER)
    await plan(world, planned("first"))
    await ours.claim(10, NOW + LATER)
    assert await theirs.claim(10, NOW + 2 * LATER) == []
    row = await world.db.deliveries.find_one({"_id": "second"})
    assert (row["state"], row["waiting"], row["behind"]) == ("deferred", True, True)


async def test_an_earlier_mail_that_is_tried_again_later_holds_nobody_up(world: World) -> None:
    ours, theirs = await two_senders(world)
    await plan(world, planned("first"))
    (first,) = await ours.claim(10, NOW)
    await plan(world, planned("second"))
    later = NOW + timedelta(minutes=5)
    await ours.end(first, Attempt(NOW, "deferred", "451"), state="deferred", due_at=later)
    (second,) = await theirs.claim(10, NOW)
    assert second.key == "second"


async def test_what_a_dead_process_held_goes_before_what_came_after_it(world: World) -> None:
    ours, theirs = await two_senders(world)
    await plan(world, planned("first"))
    await ours.claim(10, NOW)
    await plan(world, planned("second"))
    assert await theirs.claim(10, NOW) == []
    await world.db.deliveries.update_one({"_id": "first"}, {"$set": {"lease.until": NOW - timedelta(days=900)}})
    assert await theirs.free_abandoned() == 1
    assert [each.key for each in await theirs.claim(10, NOW + LATER)] == ["first", "second"]


async def test_of_what_is_due_the_most_urgent_goes_first(world: World) -> None:
    ours, _ = await two_senders(world)
    for urgency in (BULK, REMINDER, TRANSITION, SIGN_IN):
        await plan(world, planned(str(urgency), about=f"thing:{urgency}", priority=urgency))
    assert [(await ours.claim(1, NOW))[0].priority for _ in range(4)] == [SIGN_IN, TRANSITION, REMINDER, BULK]


@pytest.mark.processes_only
@pytest.mark.parametrize("seed", range(4))
async def test_however_two_processes_take_turns_the_order_is_kept(world: World, seed: int) -> None:
    senders = await two_senders(world)
    dice = random.Random(seed)
    held: dict[Deliveries, list[Delivery]] = {each: [] for each in senders}
    now, ended, number = NOW, [], 0
    while number < 24 or await world.db.deliveries.count_documents({"state": {"$ne": "sent"}}):
        now += timedelta(seconds=dice.choice((0, 1)))
        if number < 24:
            about, priority = dice.choice(("a", "b")), dice.choice((SIGN_IN, TRANSITION, TRANSITION, REMINDER))
            await plan(world, planned(f"{number:02}", about=about, priority=priority, now=now))
            number += 1
        sender = dice.choice(senders)
        if not held[sender]:
            held[sender] = await sender.claim(dice.choice((1, 3, 10)), now)
        elif dice.random() < 0.7:
            await sent(sender, held[sender][0])
            ended.append(held[sender].pop(0))
    for about in ("a", "b"):
        for priority in (SIGN_IN, TRANSITION, REMINDER):
            keys = [each.key for each in ended if (each.about, each.priority) == (about, priority)]
            assert keys == sorted(keys)
    assert len({each.key for each in ended}) == len(ended) == 24
