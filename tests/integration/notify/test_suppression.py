"""An address that refuses for good: suppressed, told, shown, lifted, and what is still useful sent after all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notify.domain import DeliveryUnknown, NoLongerTrue
from services.notify.suppression import (
    AddressIsSuppressed,
    AlreadyLifted,
    AlreadySuppressed,
    NotAnAddress,
    NoteMissing,
    address_hash,
)
from services.notify.usecases import mail_log, stuck, suppressing
from services.notify.usecases.erasure import erase_due, forget_person_who_left
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.schemas import events
from shared.schemas.outreach import Role
from tests.support.notify_builders import NOW, TEACHER, coordinator, registration, said, sign_in_requested
from tests.support.notify_world import SECRET, World

BOUNCE = "550 5.1.1 <tessa@schule.example> No such user"
TESSA = address_hash("tessa@schule.example", SECRET)
KEY = "registration_waitlisted:reg1:1:teacher"
KORA = Identity("kora", "person", "Kora Koordination", (Role(kind="coordinator", organisation_id="agency"),))
OPERATOR = Identity("otto", "person", "Otto Betrieb", (Role(kind="operator", organisation_id="agency"),))
OUTSIDERS = [
    Identity("t", "person", "T", (Role(kind="teacher", organisation_id="school1"),)),
    Identity("c", "person", "C", (Role(kind="company", organisation_id="company1"),)),
    Identity("n", "person", "N"),
]


def waitlisted(id: str = "reg1", version: int = 1, email: str = "tessa@schule.example") -> Any:
    facts = registration("waitlisted", version, id=id, contact=TEACHER.model_copy(update={"email": email}))
    return said(events.RegistrationWaitlisted, facts)


async def bounce(world: World, *more: Any) -> None:
    """Tessa's first mail is refused for good; then `more` is heard and sent."""
    world.server.script = [BOUNCE]
    await world.hear(waitlisted())
    await world.send_all()
    await world.hear(*more)
    await world.send_all()


async def lift(world: World, request_id: str = "lift") -> int:
    _, again = await suppressing.lift_suppression(
        world.context, KORA, TESSA, now=world.clock.now(), request_id=request_id
    )
    await world.send_all()
    return again


async def test_a_hard_bounce_suppresses_the_address_and_later_mails_are_held_back_and_said(world: World) -> None:
    await bounce(world, waitlisted("reg2"))
    row = await world.db.suppressions.find_one({"_id": TESSA})
    assert row and (row["masked"], row["reason"], row["active"]) == ("te…@schule.example", "refused", True)
    assert row["answer"] == "550 5.1.1 <<address>> No such user"
    assert "tessa@" not in str(row), "the address itself is not kept"
    assert await world.summary() == [
        ("registration_waitlisted", "teacher", "refused"),
        ("registration_waitlisted", "teacher", "suppressed"),
    ]
    assert world.server.mails == []
    told = [entry["wire"]["data"]["concerns"] async for entry in world.db.outbox.find().sort("_id", 1)]
    assert sorted(told) == ["registration:reg1", "registration:reg2"], "whoever waits for the mail hears of it"


async def test_the_address_is_suppressed_whatever_its_case_and_others_are_not(world: World) -> None:
    await bounce(
        world, waitlisted("reg2", email="Tessa@Schule.example"), waitlisted("reg3", email="tom@schule.example")
    )
    assert world.server.recipients == ["tom@schule.example"]


@pytest.mark.parametrize("answer", ["552 5.2.2 Mailbox full", "554 5.7.1 Spam", "451 4.7.1 later", "554 no"])
async def test_what_is_not_the_address_s_fault_suppresses_nothing(world: World, answer: str) -> None:
    world.server.script = [answer]
    await world.hear(waitlisted(), waitlisted("reg2"))
    await world.send_all()
    assert await world.db.suppressions.count_documents({}) == 0
    assert len(world.server.mails) == 1


async def test_coordinators_are_told_once_a_day_however_many_addresses_refuse(world: World) -> None:
    await world.hear(coordinator(1))
    world.server.script = [BOUNCE]
    await world.hear(waitlisted())
    await world.send_all()
    world.server.script = [BOUNCE]
    await world.hear(waitlisted("reg2", email="tom@schule.example"))
    await world.send_all()
    assert world.server.recipients == ["kora1@agentur.example"]
    assert world.server.subjects == ["Eine Adresse nimmt keine Mails an: te…@schule.example"]
    assert "tessa@" not in str(world.server.mails[0])


