"""Proposals in a real replica set: they run out, are taken back, and are answered by the school."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.outreach.domain.visit_commands import (
    AcceptVisit,
    CompleteVisit,
    MoveVisit,
    RequestDates,
    WithdrawProposal,
)
from services.outreach.store.core import Store
from services.outreach.usecases import visit_proposals, visits
from services.outreach.usecases.erasure import erase_due
from shared.errors import NotAllowed
from shared.ids import random_id
from tests.support.visits import COORDINATOR, MONDAY, NOW, TEACHER, ZONE, date_given, identity
from tests.support.visits_db import asked, booked, propose, said, visits_store

WORKS, OTHER = identity("company", "works"), identity("company", "other")
STRANGER = identity("teacher", "100002")
ADA = identity("ambassador", "works", "person-a")
AFTER = NOW + timedelta(days=4)
DATES = RequestDates(alternatives=[date_given(MONDAY + timedelta(days=n)) for n in (7, 9)], reason="Ausflug")


@pytest.fixture
async def store(mongodb_url: str) -> AsyncIterator[Store]:
    async with visits_store(mongodb_url, "test_outreach_proposals") as prepared:
        yield prepared


async def withdraw(store: Store, visit_id: str, who, request_id: str = ""):
    command = WithdrawProposal(reason="Ferien")
    request_id = request_id or random_id()
    return await visit_proposals.withdraw_proposal(store, who, visit_id, command, now=NOW, request_id=request_id)


async def test_an_unanswered_proposal_falls_once_and_the_team_is_free(store: Store):
    visit = await propose(store, await asked(store), "a", "b", alternative=2)
    assert await visit_proposals.expire_proposals(store, now=NOW) == 0
    assert len(await booked(store)) == 2
    assert await visit_proposals.expire_proposals(store, now=AFTER) == 1
    assert await visit_proposals.expire_proposals(store, now=AFTER) == 0
    assert await booked(store) == []
    after = await visits.get_visit(store, COORDINATOR, visit.id)
    assert (after.state, [each.kind for each in after.declines]) == ("requested", ["no_answer", "no_answer"])
    assert await said(store, visit.id) == ["VisitRequested", "VisitProposed", "VisitProposalExpired"]
    told = await store.db.outbox.find_one({"subject": {"$regex": "VisitProposalExpired"}})
    assert len(told["wire"]["data"]["visit"]["team"]) == 2, "the mail goes to those who were asked"


async def test_the_school_days_of_an_answer_are_a_setting(store: Store):
    store.answer_school_days = 1
    visit = await propose(store, await asked(store), "a", alternative=2)
    assert visit.answer_by is not None and visit.answer_by.isoformat() == "2026-11-03T17:00:00+00:00"


@pytest.mark.parametrize("who", [COORDINATOR, WORKS])
async def test_a_coordinator_and_the_teams_company_take_a_proposal_back(store: Store, who):
    visit = await propose(store, await asked(store), "a")
    request_id = random_id()
    first = await withdraw(store, visit.id, who, request_id)
    assert first.state == "requested" and await booked(store) == []
    assert await said(store, visit.id) == ["VisitRequested", "VisitProposed", "VisitProposalWithdrawn"]


@pytest.mark.parametrize("who", [OTHER, TEACHER, STRANGER, ADA, identity("operator")])
async def test_nobody_else_takes_a_proposal_back(store: Store, who):
    visit = await propose(store, await asked(store), "a")
    with pytest.raises(NotAllowed):
        await withdraw(store, visit.id, who)
    assert len(await booked(store)) == 1


async def test_the_school_agrees_to_a_moved_date_and_only_the_school(store: Store):
    visit = await propose(store, await asked(store), "a")
    to = MoveVisit(**date_given(MONDAY + timedelta(days=14)).model_dump())
    await visits.move_visit(store, COORDINATOR, visit.id, to, zone=ZONE, now=NOW, request_id=random_id())
    for who in (STRANGER, ADA, WORKS):
        with pytest.raises(NotAllowed):
            await visit_proposals.accept_date(store, who, visit.id, now=NOW, request_id=random_id())
    await visit_proposals.accept_visit(store, ADA, visit.id, AcceptVisit(), now=NOW, request_id=random_id())
    done = await visit_proposals.accept_date(store, TEACHER, visit.id, now=NOW, request_id=random_id())
    assert done.state == "confirmed" and (await said(store, visit.id))[-1] == "VisitConfirmed"


async def test_the_school_names_other_dates_and_only_the_school(store: Store):
    visit = await propose(store, await asked(store), "a")
    for who in (STRANGER, ADA, WORKS):
        with pytest.raises(NotAllowed):
            await visit_proposals.request_dates(store, who, visit.id, DATES, zone=ZONE, now=NOW, request_id=random_id())
    for message in ("VisitProposalWithdrawn", "VisitRequested"):
        after = await visit_proposals.request_dates(
            store, TEACHER, visit.id, DATES, zone=ZONE, now=NOW, request_id=random_id()
        )
        assert after.state == "requested" and [each.day.day for each in after.alternatives] == [16, 18]
        assert await booked(store) == [] and (await said(store, visit.id))[-1] == message


async def test_what_the_team_reports_is_for_agency_team_and_company_and_goes_with_the_contact(store: Store):
    visit = await propose(store, await asked(store), "a")
    await visit_proposals.accept_visit(store, ADA, visit.id, AcceptVisit(), now=NOW, request_id=random_id())
    later = NOW + timedelta(days=10)
    report = CompleteVisit(pupils_reached=24, went_well="Alle durften schrauben.", notes="Mehr Zeit wäre gut.")
    await visits.complete_visit(store, ADA, visit.id, report, now=later, request_id=random_id())
    for who in (COORDINATOR, ADA, WORKS):
        assert (await visits.get_visit(store, who, visit.id)).went_well == "Alle durften schrauben."
    hidden = await visits.get_visit(store, TEACHER, visit.id)
    assert (hidden.pupils_reached, hidden.went_well, hidden.notes) == (24, "", "")
    await erase_due(store, now=NOW + timedelta(days=365))
    row = await store.db.visits.find_one({"_id": visit.id})
    assert (row["went_well"], row["notes"], row["contact"]["name"], row["pupils_reached"]) == ("", "", "", 24)
