"""Messages set aside: persons hidden, thrown away with a reason, and nothing personal kept for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared import schemas, set_aside
from shared.auth import Identity
from shared.clock import SystemClock
from shared.errors import NotAllowed
from shared.inbox import Dispatcher
from shared.mongo import Database, create_collections, database
from shared.schemas.catalogue import read_message
from shared.schemas.outreach import Role

SAMPLES = Path(next(iter(schemas.__path__))) / "samples"
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OPERATOR = Identity("o", "person", "Otto Betrieb", (Role(kind="operator", organisation_id="agency"),))
TEACHER = Identity("t", "person", "T", (Role(kind="teacher", organisation_id="school1"),))
WIRE: dict[str, Any] = {
    "id": "m1",
    "type": "RegistrationConfirmed.v1",
    "subject": "registration:r1",
    "data": {
        "registration": {
            "school_name": "Gesamtschule Musterstadt",
            "group": {"name": "8a", "pupils": 24, "needs": "Ein Rollstuhl"},
            "contact": {"name": "Tessa Muster", "email": "tessa@schule.example", "phone": "02761 1234"},
            "team": [{"name": "Ada Botschaft", "email": "ada@betrieb.example"}],
        },
        "token": "secret",
    },
}
ERROR = (
    "ValidationError: 1 error [type=string_type, input_value='Tessa Muster', input_type=str] for tessa@schule.example"
)


@pytest.fixture
async def db(mongodb_url: str) -> AsyncIterator[Database]:
    async with database(mongodb_url, f"test_set_aside_{uuid4().hex[:8]}") as db:
        await create_collections(db, ["set_aside", "discarded", "erasure_receipts"])
        row = {"_id": "m1", "wire": WIRE, "error": ERROR, "attempts": 6, "set_aside_at": NOW}
        await db.set_aside.insert_one(row)
        yield db
        await db.client.drop_database(db.name)


def test_persons_are_hidden_and_what_helps_to_understand_stays() -> None:
    shown = set_aside.masked_payload(WIRE)
    assert not [word for word in ("Tessa", "tessa", "02761", "Rollstuhl", "Ada", "secret") if word in str(shown)]
    assert shown["data"]["registration"]["group"] == {"name": "8a", "pupils": 24, "needs": "•••"}
    assert shown["data"]["registration"]["school_name"] == "Gesamtschule Musterstadt"
    assert WIRE["data"]["token"] == "secret", "the message itself is as it was"


MAY_BE_SHOWN = """
active adults aggregateversion ambassador_id answer answer_by answer_until booking_from campaign_id cancelled_by cause
chosen closes_at
company_id company_name concerns correlationid datacontenttype day delivery_id description directions district_ags
districts ended_sessions ends_local ends_on expires_at failed_at field grade grades group_name groups id invitation_id
key_id kind kinds language lat lesson lon movable_days municipality_ags offer_expires_at offer_id offers_from open
organisation_id organisation_name organisation_names person_id places postal_code previous_ends_local previous_pupils
previous_starts_local pupils pupils_attended pupils_reached recipient_role record_id registration_id reminder_days
reminders requirements revision revoked school_address school_answer school_district_ags school_id school_name
school_type scopes sequence session_epoch short_name slot_id source specversion starts_local starts_on state street
subject time title town type version visit_id withdrawn zone
"""


def leaves(part: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(part, dict):
        return [leaf for name, value in part.items() for leaf in leaves(value, (*path, name))]
    if isinstance(part, list):
        return [leaf for value in part for leaf in leaves(value, path)]
    return [(path, part)]


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.name)
def test_of_every_message_only_what_names_nobody_is_shown_and_what_is_left_can_be_read(sample: Path) -> None:
    wire = json.loads(sample.read_text())
    for path, value in leaves(set_aside.masked_payload(wire)):
        of_a_thing = path[-1] == "name" and (path[-2] in ("group", "place") or "email" not in wire["data"])
        allowed = path[-1] in MAY_BE_SHOWN.split() or "organisation_names" in path or of_a_thing
        assert allowed or value in ("", None, set_aside.HIDDEN), path
        assert "@" not in str(value), path
    read_message(set_aside.masked_payload(wire, ""))


async def test_one_press_handles_two_hundred_and_the_rest_stays(db: Database) -> None:
    rows = [{"_id": f"n{n}", "wire": {**WIRE, "id": f"n{n}"}, "error": "", "attempts": 6, "set_aside_at": NOW}
            for n in range(202)]  # fmt: skip
    await db.set_aside.insert_many(rows)
    dispatcher = Dispatcher(db, {}, None, SystemClock())
    assert await set_aside.replay_all(db, OPERATOR, dispatcher) == (200, 0)
    assert await set_aside.count_set_aside(db, OPERATOR) == 3


async def test_of_two_erasers_at_once_one_counts(db: Database) -> None:
    both = [set_aside.forget_personal(db, NOW + timedelta(days=91)) for _ in range(2)]
    assert sorted(await asyncio.gather(*both)) == [0, 1]
    assert await db.erasure_receipts.count_documents({}) == 1


def test_an_error_quotes_nobody() -> None:
    shown = set_aside.masked_error(ERROR)
    assert "Tessa" not in shown and "tessa@" not in shown
    assert shown.startswith("ValidationError: 1 error [type=string_type") and "input_type=str" in shown


async def test_throwing_away_asks_for_a_reason_and_keeps_a_record_without_the_content(db: Database) -> None:
    with pytest.raises(set_aside.DiscardReasonMissing):
        await set_aside.discard_message(db, OPERATOR, "m1", "  ", now=NOW)
    await set_aside.discard_message(db, OPERATOR, "m1", "a test message", now=NOW)
    assert await db.set_aside.count_documents({}) == 0
    (record,) = await set_aside.list_discarded(db, OPERATOR)
    assert (record.type, record.reason, record.by) == ("RegistrationConfirmed.v1", "a test message", "Otto Betrieb")
    assert "Tessa" not in str(await db.discarded.find_one({}))
    with pytest.raises(set_aside.SetAsideNotFound):
        await set_aside.discard_message(db, OPERATOR, "m1", "again", now=NOW)


async def test_teachers_may_neither_look_nor_throw_away(db: Database) -> None:
    for work in (
        set_aside.discard_message(db, TEACHER, "m1", "x", now=NOW),
        set_aside.list_discarded(db, TEACHER),
        set_aside.list_set_aside(db, TEACHER),
    ):
        with pytest.raises(NotAllowed):
            await work
    assert await db.set_aside.count_documents({}) == 1


async def test_persons_leave_old_messages_and_records_end(db: Database) -> None:
    await set_aside.forget_personal(db, NOW + timedelta(days=89))
    kept = await db.set_aside.find_one({"_id": "m1"})
    assert kept and kept["wire"] == WIRE
    await set_aside.forget_personal(db, NOW + timedelta(days=91))
    hidden = await db.set_aside.find_one({"_id": "m1"})
    assert hidden and "Tessa" not in str(hidden) and hidden["wire"]["subject"] == "registration:r1"
    await set_aside.discard_message(db, OPERATOR, "m1", "old", now=NOW)
    await set_aside.forget_personal(db, NOW + timedelta(days=366))
    assert await db.discarded.count_documents({}) == 0