async def test_a_day_of_telling_coordinators_is_a_local_one(world: World) -> None:
    world.clock.set(datetime(2026, 11, 2, 23, 30, tzinfo=UTC))  # half past midnight in Berlin
    await world.hear(coordinator(1))
    await bounce(world)
    assert [row["_id"] for row in await world.deliveries(kind="address_suppressed")] == [
        "address_suppressed:2026-11-03:coordinator:coordinator1"
    ]


async def test_the_search_shows_the_newest_of_too_many(world: World) -> None:
    await world.hear(*[waitlisted(id, email=f"klasse{id}@schule.example") for id in ("a", "b", "c")])
    found = await world.context.store.log.search("klasse", most=2)
    assert [delivery.about for delivery in found] == ["registration:c", "registration:b"]


async def test_lifting_sends_what_was_held_back_and_says_who_did_it(world: World) -> None:
    await bounce(world, waitlisted("reg2"))
    assert await lift(world) == 2
    assert world.server.recipients == ["tessa@schule.example"] * 2
    row = await world.db.suppressions.find_one({"_id": TESSA})
    assert row and (row["active"], row["lifted_by"], row["lifted_at"]) == (False, "Kora Koordination", NOW)
    assert {state for _, _, state in await world.summary()} == {"sent"}
    with pytest.raises(AlreadyLifted):
        await lift(world, "another click")


async def test_the_same_click_twice_sends_once(world: World) -> None:
    await bounce(world, waitlisted("reg2"))
    assert [await lift(world), await lift(world)] == [2, 0]
    assert len(world.server.mails) == 2


async def test_lifting_leaves_what_is_no_longer_true_or_has_begun(world: World) -> None:
    confirmed = said(events.RegistrationConfirmed, registration("confirmed", 2))
    await bounce(world, confirmed)
    assert await lift(world) == 1
    assert [subject.split(":")[0] for subject in world.server.subjects if "Musterwerk" in subject] == ["Bestätigt"]
    await world.db.suppressions.update_one({"_id": TESSA}, {"$set": {"active": True}})
    await world.db.deliveries.update_many({"about": "registration:reg1", "state": "sent"}, {"$set": {
        "state": "suppressed", "suppression": TESSA}})  # fmt: skip
    world.clock.forward(timedelta(days=60))
    assert await lift(world, "too late") == 0


async def test_a_refusal_after_lifting_suppresses_again(world: World) -> None:
    await bounce(world)
    world.server.script = [BOUNCE]
    await lift(world)
    row = await world.db.suppressions.find_one({"_id": TESSA})
    assert row and row["active"] and row["lifted_by"] == ""


async def test_a_sign_in_mail_to_a_suppressed_address_is_held_back_without_its_secret(world: World) -> None:
    await bounce(world, sign_in_requested())
    row = await world.delivery(f"sign_in:{sign_in_requested().id}")
    assert (row["state"], row["facts"]) == ("suppressed", None)
    assert await lift(world) == 1, "the registration's mail alone"


async def test_nothing_is_sent_again_to_a_suppressed_address_but_to_another_one(world: World) -> None:
    await bounce(world)
    with pytest.raises(AddressIsSuppressed):
        await mail_log.resend_delivery(world.context, KORA, KEY, even_if_sent=False, now=NOW, request_id="r")
    for wrong, error in (("nobody", NotAnAddress), ("TESSA@schule.example", AddressIsSuppressed)):
        with pytest.raises(error):
            await stuck.correct_address(world.context, KORA, KEY, wrong, now=NOW, request_id="r")
    await stuck.correct_address(world.context, KORA, KEY, " tessa.muster@schule.example ", now=NOW, request_id="r")
    await world.send_all()
    assert world.server.recipients == ["tessa.muster@schule.example"]
    assert (await world.delivery(KEY))["words"].count("tessa.muster@schule.example") == 1


async def test_a_sign_in_mail_goes_to_no_other_address(world: World) -> None:
    world.server.script = [BOUNCE]
    await world.hear(sign_in_requested())
    await world.send_all()
    with pytest.raises(NoLongerTrue):
        await stuck.correct_address(
            world.context, KORA, f"sign_in:{sign_in_requested().id}", "eva@fremd.example", now=NOW, request_id="r"
        )


