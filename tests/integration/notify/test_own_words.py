"""The coordinator's own words: saved, used, noted with the mail, taken back, tried out, and never in the way."""

from typing import Any

import pytest

from services.notify.usecases import mail_log, wordings
from services.notify.wording import (
    LONGEST,
    FieldUnknown,
    Parts,
    PartTooLong,
    WordingChangedMeanwhile,
    WordingKey,
    WordingUnchanged,
    WordingUnknown,
)
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.schemas import events
from tests.integration.notify.test_suppression import KORA as SUPPORT
from tests.integration.notify.test_suppression import OPERATOR, OUTSIDERS
from tests.support.kernel import campaign
from tests.support.notify_builders import NOW, TEACHER, registration, said, slot
from tests.support.notify_world import World, part

KORA = Identity(SUPPORT.id, "person", SUPPORT.name, SUPPORT.roles, email="kora@agentur.example")
KEY = WordingKey("campaign1", "registration_waitlisted", "teacher", "de")
WORDS = Parts("Noch kein Platz für {{ group }}", "Geduld", "Liebes Team von {{ school }},\n\nes ist voll.", "Bis bald")


def heard_of(name: str = "Herbst", id: str = "campaign1", version: int = 1) -> Any:
    made = campaign(1)
    return made.model_copy(update={"campaign_id": id, "name": name, "aggregate_version": version})


def waitlisted(id: str = "reg1", **changes: Any) -> Any:
    return said(events.RegistrationWaitlisted, registration("waitlisted", id=id, **changes))


async def save(world: World, parts: Parts = WORDS, version: int = 0, request_id: str = "one", key: Any = KEY) -> Any:
    return await wordings.save_wording(
        world.context, KORA, key, parts, version, now=world.clock.now(), request_id=request_id
    )


async def back(world: World, version: int, request_id: str = "back") -> Any:
    return await wordings.take_back(world.context, KORA, KEY, version, now=world.clock.now(), request_id=request_id)


async def sent(world: World, *messages: Any) -> list[str]:
    """The subjects of the mails that the messages cause."""
    before = len(world.server.mails)
    await world.hear(*messages)
    await world.send_all()
    return world.server.subjects[before:]


@pytest.fixture(autouse=True)
async def campaign_is_known(world: World) -> None:
    await world.hear(heard_of())


async def test_a_mail_is_written_with_the_saved_words_and_notes_their_version(world: World) -> None:
    await save(world)
    assert await sent(world, waitlisted()) == ["Noch kein Platz für 8a"]
    mail = world.server.mails[-1]
    text = part(mail, "text/plain").get_content().replace("\r\n", "\n")
    assert "Liebes Team von Gesamtschule Musterstadt,\n\nes ist voll." in text
    assert "<br>" not in part(mail, "text/html").get_content().split("Geduld</h1>")[1].split("voll")[0]
    row = await world.delivery("registration_waitlisted:reg1:1:teacher")
    assert (row["wording"], row["subject"]) == (1, "Noch kein Platz für 8a")


async def test_other_campaigns_languages_roles_and_kinds_keep_the_standard_words(world: World) -> None:
    await save(world)
    elsewhere = slot(offer=slot().offer.model_copy(update={"campaign_id": "campaign2"}))
    english = TEACHER.model_copy(update={"language": "en"})
    subjects = await sent(
        world, waitlisted("reg2", slot=elsewhere), waitlisted("reg3", contact=english),
        said(events.RegistrationRequested, registration("requested", id="reg4")),
    )  # fmt: skip
    assert len(subjects) == 4 and not any("Noch kein Platz" in subject for subject in subjects)
    assert {row.get("wording", 0) for row in await world.deliveries()} == {0}


async def test_a_sent_mail_is_shown_in_the_words_it_was_sent_with_whatever_was_saved_since(world: World) -> None:
    await save(world)
    await sent(world, waitlisted())
    await save(world, Parts(subject="Ganz anders"), 1, "two")
    delivery = await mail_log.show_delivery(world.context, KORA, "registration_waitlisted:reg1:1:teacher")
    content = await mail_log.show_content(world.context, KORA, delivery, now=NOW)
    assert content and content.subject == "Noch kein Platz für 8a" and "es ist voll" in content.text


async def test_an_earlier_version_that_breaks_a_rule_of_today_is_not_used_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(world)
    await save(world, Parts(subject="Zweite"), 1, "two")
    monkeypatch.setitem(LONGEST, "subject", 10)  # type: ignore[arg-type]
    with pytest.raises(PartTooLong):
        await back(world, 1)
    assert await sent(world, waitlisted("reg2")) == ["Zweite"]


async def test_every_version_stays_and_can_be_used_again_and_so_can_the_standard_words(world: World) -> None:
    await save(world)
    await save(world, Parts(subject="Zweite"), 1, "two")
    assert await sent(world, waitlisted("reg2")) == ["Zweite"]
    assert (await back(world, 1)).taken_from == 1
    assert await sent(world, waitlisted("reg3")) == ["Noch kein Platz für 8a"]
    assert (await back(world, 0, "standard")).parts == Parts()
    assert (await sent(world, waitlisted("reg4")))[0].startswith("Warteliste: 8a")
    page = await wordings.show_wording(world.context, KORA, KEY, now=NOW)
    assert [(each.version, each.by, each.taken_from) for each in page.versions] == [
        (4, KORA.id, 0), (3, KORA.id, 1), (2, KORA.id, None), (1, KORA.id, None),
    ]  # fmt: skip
    with pytest.raises(WordingUnchanged):
        await back(world, 0, "again")
    with pytest.raises(WordingUnknown):
        await back(world, 9)


