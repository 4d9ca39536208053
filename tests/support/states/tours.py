"""Offers, slots and registrations in every state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deploy.local.demo.client import until
from services.events.domain.check_in import check_in_code
from services.events.domain.facts import OfferState
from services.events.store.store import Store
from services.events.usecases import offer_checks, offers, registrations, self_found, slots, upkeep
from services.events.usecases.inputs import (
    CancelRegistration,
    MoveSlot,
    OpenOffer,
    OpenSlots,
    RecordAttendance,
    RecordSelfFoundPlace,
    RegisterGroup,
    ResizeRegistration,
    WithReason,
)
from shared.answer_links import Action, AsSeen
from shared.identity import Identity
from shared.ids import random_id
from tests.support.estate import CONTACT, Estate, offer_of
from tests.support.estate_traces import LINKS
from tests.support.front_door import NOW, SECRET
from tests.support.states.common import THEN, database_of, hours


@dataclass
class Tours:
    """Makes offers of the estate's company, and registrations of its school."""

    store: Store
    kim: Identity
    ids: dict[str, str]

    async def offer(self, title: str, now: datetime = NOW, **facts: Any) -> str:
        """The id of a new offer whose registrations the company approves."""
        command = OpenOffer(**{**offer_of(self.ids), "title": title, **facts})
        return (await offers.open_offer(self.store, self.kim, command, **_at(now))).id

    async def offer_in_state(self, title: str, state: OfferState, **facts: Any) -> str:
        """The id of an offer with a slot, paused or withdrawn."""
        offer = await self.offer(title, **facts)
        await self.slot(offer, "2026-12-16")
        await offers.change_offer_state(self.store, self.kim, offer, state, **_at(NOW))
        return offer

    async def slot(
        self, offer: str, day: str, now: datetime = NOW, places: int = 150, groups: int = 12, starts: str = "09:00"
    ) -> str:
        """The id of a new slot of an offer."""
        command = OpenSlots(**hours(day, starts, "14:00"), places=places, groups=groups)
        return (await slots.open_slots(self.store, self.kim, offer, command, **_at(now))).slots[0].id

    async def register(self, slot: str, name: str, now: datetime = NOW, pupils: int = 10) -> str:
        """The id of a new registration of a group called `name`."""
        group = {"name": name, "grade": 9, "pupils": pupils, "adults": 1, "needs": "Ein Rollstuhl"}
        command = RegisterGroup(school_id=self.ids["school_id"], group=group, contact=CONTACT, acknowledged=True)
        return (await registrations.register_group(self.store, self.kim, slot, command, **_at(now))).id

    async def approved(self, slot: str, name: str, now: datetime = NOW, pupils: int = 10) -> str:
        """The id of a confirmed registration."""
        made = await self.register(slot, name, now, pupils)
        await registrations.approve_registration(self.store, self.kim, made, **_at(now))
        return made

    async def attended(self, slot: str, name: str, came: bool) -> str:
        """The id of a registration of which it was recorded whether the group came."""
        made = await self.approved(slot, name, THEN)
        command = RecordAttendance(came=came, pupils=9 if came else 0)
        await registrations.record_attendance(self.store, self.kim, made, command, **_at(NOW))
        return made

    async def cancel(self, registration: str, by: str = "school", now: datetime = NOW) -> None:
        command = CancelRegistration(reason="Klassenfahrt", by=by)
        await registrations.cancel_registration(self.store, self.kim, registration, command, **_at(now))

    async def offered(self, slot: str, name: str, now: datetime = NOW) -> str:
        """The id of a registration that waited, and was offered the places of another."""
        first = await self.approved(slot, f"{name} zuvor", now)
        waiting = await self.register(slot, name, now)
        await self.cancel(first, now=now)
        return waiting


