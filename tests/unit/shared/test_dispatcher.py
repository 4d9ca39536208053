"""What counts as a message's own failure, and how long one waits for what happened before it."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from shared.broker import RETRY_PAUSES, TryAgain
from shared.clock import SystemClock
from shared.inbox import ATTEMPTS, EARLY_PAUSE_SECONDS, PATIENCE, STORE_PAUSE_SECONDS, Dispatcher, in_turn
from shared.mongo import StoreUnavailable
from shared.schemas.outreach import CampaignChanged


class SetAside:
    """Remembers what was set aside."""

    def __init__(self):
        self.rows = []

    async def update_one(self, where, change, upsert):
        self.rows.append(where["_id"])


def message():
    now = datetime(2026, 12, 1, tzinfo=UTC)
    facts = {"campaign_id": "1", "name": "x", "starts_on": now.date(), "ends_on": now.date(), "districts": []}
    phases = {"kinds": [], "offers_from": now, "booking_from": now, "closes_at": now}
    return CampaignChanged.about("campaign:1", 5, now=now, **facts, **phases).to_wire()


def dispatcher(handler):
    aside = SetAside()
    return Dispatcher(SimpleNamespace(set_aside=aside), {CampaignChanged: handler}, None, SystemClock()), aside


async def refused(found, attempt):
    with pytest.raises(TryAgain) as again:
        await found.receive(message(), attempt)
    return again.value.seconds


async def test_deliveries_while_the_store_was_away_are_not_attempts():
    away = True

    async def handler(*_):
        raise StoreUnavailable("away") if away else ValueError("wrong")

    found, aside = dispatcher(handler)
    for attempt in range(1, 20):
        assert await refused(found, attempt) == STORE_PAUSE_SECONDS
    away = False
    pauses = [await refused(found, 20 + failure) for failure in range(ATTEMPTS - 1)]
    assert pauses == list(RETRY_PAUSES) and aside.rows == []
    await found.receive(message(), 20 + ATTEMPTS - 1)
    assert len(aside.rows) == 1


async def test_a_message_that_overtook_others_waits_for_them_and_passes_when_they_never_come():
    passed = []

    async def handler(heard, *_):
        in_turn(2, heard.aggregate_version)
        passed.append(heard)

    found, aside = dispatcher(handler)
    for attempt in range(1, PATIENCE + 1):
        assert await refused(found, attempt) == EARLY_PAUSE_SECONDS
    await found.receive(message(), PATIENCE + 1)
    assert len(passed) == 1 and aside.rows == []


def test_the_next_version_and_older_ones_pass_at_once():
    assert in_turn(4, 5) is None
    assert in_turn(7, 5) is None
