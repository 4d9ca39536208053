"""Taking places: the conditional write that decides, and what follows from it.

Requests that wait for the same slot in this process are decided together in memory (domain/ledger.py) and written by
one conditional update of the slot: its counters, its version, and `pending`, the batch just decided. The update is the
decision. Then the batch is carried out: registrations, outbox rows and log rows are written, each so that doing it
again changes nothing. Whoever meets a batch that was not carried out (the next command of any process, the sweeper, a
starting process) does that first.
"""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from services.events.domain import commands as do
from services.events.domain.errors import SlotNotFound
from services.events.domain.facts import Registration, Slot, group_key
from services.events.domain.history import steps_in
from services.events.domain.ledger import CLEARED_AT_ONCE, FREEING, Ledger
from services.events.store.documents import (
    campaign_of,
    decided_of_registration,
    decided_of_slot,
    erasure_date,
    offer_of,
    registration_change,
    registration_document,
    registration_of,
    run_document,
    school_of,
    slot_of,
)
from shared import outbox
from shared.errors import RuleBroken, TryLater
from shared.gather import Gatherer
from shared.mongo import Collection, Database, Document, StoreError, relaxed

log = logging.getLogger(__name__)
ATTEMPTS = 40
LONGEST_PAUSE = 0.25
KEPT_SLOTS = 256
SCHOOL_FACTS = {"name": 1, "school_type": 1, "district_ags": 1, "open": 1, "movable_days": 1}
UNREAD = {"history": 0, "words": 0}  # what no decision needs of a registration
DUPLICATE = 11000
Outcome = Registration | Slot


class Places:
    """Decides the commands about the slots of one database."""

    def __init__(self, db: Database, wrote: Callable[[], None], contact_kept: timedelta) -> None:
        self._db = db
        self._wrote = wrote
        self._contact_kept = contact_kept
        self._gatherer: Gatherer[do.Command, Outcome] = Gatherer(self._decide)
        self._known: OrderedDict[str, Slot] = OrderedDict()
        self._tidying: set[asyncio.Task[None]] = set()

    async def decide(self, slot_id: str, command: do.Command) -> Outcome:
        """The registration or slot after `command`, durably. Raises the rule it breaks, or TryLater under contention
        that does not end."""
        return await self._gatherer.submit(slot_id, command)

    async def carry_out_pending(self, slot_id: str) -> None:
        """Carry out the slot's last batch, and forget the batch."""
        document = await self._db.slots.find_one({"_id": slot_id, "pending": {"$exists": True}})
        if document is not None:
            await self._carry_out(_batch_in(document["pending"]))
            unchanged = {"_id": slot_id, "version": document["version"]}
            await self._db.slots.update_one(unchanged, {"$unset": {"pending": ""}})

    async def carry_out_left_behind(self, before: datetime) -> int:
        """Carry out what processes that died left behind before `before`; returns for how many slots."""
        left = await self._db.slots.find({"pending.at": {"$lte": before}}, {"_id": 1}).to_list(1000)
        for row in left:
            try:
                await self.carry_out_pending(row["_id"])
            except StoreError:
                raise
            except Exception:  # one slot that cannot be read must not keep the others waiting
                log.exception("the last batch of slot %s cannot be carried out", row["_id"])
        return len(left)

    async def close(self) -> None:
        """Wait for tidying up."""
        await asyncio.gather(*self._tidying, return_exceptions=True)

    async def _decide(self, slot_id: str, commands: list[do.Command]) -> list[Outcome | Exception]:
        for attempt in range(ATTEMPTS):
            slot, certain = await self._slot(slot_id)
            ledger = await self._ledger(slot, commands)
            outcomes = [_outcome(ledger, command) for command in commands]
            if ledger.slot.version == slot.version:
                if certain:
                    return outcomes
                self._known.pop(slot_id, None)
            elif await self._write(slot.version, ledger):
                return outcomes
            else:
                await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.002 * 2**attempt)))
        raise TryLater

    async def _slot(self, slot_id: str) -> tuple[Slot, bool]:
        """The slot, its last batch carried out, and whether it was read just now. What is known from our own last
        write serves for decisions that are written (the version guards them), not for refusals."""
        if known := self._known.get(slot_id):
            return known, False
        document = await self._db.slots.find_one({"_id": slot_id})
        if document is None:
            raise SlotNotFound
        if pending := document.get("pending"):
            await self._carry_out(_batch_in(pending))
        return slot_of(document), True

    async def _ledger(self, slot: Slot, commands: Sequence[do.Command]) -> Ledger:
        offer, campaign, rows, left = await asyncio.gather(
            self._db.offers.find_one({"_id": slot.offer_id}),
            self._db.campaigns.find_one({"_id": slot.campaign_id}),
            self._db.registrations.find(_concerned(slot, commands), UNREAD).to_list(None),
            self._left_on_cancelled(slot, commands),
        )
        registrations = [registration_of(row) for row in [*rows, *left]]
        schools = await self._schools(commands, registrations)
        copied = campaign_of(campaign) if campaign else None
        return Ledger.of(slot, offer_of(offer), copied, [school_of(row) for row in schools], registrations)

    async def _left_on_cancelled(self, slot: Slot, commands: Sequence[do.Command]) -> list[Document]:
        if not any(isinstance(command, do.ClearCancelledSlot) for command in commands):
            return []
        return await self._db.registrations.find({"slot_id": slot.id, "active": True}, UNREAD).to_list(CLEARED_AT_ONCE)

    async def _schools(self, commands: Sequence[do.Command], registrations: list[Registration]) -> list[Document]:
        ids = {command.school_id for command in commands if isinstance(command, do.Register)}
        asked = {command.registration_id for command in commands if isinstance(command, do.AskAgain)}
        ids |= {row.school_id for row in registrations if row.state == "waitlisted" or row.id in asked}
        if not ids:
            return []
        return await self._db.schools.find({"_id": {"$in": sorted(ids)}}, SCHOOL_FACTS).to_list(None)

    async def _write(self, version: int, ledger: Ledger) -> bool:
        """The decision: whether the slot was still at `version`. Then the batch is carried out."""
        slot = ledger.slot
        batch = self._batch(ledger)
        self._known.pop(slot.id, None)
        at = max(message.occurred_at for message in ledger.messages)
        change = {**decided_of_slot(slot), "pending": _stored(batch, at)}
        result = await self._db.slots.update_one({"_id": slot.id, "version": version}, {"$set": change})
        if not result.matched_count:
            return False
        await self._carry_out(batch)
        self._remember(slot)
        self._tidy(slot.id, slot.version)
        return True

    def _batch(self, ledger: Ledger) -> Document:
        erase_after = erasure_date(ledger.slot, self._contact_kept)
        registrations = [ledger.registrations[key] for key in sorted(ledger.changed)]
        steps = steps_in(ledger.messages)
        new = [r for r in registrations if r.id in ledger.created]
        changed = [r for r in registrations if r.id not in ledger.created]
        return {
            "new": [registration_document(r, erase_after, steps.get(r.id, [])) for r in new],
            "changed": [decided_of_registration(r, steps.get(r.id, [])) for r in changed],
            "log": [run_document(run) for run in ledger.runs],
            "outbox": outbox.rows(ledger.messages),
        }

    async def _carry_out(self, batch: Document) -> None:
        """Write the batch's rows. Rows that are there already, or newer, stay as they are."""
        await asyncio.gather(
            _write_all(self._db.registrations, [*map(InsertOne, batch["new"]), *map(_update, batch["changed"])]),
            _write_all(self._db.outbox, [*map(InsertOne, batch["outbox"])]),
            _write_all(self._db.waiting_list_log, [*map(InsertOne, batch["log"])]),
        )
        self._wrote()

    def _remember(self, slot: Slot) -> None:
        self._known[slot.id] = slot
        self._known.move_to_end(slot.id)
        if len(self._known) > KEPT_SLOTS:
            self._known.popitem(last=False)

    def _tidy(self, slot_id: str, version: int) -> None:
        task = asyncio.create_task(self._forget_pending(slot_id, version))
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def _forget_pending(self, slot_id: str, version: int) -> None:
        """Relaxed: should a crash undo this, the batch is carried out once more, to no effect."""
        with suppress(StoreError):
            await relaxed(self._db.slots).update_one({"_id": slot_id, "version": version}, {"$unset": {"pending": ""}})


