"""Participants on a real MongoDB and a real SMTP server: consents, reminders, withdrawal, erasure."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import json_util

from services.notify.consent import Asking, ClassLinkUnknown, LinkIsOver, NoRoomLeft, TooManyAsked, VisitIsOver
from services.notify.domain import TooLateToSend
from services.notify.usecases import class_links, mail_log, participants, pupil_mails, suppressing
from services.notify.usecases.erasure import erase_due
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.schemas import events
from shared.schemas.events import GroupFacts
from shared.schemas.outreach import Role
from tests.support.notify_builders import NOW, STARTS, registration, said, slot, slot_moved
from tests.support.notify_world import World, part

TEACHER = Identity("t", "person", "Tessa", (Role(kind="teacher", organisation_id="school1"),))
COORDINATOR = Identity("c", "person", "Kora", (Role(kind="coordinator", organisation_id="agency"),))
COMPANY = Identity("k", "person", "Konrad", (Role(kind="company", organisation_id="company1"),))
TWO_DAYS_BEFORE = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)
ONE_DAY_BEFORE = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
LATER = STARTS + timedelta(days=7)


@pytest.fixture
async def secret(world: World) -> str:
    """The class link's secret of a confirmed registration; the mails to teacher and company are out."""
    await world.hear(said(events.RegistrationConfirmed, registration("confirmed")))
    await world.send_all()
    world.server.mails.clear()
    world.server.recipients.clear()
    return (await world.db.class_links.find_one({"_id": "reg1"}))["secret"]


def older(name: str = "Lena") -> Asking:
    return Asking(name, f"{name.lower()}@post.example", False, "", "de")


def younger(name: str = "Emil", parent: str = "mutter@post.example") -> Asking:
    return Asking(name, f"{name.lower()}@post.example", True, parent, "de")


async def ask(world: World, secret: str, asking: Asking, client: str = "1.2.3.4") -> None:
    await participants.ask_for_reminders(world.context, secret, asking, client=client, now=world.clock.now())
    await world.send_all()


def link(world: World, number: int = -1) -> tuple[str, str]:
    """(action, token) of the link in one of the mails."""
    text = part(world.server.mails[number], "text/plain").get_content()
    found = re.search(r"/notify/(parent|confirm|mine)/(\S+)", text)
    assert found, text
    return found[1], found[2]


async def confirmed(world: World, secret: str, asking: Asking) -> str:
    """The token of the own page of somebody who has every consent."""
    await ask(world, secret, asking)
    if asking.under_16:
        await say_yes(world)
    action, token = link(world)
    assert action == "confirm"
    own = await participants.confirm(world.context, token, language="de", now=world.clock.now())
    await world.send_all()
    return own


async def say_yes(world: World) -> None:
    action, token = link(world)
    assert action == "parent"
    await participants.answer_as_parent(world.context, token, True, language="de", now=world.clock.now())
    await world.send_all()


async def planned(world: World) -> list[tuple[str, datetime]]:
    """(address, moment) of the pupils' reminders that wait."""
    rows = await world.deliveries(kind="pupil_reminder", waiting=True)
    return sorted((row["recipient"], row["due_at"]) for row in rows)


async def test_a_confirmed_registration_has_a_class_link_and_keeps_it(world: World, secret: str) -> None:
    assert re.fullmatch(r"[a-z2-9]{16}", secret)
    await world.hear(said(events.RegistrationResized, registration("confirmed", 2)))
    assert (await world.db.class_links.find_one({"_id": "reg1"}))["secret"] == secret


