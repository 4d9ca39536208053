"""The estate in every state that a page can show: registrations, pupils, mails, imports, messages set aside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from services.events.store.store import Store
from services.events.usecases import inputs as asked
from services.events.usecases import offers, registrations, slots
from services.events.usecases.results import OfferView
from services.events.usecases.upkeep import expire_offers
from services.notify import samples
from services.notify.store.participants import Participants
from services.notify.store.suppressions import Suppressions
from services.notify.suppression import Suppression
from services.notify.usecases.tokens import Action, Tokens
from shared import mongo
from shared.ids import random_id
from shared.mongo import Database, Session, database
from tests.support.estate import CONTACT, Estate, offer_of
from tests.support.front_door import NOW, SECRET
from tests.support.waiting import until

LATER = datetime(2027, 1, 20, tzinfo=UTC)
SLOT = {"starts_local": "2026-12-0{day}T09:00", "ends_local": "2026-12-0{day}T12:00"}
STATES = (
    "requested", "waitlisted", "offered", "confirmed", "declined", "cancelled", "expired", "attended", "no_show",
)  # fmt: skip
Paths = dict[str, str]


@asynccontextmanager
async def in_every_state(estate: Estate) -> AsyncIterator[Paths]:
    """What is in which state → its id, token or secret."""
    url, prefix = estate.mongodb_url, estate.door.prefix
    async with database(url, f"{prefix}_events") as events, database(url, f"{prefix}_notify") as notify:
        made = await _Tours(estate, Store(events)).all_states()
        made |= await _pupils(estate, notify, made["confirmed"])
        made |= await _refused_mail(notify)
        async with database(url, f"{prefix}_outreach") as outreach:
            for db in (outreach, events, notify):
                await db.set_aside.insert_one(_broken("a name"))
        yield made


class _Tours:
    """Registrations of the estate's school with the estate's company."""

    def __init__(self, estate: Estate, store: Store) -> None:
        self.estate, self.store, self.kim = estate, store, estate.kim
        self.made: Paths = {}

    async def all_states(self) -> Paths:
        """Made by the same use cases as the pages; what needs its time to pass is told a later time."""
        quick = await self.offer(approval="automatic")
        await self.requested_and_declined(await self.offer(approval="company"))
        await self.confirmed_and_waiting(quick)
        await self.past(quick)
        self.made["expired"] = await self.offered(await self.slot(quick.id, 4), "9e", "9f")
        await expire_offers(self.store, now=NOW + timedelta(days=20))
        self.made["offered"] = await self.offered(await self.slot(quick.id, 7), "9g", "9h")
        await self.other_offers()
        return self.made

    async def offer(self, **facts: Any) -> OfferView:
        command = asked.OpenOffer.model_validate(offer_of(self.estate.ids) | facts)
        return await offers.open_offer(self.store, self.kim, command, now=NOW, request_id=random_id())

    async def slot(self, offer_id: str, day: int, places: int = 20) -> str:
        dates = {name: text.format(day=day) for name, text in SLOT.items()}
        command = asked.OpenSlots.model_validate({**dates, "places": places, "groups": 4})
        made = await slots.open_slots(self.store, self.kim, offer_id, command, now=NOW, request_id=random_id())
        return made.slots[0].id

    async def register(self, slot_id: str, name: str) -> str:
        group = {"name": name, "grade": 9, "pupils": 20, "adults": 2, "needs": "Ein Rollstuhl"}
        command = asked.RegisterGroup.model_validate(
            {"school_id": self.estate.ids["school_id"], "group": group, "contact": CONTACT, "acknowledged": True}
        )
        now = {"now": NOW, "request_id": random_id()}
        return (await registrations.register_group(self.store, self.kim, slot_id, command, **now)).id

    async def requested_and_declined(self, offer: OfferView) -> None:
        slot_id = await self.slot(offer.id, 1, 60)
        self.made["requested"] = await self.register(slot_id, "9q")
        self.made["declined"] = await self.register(slot_id, "9r")
        await registrations.decline_registration(
            self.store, self.kim, self.made["declined"], asked.WithReason(reason="Umbau"), now=NOW, request_id="d"
        )

    async def confirmed_and_waiting(self, offer: OfferView) -> None:
        slot_id = self.made["full_slot"] = await self.slot(offer.id, 2)
        self.made["confirmed"] = await self.register(slot_id, "9k")
        self.made["waitlisted"] = await self.register(slot_id, "9w")

    async def past(self, offer: OfferView) -> None:
        slot_id = self.made["past_slot"] = await self.slot(offer.id, 3, 60)
        for state, name in (("attended", "9m"), ("no_show", "9n")):
            self.made[state] = await self.register(slot_id, name)
            came = state == "attended"
            command = asked.RecordAttendance(came=came, pupils=18 if came else 0)
            await registrations.record_attendance(
                self.store, self.kim, self.made[state], command, now=LATER, request_id=random_id()
            )

    async def offered(self, slot_id: str, first: str, second: str) -> str:
        """The first class is called off, so its places are offered to the second."""
        self.made["cancelled"] = await self.register(slot_id, first)
        waiting = await self.register(slot_id, second)
        command = asked.CancelRegistration(reason="Wandertag", by="school")
        await registrations.cancel_registration(
            self.store, self.kim, self.made["cancelled"], command, now=NOW, request_id=random_id()
        )
        return waiting

    async def other_offers(self) -> None:
        for state in ("paused", "checked", "withdrawn"):
            offer = await self.offer()
            await self.slot(offer.id, 8)
            self.made[f"offer_{state}"] = offer.id
        for state in ("paused", "withdrawn"):
            await offers.change_offer_state(
                self.store, self.kim, self.made[f"offer_{state}"], state, now=NOW, request_id=random_id()
            )
        await self.store.db.offers.update_one({"_id": self.made["offer_checked"]}, {"$set": {"check": "waiting"}})


async def _pupils(estate: Estate, db: Database, registration_id: str) -> Paths:
    """A pupil in each state with the links of their mails."""

    async def link() -> Any:
        return await db.class_links.find_one({"_id": registration_id})

    secret = (await until(link))["secret"]
    tokens, made = Tokens(SECRET, estate.door.url), {"class": secret}
    cases: dict[str, tuple[Action, str, dict[str, Any]]] = {
        "asked": ("confirm", "pupil_asked", {}),
        "parent_asked": ("parent", "parent_asked", {"under_16": True}),
        "parent_said_yes": ("parent", "pupil_asked", {"under_16": True}),
        "reminded": ("mine", "confirmed", {}),
        "cannot_come": ("mine", "confirmed", {"cannot_come": True}),
        "too_late": ("confirm", "pupil_asked", {"question_ends_at": NOW - timedelta(days=1)}),
    }
    for number, (name, (action, state, facts)) in enumerate(cases.items()):
        who = {"id": random_id(), "registration_id": registration_id, "email": f"pupil{number}@post.example"}
        pupil = samples.participant(NOW, state, facts.pop("under_16", False), **who, **facts)
        made[name] = f"{action}/{tokens.write(action, pupil)}"

        async def add(session: Session, pupil: Any = pupil) -> None:
            await Participants(db).add(pupil, session)

        await mongo.transaction(db, add)
        made["participant"] = pupil.id if state == "confirmed" else made.get("participant", "")
    return made


async def _refused_mail(db: Database) -> Paths:
    """A mail that the server refused, and an address that is not written to any more."""
    attempts = [
        {"at": NOW, "outcome": "deferred", "answer": "451 4.7.1 try again later"},
        {"at": NOW, "outcome": "refused", "answer": "550 5.1.1 mailbox unknown"},
    ]
    row = await until(lambda: db.deliveries.find_one({"state": "sent"}))
    change = {"state": "refused", "attempts": attempts, "attempt_count": 2, "reason": "550 5.1.1", "suppression": "s1"}
    await db.deliveries.update_one({"_id": row["_id"]}, {"$set": change})
    facts: dict[str, Any] = {"since": NOW, "erase_after": LATER, "delivery": row["_id"], "by": "Kim Koordination"}
    for id, reason, more in (("s1", "refused", {"answer": "550 5.1.1"}), ("s2", "by_hand", {"active": False})):
        await Suppressions(db).put(Suppression(id, "l…@schule.example", reason, **facts, **more))  # type: ignore[arg-type]
    return {"refused": row["_id"], "suppressed": "s1", "lifted": "s2"}


def _broken(name: str) -> dict[str, Any]:
    long = {"email": "lehrkraft@schule.example", "text": "Ein Wort, das kein Ende nimmt: " + "Berufsfeld" * 40}
    wire = {"id": "broken", "type": "SlotMoved.v1", "source": "events", "subject": "slot:1", "data": {name: long}}
    error = "Unreadable: ValidationError: 1 validation error for SlotMoved " + "slot.starts_local" * 12
    return {"_id": "broken", "wire": wire, "error": error, "attempts": 6, "set_aside_at": NOW}