async def test_an_address_is_suppressed_by_hand_with_a_reason(world: World) -> None:
    async def add(email: str, note: str, request_id: str = "add") -> Any:
        return await suppressing.suppress_address(world.context, OPERATOR, email, note, now=NOW, request_id=request_id)

    for email, note, error in (("tessa", "x", NotAnAddress), ("tessa@schule.example", " ", NoteMissing)):
        with pytest.raises(error):
            await add(email, note)
    made = await add("Tessa@schule.example", "möchte keine Mails")
    assert (made.id, made.by, made.reason) == (TESSA, "Otto Betrieb", "by_hand")
    assert (await add("tessa@schule.example", "möchte keine Mails")).id == TESSA, "the same click again"
    with pytest.raises(AlreadySuppressed):
        await add("tessa@schule.example", "noch einmal", "another")
    await world.hear(waitlisted())
    await world.send_all()
    assert world.server.mails == [] and (await world.delivery(KEY))["state"] == "suppressed"
    told = [entry["wire"]["data"] async for entry in world.db.outbox.find()]
    assert [each["answer"] for each in told] == ["suppressed"], "the note is for colleagues"


async def test_a_suppression_goes_by_itself_and_with_its_person(world: World) -> None:
    await bounce(world)
    await erase_due(world.context, now=NOW + timedelta(days=364))
    assert await world.db.suppressions.count_documents({}) == 1
    counts = await erase_due(world.context, now=NOW + timedelta(days=366))
    assert counts["suppressions"] == 1 and await world.db.suppressions.count_documents({}) == 0
    await world.db.people.insert_one({"_id": "p1", "email": "Tessa@schule.example", "active": True})
    await bounce(world, *[])
    await world.db.suppressions.insert_one({"_id": TESSA, "active": True})
    await forget_person_who_left(world.context, "p1", now=NOW)
    assert await world.db.suppressions.count_documents({"_id": TESSA}) == 0


async def test_stuck_mails_are_listed_by_kind_sent_again_and_taken_off(world: World) -> None:
    world.server.script = ["554 5.7.1 no", "554 5.7.1 no"]
    await world.hear(waitlisted(), waitlisted("reg2"), waitlisted("reg3"))
    await world.send_all()
    assert (await stuck.count_stuck(world.context, KORA)) == {
        "refused": 2,
        "suppressed": 0,
        "gave_up": 0,
        "deferred": 0,
    }
    listed, _ = await stuck.list_stuck(world.context, KORA, "", limit=10, after=None)
    first, second = [delivery.key for delivery in listed]
    resent = await stuck.resend_many(world.context, KORA, [first, "unknown"], now=NOW, request_id="r")
    assert (resent.worked, resent.left) == (1, 0)
    await world.send_all()
    assert await stuck.settle_many(world.context, KORA, [second, first], now=NOW) == 1, "only what is stuck"
    listed, _ = await stuck.list_stuck(world.context, KORA, "", limit=10, after=None)
    assert listed == [] and (await world.delivery(second))["settled_by"] == "Kora Koordination"


async def test_a_mail_that_is_tried_in_vain_for_long_is_stuck_and_one_that_was_tried_once_is_not(world: World) -> None:
    await world.server.stop()
    await world.hear(waitlisted())
    await world.send_all()
    assert sum((await stuck.count_stuck(world.context, KORA)).values()) == 0
    for _ in range(12):
        world.clock.forward(timedelta(minutes=10))
        await world.send_all()
    assert (await stuck.count_stuck(world.context, KORA))["deferred"] == 1


@pytest.mark.parametrize("outsider", OUTSIDERS, ids=lambda who: who.id)
async def test_nobody_else_may(world: World, outsider: Identity) -> None:
    context, common = world.context, {"now": NOW, "request_id": "r"}
    for work in (
        suppressing.list_suppressions(context, outsider, active=True, limit=1, after=None),
        suppressing.show_suppression(context, outsider, TESSA),
        suppressing.suppress_address(context, outsider, "a@b.example", "x", **common),  # type: ignore[arg-type]
        suppressing.lift_suppression(context, outsider, TESSA, **common),  # type: ignore[arg-type]
        stuck.list_stuck(context, outsider, "", limit=1, after=None),
        stuck.resend_many(context, outsider, [KEY], **common),  # type: ignore[arg-type]
        stuck.settle_many(context, outsider, [KEY], now=NOW),
        stuck.correct_address(context, outsider, KEY, "a@b.example", **common),  # type: ignore[arg-type]
        mail_log.search_deliveries(context, outsider, "tessa"),
    ):
        with pytest.raises(NotAllowed):
            await work


async def test_correcting_an_unknown_mail_says_so(world: World) -> None:
    with pytest.raises(DeliveryUnknown):
        await stuck.correct_address(world.context, KORA, "nothing", "a@b.example", now=NOW, request_id="r")