async def test_a_pupil_of_16_confirms_and_is_reminded_twice(world: World, secret: str) -> None:
    await ask(world, secret, older())
    assert world.server.recipients == ["lena@post.example"]
    assert await planned(world) == [], "asking is not yet consenting"
    _, token = link(world)
    await participants.confirm(world.context, token, language="de", now=NOW)
    await world.send_all()
    assert "Wir erinnern dich: Besuch am 01.12.2026" in world.server.subjects[-1]
    assert await planned(world) == [("lena@post.example", TWO_DAYS_BEFORE), ("lena@post.example", ONE_DAY_BEFORE)]
    world.clock.set(ONE_DAY_BEFORE)
    await world.send_all()
    mails = [mail for mail in world.server.mails if "lena@" in str(mail["To"])]
    assert [str(mail["Subject"]).strip().split(":")[0] for mail in mails[-2:]] == ["Erinnerung", "Erinnerung"]
    for content in (part(mails[-1], kind).get_content() for kind in ("text/plain", "text/html")):
        for fact in ("Hallo Lena", "Feste, geschlossene Schuhe", "9:00 bis", "Siegen", "Bus R16", "0271 98765"):
            assert fact in content
        assert "02761 1234" not in content and "tessa@schule.example" not in content, "the teacher's own number"


async def test_a_pupil_under_16_is_written_to_only_after_a_parent_said_yes(world: World, secret: str) -> None:
    await ask(world, secret, younger())
    assert world.server.recipients == ["mutter@post.example"]
    await say_yes(world)
    assert world.server.recipients == ["mutter@post.example", "emil@post.example"]
    assert await planned(world) == []
    _, token = link(world)
    await participants.confirm(world.context, token, language="de", now=NOW)
    assert len(await planned(world)) == 2
    kept = await world.db.consents.find({}).sort("at", 1).to_list(None)
    assert [(row["who"], row["answer"], row["wording"], row["language"]) for row in kept] == [
        ("parent", "yes", "2026-11", "de"),
        ("pupil", "yes", "2026-11", "de"),
    ]
    assert kept[0]["shown"].startswith("Darf {first_name} per Mail an den Besuch der Klasse bei Musterwerk")
    assert "Dienstag, 1. Dezember 2026" in kept[0]["shown"] and "Emil" not in json_util.dumps(kept)


async def test_a_parents_no_erases_everything_at_once(world: World, secret: str) -> None:
    await ask(world, secret, younger())
    _, token = link(world)
    await participants.answer_as_parent(world.context, token, False, language="de", now=NOW)
    await assert_no_trace(world, "emil@post.example", "mutter@post.example", "Emil")
    kept = await world.db.consents.find({}).to_list(None)
    assert [(row["who"], row["answer"], "participant_id" in row) for row in kept] == [("parent", "no", False)]
    with pytest.raises(LinkIsOver):
        await participants.answer_as_parent(world.context, token, True, language="de", now=NOW)
    assert (await world.db.class_links.find_one({"_id": "reg1"}))["taken"] == 0


async def assert_no_trace(world: World, *texts: str) -> None:
    """None of `texts` stands anywhere in the database."""
    for name in await world.db.list_collection_names():
        rows = json_util.dumps(await world.db[name].find({}).to_list(None))
        assert [text for text in texts if text in rows] == [], name


@pytest.mark.parametrize("who", ["pupil", "parent"])
async def test_withdrawing_is_one_step_for_pupil_and_parent(world: World, secret: str, who: str) -> None:
    await ask(world, secret, younger())
    _, parents_token = link(world)
    await say_yes(world)
    _, token = link(world)
    own = await participants.confirm(world.context, token, language="de", now=NOW)
    given = ("parent", parents_token) if who == "parent" else ("mine", own)
    await participants.withdraw(world.context, *given, language="de", now=NOW)  # type: ignore[arg-type]
    await assert_no_trace(world, "emil@post.example", "mutter@post.example", "Emil")
    assert await planned(world) == []
    last = await world.db.consents.find({}).sort("_id", 1).to_list(None)
    assert {(row["who"], row["answer"]) for row in last} >= {(who, "withdrawn")}
    for action, lost in (("parent", parents_token), ("confirm", token), ("mine", own)):
        with pytest.raises(LinkIsOver):
            await participants.withdraw(world.context, action, lost, language="de", now=NOW)  # type: ignore[arg-type]