async def test_a_retry_saves_once_and_whoever_comes_second_is_told(world: World) -> None:
    first = await save(world)
    assert (await save(world)).version == first.version
    with pytest.raises(WordingChangedMeanwhile):
        await save(world, Parts(subject="Auch ich"), 0, "other")
    assert await world.db.wordings.count_documents({}) == 1


async def test_broken_words_are_refused_when_saved_and_change_nothing(world: World) -> None:
    with pytest.raises(FieldUnknown, match="Line 2"):
        await save(world, Parts(before="Gut\n{{ scool }}"))
    with pytest.raises(FieldUnknown):
        await wordings.send_test(world.context, KORA, KEY, Parts(after="{{ x }}"), now=NOW, request_id="t")
    assert await world.db.wordings.count_documents({}) == await world.db.deliveries.count_documents({}) == 0


async def test_words_that_say_what_the_standard_says_are_not_kept_as_own(world: World) -> None:
    standard = (await wordings.show_wording(world.context, KORA, KEY, now=NOW)).parts
    with pytest.raises(WordingUnchanged):
        await save(world, standard)
    typed = Parts("Neu", standard.heading, standard.before.replace("\n", "\r\n"), "")
    assert (await save(world, typed)).parts == Parts(subject="Neu")


async def test_words_that_break_with_real_facts_do_not_hold_the_mail_up(world: World) -> None:
    await save(world)
    await world.db.wordings.update_one({}, {"$set": {"parts.before": "{{ gone }}"}})  # as after an older version
    assert (await sent(world, waitlisted()))[0].startswith("Warteliste: 8a")
    assert (await world.delivery("registration_waitlisted:reg1:1:teacher"))["wording"] == 0


async def test_a_test_goes_to_whoever_asks_and_to_nobody_else_without_a_calendar_entry(world: World) -> None:
    confirmed = WordingKey("campaign1", "registration_confirmed", "company", "en")
    for _ in range(2):
        await wordings.send_test(world.context, KORA, confirmed, Parts(after="See you"), now=NOW, request_id="t")
    await world.send_all()
    assert world.server.recipients == ["kora@agentur.example"]
    mail = world.server.mails[0]
    assert str(mail["Subject"]).startswith("Test: Confirmed") and "See you" in part(mail, "text/plain").get_content()
    assert "text/calendar" not in [each.get_content_type() for each in mail.walk()]
    shown = await mail_log.show_delivery(world.context, OPERATOR, "wording_test:t")
    content = await mail_log.show_content(world.context, OPERATOR, shown, now=NOW)
    assert content and content.subject.startswith("Test: ") and "See you" in content.html
    assert await world.db.wordings.count_documents({}) == 0


async def test_a_reminder_can_be_tried_out_too(world: World) -> None:
    key = WordingKey("campaign1", "slot_reminder", "teacher", "de")
    await wordings.send_test(world.context, KORA, key, Parts(subject="Los {{ in_days }}"), now=NOW, request_id="t")
    await world.send_all()
    assert world.server.subjects[0].startswith("Test: Los in 2")


@pytest.mark.parametrize("identity", [*OUTSIDERS, OPERATOR], ids=lambda each: each.name)
async def test_only_coordinators_see_and_change_words(world: World, identity: Identity) -> None:
    context = world.context
    for attempt in (
        wordings.list_campaigns(context, identity),
        wordings.list_wordings(context, identity, "campaign1", now=NOW),
        wordings.show_wording(context, identity, KEY, now=NOW),
        wordings.save_wording(context, identity, KEY, WORDS, 0, now=NOW, request_id="x"),
        wordings.take_back(context, identity, KEY, 0, now=NOW, request_id="x"),
        wordings.send_test(context, identity, KEY, WORDS, now=NOW, request_id="x"),
    ):
        with pytest.raises(NotAllowed):
            await attempt


@pytest.mark.parametrize(
    "key",
    [
        WordingKey("unknown", "slot_reminder", "teacher", "de"), WordingKey("campaign1", "sign_in", "person", "de"),
        WordingKey("campaign1", "parent_question", "parent", "de"),
        WordingKey("campaign1", "slot_moved", "pupil", "de"),
        WordingKey("campaign1", "slot_moved", "teacher", "fr"), WordingKey("campaign1", "none", "teacher", "de"),
    ],
    ids=lambda key: key.text,
)  # fmt: skip
async def test_words_of_what_does_not_exist_or_is_fixed_are_not_found(world: World, key: WordingKey) -> None:
    with pytest.raises(WordingUnknown):
        await wordings.show_wording(world.context, KORA, key, now=NOW)
    with pytest.raises(WordingUnknown):
        await save(world, key=key)


async def test_the_list_names_campaigns_and_what_was_changed(world: World) -> None:
    await world.hear(heard_of("Winter", "campaign2"), heard_of("Herbst 2026", version=2))
    await save(world)
    assert sorted(await wordings.list_campaigns(world.context, KORA)) == [
        ("campaign1", "Herbst 2026"), ("campaign2", "Winter"),
    ]  # fmt: skip
    lines = await wordings.list_wordings(world.context, KORA, "campaign1", now=NOW)
    assert [(line.kind, line.role, list(line.changed)) for line in lines if line.changed] == [
        (KEY.kind, "teacher", ["de"])
    ]
    assert not {line.kind for line in lines} & {"sign_in", "invitation", "parent_question", "pupil_confirmation"}