def _outcome(ledger: Ledger, command: do.Command) -> Outcome | Exception:
    try:
        return ledger.decide(command)
    except RuleBroken as broken:
        return broken


def _concerned(slot: Slot, commands: Sequence[do.Command]) -> Document:
    """The registrations that `commands` can touch."""
    ids = [c.registration_id for c in commands if isinstance(c, do.Register | do.OfRegistration)]
    new = [c for c in commands if isinstance(c, do.Register)]
    any_of: list[Document] = [{"_id": {"$in": ids}, "slot_id": slot.id}]
    if new and slot.groups_per_school is None:
        keys = sorted({group_key(c.school_id, c.group.name) for c in new})
        any_of.append({"slot_id": slot.id, "active": True, "key": {"$in": keys}})
    elif new:
        any_of.append({"slot_id": slot.id, "active": True, "school_id": {"$in": sorted({c.school_id for c in new})}})
    if slot.waiting and any(isinstance(command, FREEING) for command in commands):
        any_of.append({"slot_id": slot.id, "active": True, "state": "waitlisted"})
    return {"$or": any_of}


def _stored(batch: Document, at: datetime) -> Document:
    """The batch as it is kept in the slot. The slot's facts, the same in most messages, are kept once."""
    slots: list[Document] = []
    rows = []
    for row in batch["outbox"]:
        data = dict(row["wire"]["data"])
        if "registration" in data:
            data["registration"] = dict(data["registration"])
        slot = data.get("registration", data).pop("slot")
        if slot not in slots[-1:]:
            slots.append(slot)
        rows.append({**row, "wire": {**row["wire"], "data": data}, "slot": len(slots) - 1})
    return {**batch, "outbox": rows, "slots": slots, "at": at}


def _batch_in(stored: Document) -> Document:
    """The batch that `_stored` made smaller."""
    rows = []
    for row in stored["outbox"]:
        row = dict(row)
        data = row["wire"]["data"]
        data.get("registration", data)["slot"] = stored["slots"][row.pop("slot")]
        rows.append(row)
    return {**stored, "outbox": rows}


def _update(decided: Document) -> UpdateOne:
    older = {"_id": decided["_id"], "version": {"$lt": decided["version"]}}
    return UpdateOne(older, registration_change(decided))


async def _write_all(collection: Collection, writes: Sequence[InsertOne[Document] | UpdateOne]) -> None:
    """Write all; one that is there already is not an error."""
    if not writes:
        return
    try:
        await collection.bulk_write(list(writes), ordered=False)
    except BulkWriteError as error:
        if any(failed["code"] != DUPLICATE for failed in error.details["writeErrors"]):
            raise
        if error.details["writeConcernErrors"]:
            raise