async def test_reminders_move_with_the_slot(world: World, secret: str) -> None:
    await confirmed(world, secret, older())
    await world.hear(slot_moved(slot(2, LATER)))
    week = timedelta(days=7)
    assert [due for _, due in await planned(world)] == [TWO_DAYS_BEFORE + week, ONE_DAY_BEFORE + week]
    gone_at = datetime(2026, 12, 9, 23, 0, tzinfo=UTC)
    assert (await world.db.participants.find_one({}))["gone_at"] == gone_at
    assert (await world.db.class_links.find_one({}))["erase_after"] == gone_at


async def test_reminders_go_with_the_registration(world: World, secret: str) -> None:
    own = await confirmed(world, secret, older())
    await world.hear(said(events.RegistrationCancelled, registration("cancelled", 2, cancelled_by="school")))
    assert await planned(world) == []
    with pytest.raises(VisitIsOver):
        await participants.show_class(world.context, secret, now=NOW)
    assert (await participants.show_own(world.context, own, now=NOW)).visit.over == "cancelled"


async def test_a_slot_that_is_called_off_reminds_nobody_even_before_the_registrations_are_told(
    world: World, secret: str
) -> None:
    await confirmed(world, secret, older())
    off = slot(2, state="cancelled")
    await world.hear(events.SlotCancelled.about("slot:slot1", 200, now=NOW, slot=off))
    world.clock.set(ONE_DAY_BEFORE)
    count = len(world.server.mails)
    await world.send_all()
    assert [m["Subject"] for m in world.server.mails[count:] if "lena" in m["To"]] == []


async def test_who_cannot_come_is_not_reminded_and_is_again_after_the_undo(world: World, secret: str) -> None:
    own = await confirmed(world, secret, older())
    await participants.say_coming(world.context, own, False, now=NOW)
    listed = await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)
    assert [(entry.first_name, entry.standing) for entry in listed.entries] == [("Lena", "cannot_come")]
    world.clock.set(TWO_DAYS_BEFORE)
    await world.send_all()
    assert "lena@post.example" not in world.server.recipients[2:]
    await participants.say_coming(world.context, own, True, now=world.clock.now())
    world.clock.set(ONE_DAY_BEFORE)
    await world.send_all()
    assert world.server.recipients.count("lena@post.example") == 3


async def test_the_class_list_says_of_each_pupil_how_things_stand_and_counts_it(world: World, secret: str) -> None:
    comes, silent, gone = [await confirmed(world, secret, older(name)) for name in ("Lena", "Mia", "Ole")]
    await participants.say_coming(world.context, comes, True, now=NOW)
    await participants.say_coming(world.context, gone, False, now=NOW)
    for asking in (older("Pia"), younger("Emil")):
        await participants.ask_for_reminders(world.context, secret, asking, client="c", now=NOW)
    listed = await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)
    assert {entry.first_name: entry.standing for entry in listed.entries} == {
        "Lena": "comes", "Mia": "no_reaction", "Ole": "cannot_come", "Pia": "pupil_asked", "Emil": "parent_asked",
    }  # fmt: skip
    assert (listed.reminded, sum(count for _, count in listed.counts)) == (2, 5)
    await participants.say_coming(world.context, comes, None, now=NOW)
    listed = await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)
    assert dict(listed.counts)["no_reaction"] == 2, "what was said can be taken back"
    assert silent != comes


async def test_a_reminder_whose_consent_is_missing_is_not_sent_even_if_it_was_planned(
    world: World, secret: str
) -> None:
    await confirmed(world, secret, younger())
    await world.db.participants.update_one({}, {"$set": {"parent_consented_at": None}})
    world.clock.set(ONE_DAY_BEFORE)
    before = world.server.recipients.count("emil@post.example")
    await world.send_all()
    assert world.server.recipients.count("emil@post.example") == before
    assert {row["state"] for row in await world.deliveries(kind="pupil_reminder")} == {"cancelled"}


async def test_only_as_many_as_the_room_may_ask_at_any_load(world: World) -> None:
    small = registration("confirmed", group=GroupFacts(name="8a", grade=8, pupils=6, adults=1))
    await world.hear(said(events.RegistrationConfirmed, small))
    secret = (await world.db.class_links.find_one({}))["secret"]
    names = [f"{first}{second}" for first in "ABCD" for second in "abcdef"]
    asked = [participants.ask_for_reminders(world.context, secret, older(name), client=name, now=NOW) for name in names]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(result is None for result in results) == 9
    assert sum(isinstance(result, NoRoomLeft) for result in results) == 15
    assert await world.db.participants.count_documents({}) == 9