async def tours_in_every_state(estate: Estate, ids: dict[str, str]) -> dict[str, str]:
    """Ids of offers, slots, registrations and self-found places by their states."""
    async with database_of(estate, "events") as db:
        await until("the campaign to be known", lambda: db.campaigns.find_one({"_id": ids["campaign"]}))
        made = Tours(Store(db), estate.kim, {**ids, "campaign_id": ids["campaign"]})
        found = await _offers(made)
        found |= await _ahead(made, found["offer_published"])
        found |= await _with_waiting_list(made, found["offer_published"])
        found |= await _on_the_day_and_after(made, found["offer_published"])
        found |= await _asked_again(made) | await _links_in_mails(made, found)
        await _check(made, found)
        return found | await _self_found(made)


async def _offers(made: Tours) -> dict[str, str]:
    checked = {"campaign_id": await _campaign_with_check(made)}
    found = {
        "offer_published": await made.offer("Vom Stahl zum Zahnrad", THEN),
        "offer_without_slots": await made.offer("Noch ohne Termine"),
        "offer_paused": await made.offer_in_state("Gerade nicht", "paused"),
        "offer_withdrawn": await made.offer_in_state("Nicht mehr", "withdrawn"),
        "offer_submitted": await made.offer("Zur Durchsicht", **checked),
        "offer_sent_back": await made.offer("Zurückgegeben", **checked),
    }
    for offer in (found["offer_submitted"], found["offer_sent_back"]):
        await made.slot(offer, "2026-12-17")
    back = WithReason(reason="Bitte nennen Sie die Bushaltestelle.")
    await offer_checks.send_offer_back(made.store, made.kim, found["offer_sent_back"], back, **_at(NOW))
    return found


async def _campaign_with_check(made: Tours) -> str:
    """A campaign in which a coordinator looks at each offer first, as `outreach` would have told of it."""
    facts = await made.store.db.campaigns.find_one({"_id": made.ids["campaign"]})
    copy = {**facts, "_id": random_id(), "name": "Mit Durchsicht", "check_offers": True}
    await made.store.db.campaigns.insert_one(copy)
    return copy["_id"]


async def _ahead(made: Tours, offer: str) -> dict[str, str]:
    slot = await made.slot(offer, "2026-12-08")
    found = {"slot_open": slot, "slot_empty": await made.slot(offer, "2026-12-18")}
    found |= {
        "registration_requested": await made.register(slot, "9a"),
        "registration_confirmed": await made.approved(slot, "9b"),
        "registration_declined": await made.register(slot, "9c"),
        "registration_cancelled": await made.approved(slot, "9d"),
        "cancelled_by_company": await made.approved(slot, "9e"),
        "resized": await made.approved(slot, "9f"),
        "link_closed": await made.approved(slot, "9g"),
    }
    no = WithReason(reason="Maschine in Wartung")
    declined = found["registration_declined"]
    await registrations.decline_registration(made.store, made.kim, declined, no, **_at(NOW))
    await made.cancel(found["cancelled_by_company"], "company")
    smaller = ResizeRegistration(pupils=8)
    await registrations.resize_registration(made.store, made.kim, found["resized"], smaller, **_at(NOW))
    found |= await _moved_and_called_off(made, offer)
    await made.cancel(found["registration_cancelled"])
    return found


async def _moved_and_called_off(made: Tours, offer: str) -> dict[str, str]:
    moved, off = await made.slot(offer, "2026-12-09"), await made.slot(offer, "2026-12-10")
    found = {"slot_moved": moved, "slot_cancelled": off, "registration_moved": await made.approved(moved, "9a")}
    found["cancelled_with_slot"] = await made.approved(off, "9a")
    elsewhere = MoveSlot(**hours("2026-12-11", ends="12:00"), reason="Frühschicht")
    await slots.move_slot(made.store, made.kim, moved, elsewhere, **_at(NOW))
    await slots.cancel_slot(made.store, made.kim, off, WithReason(reason="Inventur"), **_at(NOW))
    await slots.clear_cancelled_slot(made.store, off, now=NOW)
    return found


async def _with_waiting_list(made: Tours, offer: str) -> dict[str, str]:
    full = await made.slot(offer, "2026-12-15", places=10, groups=1)
    found = {"slot_full": full, "holds_the_places": await made.approved(full, "9a")}
    found["registration_waitlisted"] = await made.register(full, "9b")
    offered = await made.slot(offer, "2026-12-16", places=10, groups=1)
    found |= {"slot_offered": offered, "registration_offered": await made.offered(offered, "9a")}
    expired = await made.slot(offer, "2026-12-17", THEN, places=10, groups=1)
    found["registration_expired"] = await made.offered(expired, "9a", THEN)
    await upkeep.expire_offers(made.store, now=NOW)
    return found


