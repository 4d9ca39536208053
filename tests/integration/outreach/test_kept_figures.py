"""A campaign's figures as kept, against a fresh count, after messages in any order, visits and new districts."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.outreach.domain.common import ChangedMeanwhile
from services.outreach.domain.reports import add_up
from services.outreach.domain.schools import School
from services.outreach.domain.visits import Visit
from services.outreach.store import coverage, figures, reports, visits
from services.outreach.store import schools as stored_schools
from services.outreach.store.core import Store
from services.outreach.usecases.reports import prove_figures
from shared.ids import random_id
from shared.schemas.base import Message
from shared.schemas.events import GroupFacts, OfferChanged, SlotResized
from shared.tally import named, path
from tests.support import visits as some
from tests.support.outreach import NOW, confirmed, offer, registration, self_found, slot

pytestmark = pytest.mark.processes_only
SCHOOLS = {"100001": "05970", "100002": "05958", "100003": "05970"}
STATES = ["requested", "waitlisted", "offered", "confirmed", "declined", "expired", "cancelled", "attended", "no_show"]
VISITS = ("requested", "proposed", "confirmed", "done", "cancelled")
KINDS = [*["registration"] * 8, "offer", "slot", "slot", "self_found", "visit", "visit", "school", "count"]
STEP = st.tuples(
    st.sampled_from(KINDS), st.integers(0, 3), st.integers(1, 6), st.sampled_from(STATES), st.integers(1, 30)
)
STORY = st.lists(STEP, min_size=10, max_size=40)


@pytest.fixture
async def schools(store: Store) -> Store:
    made = [some.school(id=id, district_ags=district) for id, district in SCHOOLS.items()]
    await store.db.schools.insert_many([stored_schools.document(each) for each in made])
    return store


async def agrees(store: Store, campaign_id: str) -> None:
    """What is kept is what is there."""
    counted = add_up(await reports.rows(store, campaign_id), ["05958"])
    assert await figures.totals(store.tally, campaign_id, ["05958"]) == counted
    reached, asked = await figures.reach(store.tally, campaign_id)
    assert (reached, asked) == (await coverage.reached(store, campaign_id), await coverage.asked(store, campaign_id))


async def test_figures_as_kept_are_those_counted_afresh_whatever_comes_in_whichever_order(running, schools):
    loop = asyncio.get_running_loop()

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(STORY)
    def holds(steps: list[tuple[str, int, int, str, int]]) -> None:
        asyncio.run_coroutine_threadsafe(_story(running, schools, steps), loop).result()

    await asyncio.to_thread(holds)


async def _story(running: Any, store: Store, steps: Sequence[tuple[str, int, int, str, int]]) -> None:
    """Every message comes twice, and messages of eight steps at once, while two processes count."""
    campaign_id = random_id()
    processes = [store, Store(store.db)]
    for begin in range(0, len(steps), 8):
        part = steps[begin : begin + 8]
        said = [message for step in part for message in _said(campaign_id, step)]
        heard = [running.app.state.dispatcher.receive(each.to_wire(), 1) for each in (*said, *reversed(said))]
        own = [_do(store, campaign_id, step) for step in part]
        await asyncio.gather(*heard, *own, *(each.tally.count_up() for each in processes))
        await agrees(store, campaign_id)


def _said(campaign_id: str, step: tuple[str, int, int, str, int]) -> list[Message]:
    kind, number, version, state, pupils = step
    of = offer(campaign_id, f"{campaign_id}-{number}", "05970" if pupils % 2 else "05958", "MG"[version % 2])
    if kind == "registration":
        id = list(SCHOOLS)[number % 3]
        facts = registration(
            slot(of), number, pupils, version, state, school_id=id, school_district_ags=SCHOOLS[id],
            school_type="15" if pupils % 3 else "20", registration_id=f"{campaign_id}-{number}",
            pupils_attended=pupils // 2 if state == "attended" else None,
        )  # fmt: skip
        return [confirmed(facts)]
    if kind == "offer":
        gone = of.model_copy(update={"state": "withdrawn" if state == "cancelled" else "published"})
        return [OfferChanged.about(f"offer:{of.offer_id}", version, now=NOW, offer=gone)]
    if kind == "slot":
        there = slot(of, 1, pupils, "cancelled" if state == "cancelled" else "open")
        return [SlotResized.about(f"slot:{there.slot_id}", version, now=NOW, slot=there)]
    if kind == "self_found":
        group = GroupFacts(name="8z", grade=8, pupils=pupils, adults=0)
        found = self_found(campaign_id, pupils, version, state == "cancelled")
        return [found.model_copy(update={"record_id": f"{campaign_id}-{number}", "group": group})]
    return []


async def _do(store: Store, campaign_id: str, step: tuple[str, int, int, str, int]) -> None:
    kind, number, version, _, pupils = step
    if kind == "visit":
        await _visit(store, campaign_id, number, VISITS[pupils % 5])
    elif kind == "school":
        await _school(store, list(SCHOOLS)[number % 3], f"059{50 + version}", "15" if pupils % 2 else "20")
    elif kind == "count":
        await figures.totals(store.tally, campaign_id, ())


async def _visit(store: Store, campaign_id: str, number: int, state: str) -> None:
    """The visit is in another state: as every change of a visit is written."""
    id, school_id = f"{campaign_id}-{number}", list(SCHOOLS)[number % 3]
    before = await store.get("visits", Visit, id)
    if before is None:
        facts = {"id": id, "campaign_id": campaign_id, "school_id": school_id}
        fresh = some.visit().model_copy(update=facts)
        await store.insert_once("visits", fresh, rank=visits.rank(fresh))
        return
    fields = {"state": state, "version": before.version + 1, "pupils_reached": 20 if state == "done" else None}
    after = before.model_copy(update=fields)
    with suppress(ChangedMeanwhile):
        await store.transaction(lambda session: visits.save(store, after, [], session))


async def _school(store: Store, id: str, district: str, school_type: str) -> None:
    """The register says that a school lies elsewhere, and is of another type."""
    before = await store.get("schools", School, id)
    assert before
    fields = {"district_ags": district, "school_type": school_type, "version": before.version + 1}
    after = before.model_copy(update=fields)
    with suppress(ChangedMeanwhile):
        await store.transaction(lambda session: stored_schools.write_many(store, [], [after], [], session))


async def test_a_database_from_before_is_counted_at_once(running, schools):
    await running.app.state.dispatcher.receive(confirmed(registration(slot(offer("c")), 1)).to_wire(), 1)
    await schools.tally.count_up()
    for name in ("figures", "figure_members", "reach", "tally_counted", "tally_state"):
        await schools.db[name].delete_many({})
    await schools.db.report_registrations.update_many({}, {"$unset": {"counted": ""}})
    await schools.tally.prepare()
    assert (await figures.totals(schools.tally, "c", ())).totals["pupils"] == 24


async def test_what_was_written_without_a_note_is_found_and_counted_anew(running, schools):
    await schools.db.campaigns.insert_one({"_id": "c"})
    await running.app.state.dispatcher.receive(confirmed(registration(slot(offer("c")), 1)).to_wire(), 1)
    assert await prove_figures(schools)
    await schools.db.report_registrations.update_many({}, {"$set": {"pupils": 12}})
    assert not await prove_figures(schools)
    assert await prove_figures(schools)
    assert (await figures.totals(schools.tally, "c", ())).totals["pupils"] == 12


async def test_a_school_that_changes_is_seen_by_every_process(schools):
    other = Store(schools.db)
    await schools.register.begin()
    for each in (schools, other):
        assert "05970" in {known.district_ags for known in await each.register.schools()}
    await _school(schools, "100001", "05999", "15")
    for each in (schools, other):
        assert ("100001", "05999") in {(known.id, known.district_ags) for known in await each.register.schools()}


@pytest.mark.parametrize("name", ["05970", "", "a.b", "$x", "50%", "%2E"])
def test_a_sum_is_found_by_the_name_under_which_it_was_added(name):
    assert named({path(name): 1}) == {name: 1} and "." not in path(name)