async def test_the_same_address_gets_the_same_answer_and_at_most_three_mails(world: World, secret: str) -> None:
    for minutes in range(0, 50, 10):
        world.clock.set(NOW + timedelta(minutes=minutes))
        await ask(world, secret, older())
    assert world.server.recipients == ["lena@post.example"] * 3
    assert await world.db.participants.count_documents({}) == 1


async def test_the_same_form_sent_ten_times_at_once_makes_one_entry_and_one_mail(world: World, secret: str) -> None:
    given = [participants.ask_for_reminders(world.context, secret, older(), client="c", now=NOW) for _ in range(10)]
    await asyncio.gather(*given)
    await world.send_all()
    assert world.server.recipients == ["lena@post.example"]


async def test_a_corrected_parents_address_makes_the_first_parents_link_worthless(world: World, secret: str) -> None:
    await ask(world, secret, younger(parent="falsch@post.example"))
    _, wrong = link(world)
    world.clock.forward(timedelta(minutes=5))
    await ask(world, secret, younger(parent="vater@post.example"))
    assert world.server.recipients == ["falsch@post.example", "vater@post.example"]
    with pytest.raises(LinkIsOver):
        await participants.answer_as_parent(world.context, wrong, True, language="de", now=NOW)


async def test_a_question_to_a_corrected_address_never_goes_to_the_wrong_one(world: World, secret: str) -> None:
    await participants.ask_for_reminders(
        world.context, secret, younger(parent="falsch@post.example"), client="c", now=NOW
    )
    later = NOW + timedelta(minutes=5)
    right = younger(parent="vater@post.example")
    await participants.ask_for_reminders(world.context, secret, right, client="c", now=later)
    world.clock.set(later)
    await world.send_all()
    assert world.server.recipients == ["vater@post.example"]


async def test_who_asks_too_often_must_wait(world: World, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(participants, "ASKED_PER_LINK", 3)
    for name in ("Ada", "Bea", "Cem"):
        await ask(world, secret, older(name))
    with pytest.raises(TooManyAsked):
        await ask(world, secret, older("Dan"))
    world.clock.forward(timedelta(hours=1))
    await ask(world, secret, older("Dan"))


async def test_an_address_is_left_alone_after_some_questions_a_day_whoever_asks(world: World, secret: str) -> None:
    for name in ("Ada", "Bea", "Cem", "Dan", "Eva", "Fee", "Gil", "Hal"):
        await ask(world, secret, younger(name))
    assert world.server.recipients == ["mutter@post.example"] * participants.MAILS_PER_ADDRESS


async def test_a_renewed_and_a_closed_link_lead_nowhere(world: World, secret: str) -> None:
    await confirmed(world, secret, older())
    await class_links.renew_class_link(world.context, TEACHER, "reg1", 1, now=NOW)
    await class_links.renew_class_link(world.context, TEACHER, "reg1", 1, now=NOW)
    fresh = await world.db.class_links.find_one({"_id": "reg1"})
    assert fresh["version"] == 2 and fresh["secret"] != secret, "sent twice, made once"
    with pytest.raises(ClassLinkUnknown):
        await ask(world, secret, older("Ada"))
    await ask(world, fresh["secret"], older("Ada"))
    await class_links.close_class_link(world.context, TEACHER, "reg1", now=NOW)
    with pytest.raises(ClassLinkUnknown):
        await ask(world, fresh["secret"], older("Bea"))
    assert len(await planned(world)) == 2, "who is on the list is still reminded"


async def test_an_old_registration_without_a_link_gets_one_from_its_teacher(world: World, secret: str) -> None:
    await world.db.class_links.delete_many({})
    listed = await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)
    assert listed.address == "" and await world.db.class_links.count_documents({}) == 0, "looking makes none"
    await class_links.renew_class_link(world.context, TEACHER, "reg1", 0, now=NOW)
    assert (await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)).address


