"""Mails about an offer: after the coordinator's check, and when what groups were promised changes."""

from datetime import timedelta

from shared.schemas.events import OfferChanged, OfferPublished, OfferSentBack, RegistrationConfirmed
from tests.support.notify_builders import NOW, STARTS, offer, registration, said, slot
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
