"""Messages set aside: persons hidden, thrown away with a reason, and nothing personal kept for ever."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared import set_aside
from shared.auth import Identity
from shared.errors import NotAllowed
from shared.mongo import Database, create_collections, database
from shared.schemas.outreach import Role

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
        await create_collections(db, ["set_aside", "discarded"])
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