async def test_the_link_ends_with_the_start_of_the_visit(world: World, secret: str) -> None:
    with pytest.raises(VisitIsOver):
        await participants.show_class(world.context, secret, now=datetime(2026, 12, 1, 8, 0, tzinfo=UTC))


async def test_the_teachers_list_has_first_names_and_states_but_no_address(world: World, secret: str) -> None:
    await ask(world, secret, younger())
    await confirmed(world, secret, older())
    world.server.script = ["550 no such mailbox"]
    await ask(world, secret, older("Ada"))
    listed = await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)
    assert [(entry.first_name, entry.standing) for entry in listed.entries] == [
        ("Ada", "failed"),
        ("Emil", "parent_asked"),
        ("Lena", "no_reaction"),
    ]
    assert "@" not in repr(listed.entries) and listed.reminded == 1


async def test_of_a_failed_mail_to_a_pupil_nothing_is_said_to_other_services(world: World, secret: str) -> None:
    world.server.script = ["550 no such mailbox"]
    await ask(world, secret, older())
    assert [row["state"] for row in await world.deliveries(kind="pupil_confirmation")] == ["refused"]
    assert await world.db.outbox.count_documents({}) == 0


async def test_a_removed_entry_is_erased_and_its_place_is_free(world: World, secret: str) -> None:
    await confirmed(world, secret, older())
    found = await class_links.show_class_list(world.context, TEACHER, "reg1", now=NOW)
    await class_links.remove_entry(world.context, TEACHER, "reg1", found.entries[0].id, now=NOW)
    await class_links.remove_entry(world.context, TEACHER, "reg1", found.entries[0].id, now=NOW)
    await assert_no_trace(world, "lena@post.example", "Lena")
    assert (await world.db.class_links.find_one({}))["taken"] == 0
    kept = await world.db.consents.find({}).sort("_id", 1).to_list(None)
    assert sorted((row["who"], row["answer"], "participant_id" in row) for row in kept) == [
        ("pupil", "yes", False), ("teacher", "withdrawn", False),
    ]  # fmt: skip


async def test_nobody_but_the_school_and_the_coordinator_sees_the_list(world: World, secret: str) -> None:
    stranger = Identity("s", "person", "Toni", (Role(kind="teacher", organisation_id="school2"),))
    for identity in (COMPANY, stranger, Identity("n", "person", "Nobody")):
        for work in (
            class_links.show_class_list(world.context, identity, "reg1", now=NOW),
            class_links.renew_class_link(world.context, identity, "reg1", 1, now=NOW),
            class_links.close_class_link(world.context, identity, "reg1", now=NOW),
            class_links.remove_entry(world.context, identity, "reg1", "p", now=NOW),
        ):
            with pytest.raises(NotAllowed):
                await work
    assert (await class_links.show_class_list(world.context, COORDINATOR, "reg1", now=NOW)).address


async def test_no_mail_to_a_company_or_teacher_says_who_is_on_the_list(world: World, secret: str) -> None:
    await confirmed(world, secret, older())
    await world.hear(said(events.RegistrationResized, registration("confirmed", 2, previous_pupils=20)))
    world.clock.set(ONE_DAY_BEFORE)
    await world.send_all()
    to_adults = [mail for mail in world.server.mails if "lena@" not in str(mail["To"])]
    assert len(to_adults) >= 4
    for mail in to_adults:
        text = part(mail, "text/plain").get_content() + part(mail, "text/html").get_content()
        assert not re.search(r"lena|/notify/class/|/notify/mine/", text, re.IGNORECASE)


