"""Mails about an offer: after the coordinator's check, and when what groups were promised changes."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from services.notify.usecases.erasure import erase_due
from shared.schemas.events import (
    OfferChanged,
    OfferPublished,
    OfferSentBack,
    RegistrationCancelled,
    RegistrationConfirmed,
    SlotOpened,
)
from tests.support.notify_builders import COMPANY, NOW, STARTS, TEACHER, offer, registration, said, slot, slot_moved
from tests.support.notify_world import World, part


def changed(version: int = 5, *names: str, note: str = "", **facts: object) -> OfferChanged:
    return OfferChanged.about(
        "offer:offer1", version, now=NOW, offer=offer(**facts), changed=list(names), note=note
    )  # fmt: skip


async def test_groups_that_are_registered_are_told_once_of_a_changed_requirement(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    message = changed(5, "requirements", note="Neue Regel im Werk.", requirements=["Helm"])
    await world.hear(*[message] * 3)
    rows = await world.deliveries(kind="offer_changed")
    assert [row["_id"] for row in rows] == ["offer_changed:reg1:5:teacher"]
    assert rows[0]["calendar"] == {
        "method": "REQUEST", "uid": "registration-reg1-teacher@perspektive.example", "sequence": 1,
    }  # fmt: skip
    await world.send_all()
    mail = next(mail for mail in world.server.mails if "Geändert" in str(mail["Subject"]))
    text = part(mail, "text/plain").get_content()
    assert "Neue Regel im Werk." in text and "Helm" in text and "Feste, geschlossene Schuhe" not in text


async def test_a_changed_title_is_nobodys_mail_but_stands_in_later_ones(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.hear(changed(5, title="Neuer Titel"))
    assert await world.deliveries(kind="offer_changed") == []
    row = await world.db.slots.find_one({})
    assert row and row["slot"]["offer"]["title"] == "Neuer Titel"


async def test_groups_that_cancelled_or_were_there_already_are_not_told(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("cancelled", cancelled_by="school")))
    await world.hear(changed(5, "place"))
    past = slot(slot_id="slot2", starts_local=STARTS - timedelta(days=60), ends_local=STARTS - timedelta(days=60))
    await world.hear(said(RegistrationConfirmed, registration("confirmed", registration_id="reg2", slot=past)))
    await world.hear(changed(6, "place"))
    assert await world.deliveries(kind="offer_changed") == []


async def test_the_company_is_told_what_the_coordinator_decided(world: World) -> None:
    await world.hear(
        OfferPublished.about("offer:offer1", 1, now=NOW, offer=offer()),
        OfferSentBack.about("offer:offer2", 2, now=NOW, offer=offer(offer_id="offer2"), reason="Welche Haltestelle?"),
        *[OfferPublished.about("offer:offer2", 4, now=NOW, offer=offer(offer_id="offer2"), checked=True)] * 2,
    )
    assert [row["_id"] for row in await world.deliveries()] == [
        "offer_sent_back:offer2:2:company", "offer_published:offer2:4:company",
    ]  # fmt: skip
    await world.send_all()
    texts = [part(mail, "text/plain").get_content() for mail in world.server.mails]
    assert "Welche Haltestelle?" in texts[0] and "veröffentlicht" in texts[1]


async def test_a_change_that_a_newer_one_has_overtaken_is_told_once(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.hear(changed(6, "place", title="Neu"), changed(5, "place", title="Alt"))
    rows = await world.deliveries(kind="offer_changed")
    assert [(row["_id"], row["state"], row["reason"]) for row in rows] == [
        ("offer_changed:reg1:6:teacher", "planned", ""),
        ("offer_changed:reg1:5:teacher", "cancelled", "superseded"),
    ]
    assert rows[0]["calendar"]["sequence"] == 1


async def test_an_older_change_of_something_else_is_still_told(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.hear(changed(6), changed(7, "requirements"), changed(5, "place"))
    rows = await world.deliveries(kind="offer_changed", state="planned")
    assert [row["_id"] for row in rows] == ["offer_changed:reg1:7:teacher", "offer_changed:reg1:5:teacher"]


async def test_who_registered_after_the_change_is_not_told_of_it(world: World) -> None:
    later = NOW + timedelta(minutes=1)
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.hear(said(RegistrationConfirmed, registration("confirmed", id="reg2"), now=later))
    await world.hear(changed(5, "place"))
    rows = await world.deliveries(kind="offer_changed")
    assert [row["_id"] for row in rows] == ["offer_changed:reg1:5:teacher"]


async def title_of(world: World, slot_id: str) -> tuple[str, int]:
    row = await world.db.slots.find_one({"_id": slot_id})
    assert row
    return row["slot"]["offer"]["title"], row["offer_version"]


async def test_a_moved_or_new_slot_keeps_the_newest_facts_of_its_offer(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.hear(changed(5, title="Neu"), slot_moved(slot(2, STARTS + timedelta(days=7))))
    assert await title_of(world, "slot1") == ("Neu", 5)
    fresh = slot(slot_id="slot2")
    await world.hear(SlotOpened.about("slot:slot2", 1, now=NOW, slot=fresh))
    assert await title_of(world, "slot2") == ("Neu", 5)
    await world.hear(changed(4, title="Alt"))
    assert [await title_of(world, id) for id in ("slot1", "slot2")] == [("Neu", 5)] * 2


async def test_a_slot_keeps_newer_facts_from_before_offers_were_kept(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")), changed(5, title="Neu"))
    await world.db.offers.delete_many({})
    await world.hear(slot_moved(slot(2, STARTS + timedelta(days=7))))
    assert await title_of(world, "slot1") == ("Neu", 5)


async def test_an_offer_is_erased_with_its_last_slot_and_its_version_stays(world: World) -> None:
    await world.hear(changed(5, title="Neu"), said(RegistrationConfirmed, registration("confirmed")))
    gone_at = datetime(2026, 12, 1, 11, 0, tzinfo=UTC) + timedelta(days=90)
    await erase_due(world.context, now=gone_at - timedelta(seconds=1))
    assert (await world.db.offers.find_one({}))["offer"]["title"] == "Neu"
    await erase_due(world.context, now=gone_at)
    row = await world.db.offers.find_one({})
    assert (row["offer"], row["version"]) == (None, 5)


async def test_a_new_contact_gets_the_calendar_entry_and_the_reminders_and_the_former_one_loses_them(
    world: World,
) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.send_all()
    world.server.mails.clear()
    new = COMPANY.model_copy(update={"name": "Nele Neu", "email": "nele@betrieb.example"})
    await world.hear(*[changed(5, contact=new)] * 2, changed(6, title="Noch einmal", contact=new))
    await world.send_all()
    told = [(mail["To"].addresses[0].addr_spec, *entry_of(mail)) for mail in world.server.mails]
    assert sorted(told) == [(COMPANY.email, "CANCEL", "1"), ("nele@betrieb.example", "REQUEST", "2")]
    waiting = await world.deliveries(kind="slot_reminder", recipient_role="company", state="planned")
    assert {row["recipient_key"] for row in waiting} == {"nele@betrieb.example"} and len(waiting) == 2
    assert {row["recipient_name"] for row in waiting} == {"Nele Neu"} and "nele" in waiting[0]["words"]
    copies = world.context.store.feeds
    assert await copies.registrations_by_email("slot.offer.contact", COMPANY.email) == []
    assert len(await copies.registrations_by_email("slot.offer.contact", "nele@betrieb.example")) == 1


async def test_a_group_that_cancels_after_the_contact_changed_leaves_the_new_contacts_calendar(world: World) -> None:
    await world.hear(said(RegistrationConfirmed, registration("confirmed")))
    await world.send_all()
    new = COMPANY.model_copy(update={"email": "nele@betrieb.example"})
    await world.context.store.copies.change_offer(offer(contact=new), 5, [], NOW + timedelta(days=90))
    world.server.mails.clear()
    await world.hear(said(RegistrationCancelled, registration("cancelled", 2, cancelled_by="school")))
    await world.hear(changed(5, contact=new))
    await world.send_all()
    told = {(mail["To"].addresses[0].addr_spec, entry_of(mail)[0]) for mail in world.server.mails}
    assert told == {(TEACHER.email, "CANCEL"), (COMPANY.email, "CANCEL"), ("nele@betrieb.example", "")}


def entry_of(mail: EmailMessage) -> tuple[str, str]:
    """(method, SEQUENCE) of the calendar part."""
    parts = [each for each in mail.walk() if each.get_content_type() == "text/calendar"]
    if not parts:
        return "", ""
    lines = parts[0].get_content().splitlines()
    return str(parts[0].get_param("method")), next(line[9:] for line in lines if line.startswith("SEQUENCE:"))