async def _on_the_day_and_after(made: Tours, offer: str) -> dict[str, str]:
    today = await made.slot(offer, "2026-10-05", THEN, starts="10:30")
    past = await made.slot(offer, "2026-09-24", THEN)
    arriving = await made.approved(today, "9a", THEN)
    return {
        "slot_today": today, "slot_past": past, "arriving": arriving, "code": check_in_code(arriving, SECRET),
        "registration_attended": await made.attended(past, "9a", True),
        "registration_no_show": await made.attended(past, "9b", False),
        "not_recorded": await made.approved(past, "9c", THEN),
        "never_answered": await made.register(past, "9d", THEN),
    }  # fmt: skip


async def _asked_again(made: Tours) -> dict[str, str]:
    """Classes that have to confirm again: one has not answered, one has, and for one it is too late."""
    rules = {"2026-10-13": {"asked": 6, "until": 2}, "2026-10-08": {"asked": 5, "until": 4}}
    found = {}
    for (day, rule), names in zip(rules.items(), (("asked_again", "asked_and_sure"), ("released",)), strict=True):
        offer = await made.offer(f"Bitte bestätigen, {day}", THEN, approval="automatic", confirm_again=rule)
        slot = await made.slot(offer, day, THEN)
        found |= {name: await made.register(slot, f"9{name[-1]}", THEN) for name in names}
    await upkeep.ask_and_release(made.store, now=NOW - timedelta(days=4))
    await upkeep.ask_and_release(made.store, now=NOW)
    sure = found["asked_and_sure"]
    found["confirm_again"] = await _link(made, "confirm-again", found["asked_again"])
    found["confirmed_again"] = await _link(made, "confirm-again", sure)
    await registrations.say_still_coming(made.store, made.kim, sure, **_at(NOW))
    return found


async def _links_in_mails(made: Tours, found: dict[str, str]) -> dict[str, str]:
    """Of a class that comes, and of one whose date was moved since the mail."""
    over = LINKS.token("cannot-come", AsSeen(found["registration_moved"], 1, 1))
    return {"cannot_come": await _link(made, "cannot-come", found["resized"]), "cannot_come_over": over}


async def _link(made: Tours, action: Action, registration: str) -> str:
    """The token in a mail that is written now."""
    shown = await registrations.show_registration(made.store, made.kim, registration)
    assert shown.slot
    return LINKS.token(action, AsSeen(registration, shown.version, shown.slot.revision))


async def _self_found(made: Tours) -> dict[str, str]:
    command = RecordSelfFoundPlace(
        campaign_id=made.ids["campaign"], school_id=made.ids["school_id"], company_name="Werkstatt Beispiel",
        group={"name": "9a", "grade": 9, "pupils": 2}, field="M", day="2026-12-02",
    )  # fmt: skip
    kept = await self_found.record_self_found_place(made.store, made.kim, command, **_at(NOW))
    gone = await self_found.record_self_found_place(made.store, made.kim, command, **_at(NOW))
    await self_found.withdraw_self_found_place(made.store, made.kim, gone.id, **_at(NOW))
    return {"self_found": kept.id, "self_found_withdrawn": gone.id}


async def _check(made: Tours, found: dict[str, str]) -> None:
    """What the use cases made is what the names say."""
    for name, id in found.items():
        if name.startswith("registration_") and name != "registration_moved":
            shown = await registrations.show_registration(made.store, made.kim, id)
            assert shown.state == name.removeprefix("registration_"), name
    for name in ("published", "paused", "withdrawn", "submitted", "sent_back"):
        assert (await offers.show_offer(made.store, made.kim, found[f"offer_{name}"])).state == name


def _at(now: datetime) -> dict[str, Any]:
    return {"now": now, "request_id": random_id()}