async def test_the_coordinators_mail_log_masks_address_name_and_link(world: World, secret: str) -> None:
    own = await confirmed(world, secret, older())
    for row in await world.deliveries(recipient_role="pupil"):
        shown = await mail_log.show_delivery(world.context, COORDINATOR, row["_id"])
        assert (shown.to.email, shown.to.name) == ("l…@p…", "")
        content = await mail_log.show_content(world.context, COORDINATOR, shown, now=NOW)
        assert content is not None and own not in content.text and "Lena" not in content.html
        assert "/notify/" not in content.text
        assert row["facts"] is None and row["recipient_name"] == "" and "Lena" not in row["subject"]
    listed, _ = await mail_log.list_deliveries(world.context, COORDINATOR, {}, limit=50, after=None)
    assert "lena@post.example" not in repr(listed)
    with pytest.raises(NotAllowed):
        await mail_log.list_deliveries(world.context, TEACHER, {}, limit=50, after=None)


async def test_a_pupils_mail_can_be_sent_again_and_still_goes_to_the_whole_address(world: World, secret: str) -> None:
    world.server.script = ["550 no such mailbox"]
    await ask(world, secret, older())
    (row,) = await world.deliveries(kind="pupil_confirmation")
    again = await mail_log.resend_delivery(
        world.context, COORDINATOR, row["_id"], even_if_sent=False, now=NOW, request_id="1"
    )
    assert again.to.email == "l…@p…"
    await world.send_all()
    assert world.server.recipients == ["lena@post.example"]


async def test_after_the_visit_everything_is_erased_but_receipts(world: World, secret: str) -> None:
    await confirmed(world, secret, younger())
    await confirmed(world, secret, older())
    world.clock.set(ONE_DAY_BEFORE)
    await world.send_all()
    due = datetime(2026, 12, 2, 23, 0, tzinfo=UTC)
    early = await erase_due(world.context, now=due - timedelta(seconds=1))
    assert early["participants"] == 0 and await world.db.participants.count_documents({}) == 2
    counts = await erase_due(world.context, now=due)
    assert counts["participants"] == 2 and await world.db.class_links.count_documents({}) == 0
    await assert_no_trace(world, "lena@post.example", "emil@post.example", "mutter@post.example", "Lena", "Emil")
    kept = await world.db.consents.find({}).to_list(None)
    assert len(kept) == 3 and all("participant_id" not in row for row in kept)
    receipts = {row["what"]: row["count"] async for row in world.db.erasure_receipts.find({})}
    assert receipts == {"participants": 2, "deliveries": 9}
    assert set(await erase_due(world.context, now=due)) and await world.db.erasure_receipts.count_documents({}) == 2


async def test_a_question_that_nobody_answered_is_erased_after_a_week(world: World, secret: str) -> None:
    await ask(world, secret, younger())
    await erase_due(world.context, now=NOW + timedelta(days=7))
    await assert_no_trace(world, "emil@post.example", "mutter@post.example", "Emil")


@pytest.mark.parametrize("action", ["parent", "confirm", "mine"])
async def test_a_link_is_good_for_its_one_action_and_one_participant_only(
    world: World, secret: str, action: Any
) -> None:
    await confirmed(world, secret, older())
    lena = (await world.context.store.participants.of_registration("reg1"))[0]
    token = world.context.tokens.write(action, lena)
    assert lena.first_name not in token and "@" not in token
    for other in {"parent", "confirm", "mine"} - {action}:
        with pytest.raises(LinkIsOver):
            world.context.tokens.read(other, token)  # type: ignore[arg-type]
    for broken in (token[:-1], token + "a", "", "x.y", token.swapcase()):
        with pytest.raises(LinkIsOver):
            world.context.tokens.read(action, broken)


async def test_planning_twice_reminds_once(world: World, secret: str) -> None:
    await confirmed(world, secret, older())
    for version in (2, 3):
        await world.hear(said(events.RegistrationResized, registration("confirmed", version)))
    assert len(await world.deliveries(kind="pupil_reminder")) == 2
    assert pupil_mails.LINK_LETTERS >= 16


async def test_who_says_under_16_after_confirming_is_not_reminded_before_a_parent_said_yes(
    world: World, secret: str
) -> None:
    own = await confirmed(world, secret, older("Emil"))
    assert len(await planned(world)) == 2
    world.clock.forward(timedelta(minutes=5))
    await ask(world, secret, younger())
    assert world.server.recipients[-1] == "mutter@post.example"
    assert await planned(world) == []
    with pytest.raises(LinkIsOver):
        await participants.show_own(world.context, own, now=world.clock.now())
    await say_yes(world)
    _, token = link(world)
    await participants.confirm(world.context, token, language="de", now=world.clock.now())
    assert await planned(world) == [("emil@post.example", TWO_DAYS_BEFORE), ("emil@post.example", ONE_DAY_BEFORE)]


async def test_under_16_counts_even_from_somebody_who_asked_as_often_as_one_may(world: World, secret: str) -> None:
    for minutes in (0, 10, 20):
        world.clock.set(NOW + timedelta(minutes=minutes))
        await ask(world, secret, older("Emil"))
    world.clock.forward(timedelta(minutes=10))
    await ask(world, secret, younger())
    (row,) = await world.db.participants.find({}).to_list(None)
    assert (row["state"], row["under_16"]) == ("parent_asked", True)


async def test_a_pupils_mail_that_was_held_back_is_sent_after_lifting(world: World, secret: str) -> None:
    held = await suppressing.suppress_address(
        world.context, COORDINATOR, "lena@post.example", "Tippfehler", now=NOW, request_id="add"
    )
    await ask(world, secret, older())
    assert [row["state"] for row in await world.deliveries(kind="pupil_confirmation")] == ["suppressed"]
    _, again = await suppressing.lift_suppression(world.context, COORDINATOR, held.id, now=NOW, request_id="lift")
    await world.send_all()
    assert (again, world.server.recipients) == (1, ["lena@post.example"])


async def test_a_question_is_not_sent_again_when_its_time_is_over(world: World, secret: str) -> None:
    world.server.script = ["550 no such mailbox"]
    await ask(world, secret, older())
    (row,) = await world.deliveries(kind="pupil_confirmation")
    with pytest.raises(TooLateToSend):
        await mail_log.resend_delivery(
            world.context, COORDINATOR, row["_id"], even_if_sent=False, now=row["gives_up_at"], request_id="1"
        )


async def test_no_search_of_the_log_finds_a_pupils_or_parents_address(world: World, secret: str) -> None:
    await ask(world, secret, younger())
    await say_yes(world)
    for address in ("emil@post.example", "mutter@post.example"):
        assert await mail_log.search_deliveries(world.context, COORDINATOR, address) == []
        listed, _ = await mail_log.list_deliveries(
            world.context, COORDINATOR, {"recipient_key": address}, limit=9, after=None
        )
        assert listed == []
    row = (await world.deliveries(kind="pupil_confirmation"))[0]
    assert await mail_log.search_deliveries(world.context, COORDINATOR, row["subject"]), "by its subject it is found"


async def test_addresses_that_could_be_searched_before_are_hidden_at_the_start(world: World, secret: str) -> None:
    await ask(world, secret, older())
    known = {"recipient_key": "lena@post.example", "words": ["lena@post.example", "lena"]}
    await world.db.deliveries.update_many({"recipient_role": "pupil"}, {"$set": known})
    await world.context.store.create_indexes()
    (row,) = await world.deliveries(recipient_role="pupil")
    assert row["recipient_key"] == "" and row["words"] and not {"lena", "lena@post.example"} & set(row["words"])
    assert row["recipient"] == "lena@post.example", "it can still be sent"


@pytest.mark.parametrize("state", ["cancelled", "declined", "expired"])
async def test_three_days_after_a_visit_was_called_off_everything_is_erased(
    world: World, secret: str, state: str
) -> None:
    own = await confirmed(world, secret, older())
    await world.hear(said(events.RegistrationCancelled, registration(state, 2)))
    nearly = NOW + timedelta(days=3, seconds=-1)
    await erase_due(world.context, now=nearly)
    assert (await participants.show_own(world.context, own, now=nearly)).visit.over == "cancelled"
    await erase_due(world.context, now=NOW + timedelta(days=3))
    await assert_no_trace(world, "lena@post.example", "Lena")
    assert await world.db.class_links.count_documents({}) == 0
