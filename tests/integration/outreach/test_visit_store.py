"""Visits and bookings in a real replica set: what happens at the same time, what is retried, who may."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest

from services.outreach.domain import ambassadors as rules
from services.outreach.domain import visit_errors as errors
from services.outreach.domain.ambassadors import BlockDays, ChangeAmbassador, EnterAmbassador, UnblockDays
from services.outreach.domain.people import Person, RoleGiven
from services.outreach.domain.visit_commands import (
    AcceptVisit,
    CancelVisit,
    CompleteVisit,
    DeclineVisit,
    LeaveTeam,
    MoveVisit,
)
from services.outreach.domain.visits import Visit
from services.outreach.store.core import Store
from services.outreach.usecases import ambassadors, people, visit_proposals, visits
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.visit_steps import steps
from shared.errors import NotAllowed, RuleBroken
from shared.ids import random_id
from shared.schemas.catalogue import read_message
from tests.support.visits import (
    COORDINATOR,
    MONDAY,
    NOW,
    TEACHER,
    ZONE,
    ambassador,
    date_given,
    identity,
    limits,
    person_of,
    request,
)
from tests.support.visits_db import add_ambassadors, asked, booked, often, propose, said, visits_store

ADA = identity("ambassador", "works", "person-a")
BEN = identity("ambassador", "works", "person-b")
WORKS = identity("company", "works")
OTHER = identity("company", "other")
STRANGER = identity("teacher", "100002")


@pytest.fixture
async def store(mongodb_url: str) -> AsyncIterator[Store]:
    async with visits_store(mongodb_url, "test_outreach_visits") as prepared:
        yield prepared


async def accept(store: Store, visit: Visit, ambassador_id: str | None, who=COORDINATOR, request_id: str = "") -> Visit:
    command = AcceptVisit(ambassador_id=ambassador_id)
    return await visit_proposals.accept_visit(
        store, who, visit.id, command, now=NOW, request_id=request_id or random_id()
    )


async def decline(store: Store, visit: Visit, ambassador_id: str | None, who=COORDINATOR) -> Visit:
    command = DeclineVisit(ambassador_id=ambassador_id, reason="Prüfung")
    return await visit_proposals.decline_visit(store, who, visit.id, command, now=NOW, request_id=random_id())


async def move(store: Store, visit: Visit, to, who=COORDINATOR) -> Visit:
    command = MoveVisit(**to.model_dump(), reason="Bus")
    return await visits.move_visit(store, who, visit.id, command, zone=ZONE, now=NOW, request_id=random_id())


async def cancel(store: Store, visit: Visit, who=COORDINATOR) -> Visit:
    return await visits.cancel_visit(store, who, visit.id, CancelVisit(reason="krank"), now=NOW, request_id=random_id())


async def confirmed(store: Store, *dates) -> Visit:
    visit = await asked(store, *dates)
    await propose(store, visit, "a", "b")
    await accept(store, visit, "a")
    return await accept(store, visit, "b")


async def outcome(work) -> str:
    try:
        await work
    except RuleBroken as error:
        return type(error).__name__
    return "done"


async def test_the_whole_way_says_each_step_once(store):
    visit = await asked(store)
    await propose(store, visit, "a", "b")
    assert [(row["ambassador_id"], row["state"]) for row in await booked(store)] == [("a", "held"), ("b", "held")]
    await accept(store, visit, None, ADA)
    last = await accept(store, visit, None, BEN)
    assert last.state == "confirmed"
    assert {row["state"] for row in await booked(store)} == {"confirmed"}
    await move(store, visit, date_given(MONDAY + timedelta(days=7)))
    assert {row["day"] for row in await booked(store)} == {"2026-11-16"}
    done = await visits.complete_visit(
        store, TEACHER, visit.id, CompleteVisit(pupils_reached=25), now=NOW + timedelta(days=20), request_id="done"
    )
    assert (done.state, done.pupils_reached) == ("done", 25)
    assert await said(store, visit.id) == [
        "VisitRequested", "VisitProposed", "VisitConfirmed", "VisitMoved", "VisitCompleted",
    ]  # fmt: skip


async def test_messages_in_the_outbox_can_be_read_and_carry_the_visits_version(store):
    visit = await confirmed(store)
    rows = await store.db.outbox.find({"aggregate": f"visit:{visit.id}"}).sort("order", 1).to_list(None)
    messages = [read_message(row["wire"]) for row in rows]
    assert [(message.aggregate_version, message.visit.version) for message in messages] == [(1, 1), (2, 2), (4, 4)]
    assert [member.email for member in messages[-1].visit.team] == ["ada@betrieb.example", "ben@betrieb.example"]
    assert messages[-1].visit.chosen.starts_local == date_given().starts_local


async def test_what_was_stored_is_read_again_as_it_was(store):
    visit = await confirmed(store)
    read = await visits.get_visit(store, COORDINATOR, visit.id)
    assert read == visit and read.chosen.starts_local.tzinfo is None


async def test_of_many_proposals_at_once_for_one_ambassador_exactly_one_wins(store):
    found = [await asked(store) for _ in range(8)]
    outcomes = await asyncio.gather(*(outcome(propose(store, visit, "a")) for visit in found))
    assert sorted(outcomes) == sorted(["done"] + ["AmbassadorIsBooked"] * 7)
    assert len(await booked(store, "a")) == 1


async def test_of_many_proposals_for_one_week_as_many_win_as_the_ambassador_wants(store):
    await often(store, "a", per_week=3)
    found = [await asked(store, date_given(hour=h, minutes=30), date_given(hour=h + 8)) for h in range(7, 13)]
    outcomes = await asyncio.gather(*(outcome(propose(store, visit, "a")) for visit in found))
    assert sorted(outcomes) == sorted(["done"] * 3 + ["AmbassadorWeekIsFull"] * 3)


async def test_teams_that_share_members_in_another_order_neither_hang_nor_overlap(store):
    await add_ambassadors(store, [ambassador(id) for id in ("d", "e", "f")])
    teams = [("a", "b", "d"), ("d", "e", "a"), ("f", "d"), ("e", "f"), ("b", "f"), ("a", "e")]
    found = [await asked(store) for _ in teams]
    work = [outcome(propose(store, visit, *team)) for visit, team in zip(found, teams, strict=True)]
    outcomes = await asyncio.wait_for(asyncio.gather(*work), 30)
    winners = [team for team, result in zip(teams, outcomes, strict=True) if result == "done"]
    taken = [member for team in winners for member in team]
    assert winners and len(taken) == len(set(taken))
    assert sorted(row["ambassador_id"] for row in await booked(store)) == sorted(taken)


async def test_blocking_a_day_and_a_proposal_for_it_at_once_cannot_both_succeed(store):
    for week in range(4):
        day = MONDAY + timedelta(days=7 * week)
        visit = await asked(store, date_given(day), date_given(day, hour=12))
        block = ambassadors.block_days(
            store, ADA, "a", BlockDays(days=[day]), zone=ZONE, now=NOW, request_id=random_id()
        )
        outcomes = await asyncio.gather(outcome(propose(store, visit, "a")), outcome(block))
        assert sorted(outcomes) in (["AmbassadorIsBlocked", "done"], ["BlockedDayHasVisit", "done"])


async def test_a_move_and_a_proposal_to_the_same_time_at_once_cannot_both_succeed(store):
    await often(store, "a")
    later = date_given(MONDAY + timedelta(days=1), hour=11)
    first = await asked(store)
    await propose(store, first, "a")
    second = await asked(store, later, date_given(MONDAY + timedelta(days=2)))
    outcomes = await asyncio.gather(outcome(move(store, first, later)), outcome(propose(store, second, "a")))
    assert sorted(outcomes) == ["AmbassadorIsBooked", "done"]


async def test_accepting_twice_at_once_confirms_once(store):
    visit = await asked(store)
    await propose(store, visit, "a")
    outcomes = await asyncio.gather(*(outcome(accept(store, visit, "a")) for _ in range(4)))
    assert sorted(outcomes) == sorted(["done"] + ["AlreadyAccepted"] * 3)
    assert (await said(store, visit.id)).count("VisitConfirmed") == 1


async def test_the_last_two_acceptances_at_once_confirm_once(store):
    visit = await asked(store)
    await propose(store, visit, "a", "b")
    await asyncio.gather(accept(store, visit, "a"), accept(store, visit, "b"))
    assert (await visits.get_visit(store, COORDINATOR, visit.id)).state == "confirmed"
    assert (await said(store, visit.id)).count("VisitConfirmed") == 1


async def test_a_retried_request_finds_what_it_did(store):
    visit = await asked(store)
    first = await propose(store, visit, "a", request_id="same")
    assert await propose(store, visit, "a", request_id="same") == first
    confirmed = await accept(store, visit, "a", request_id="again")
    assert await accept(store, visit, "a", request_id="again") == confirmed
    asked_twice = [
        await visits.request_visit(store, TEACHER, request(), zone=ZONE, now=NOW, request_id="wish") for _ in range(2)
    ]
    assert asked_twice[0] == asked_twice[1]
    assert await said(store, visit.id) == ["VisitRequested", "VisitProposed", "VisitConfirmed"]


async def test_a_decline_frees_everybody_and_another_team_can_be_proposed(store):
    visit = await asked(store)
    await propose(store, visit, "a", "b")
    back = await decline(store, visit, None, ADA)
    assert (back.state, await booked(store)) == ("requested", [])
    again = await propose(store, visit, "b")
    assert again.state == "proposed"
    assert await said(store, visit.id) == ["VisitRequested", "VisitProposed", "VisitProposalDeclined", "VisitProposed"]


async def test_a_refused_proposal_changes_nothing(store):
    first, second = await asked(store), await asked(store)
    await propose(store, first, "a")
    before = await store.db.ambassadors.find_one({"_id": "b"})
    with pytest.raises(rules.AmbassadorIsBooked) as refused:
        await propose(store, second, "b", "a")
    assert refused.value.values["name"] == "Ada (Demo)"
    assert await store.db.ambassadors.find_one({"_id": "b"}) == before
    assert (await said(store, second.id), await booked(store, "b")) == (["VisitRequested"], [])


async def test_a_moved_visit_needs_the_whole_team_to_be_free(store):
    visit = await confirmed(store)
    await ambassadors.block_days(
        store, BEN, "b", BlockDays(days=[date(2026, 11, 18)]), zone=ZONE, now=NOW, request_id=random_id()
    )
    with pytest.raises(rules.AmbassadorIsBlocked):
        await move(store, visit, date_given(date(2026, 11, 18)))
    moved = await move(store, visit, date_given(MONDAY, hour=9))
    assert moved.chosen.starts_local.hour == 9


async def test_a_moved_proposal_is_proposed_anew_and_not_said_to_be_moved(store):
    visit = await asked(store)
    await propose(store, visit, "a", "b")
    await accept(store, visit, "a")
    moved = await move(store, visit, date_given(date(2026, 11, 18)))
    assert [member.answer for member in moved.team] == ["open", "open"]
    assert (await said(store, visit.id))[-2:] == ["VisitProposed", "VisitProposed"]


async def test_a_cancelled_visit_frees_the_team_and_is_cancelled_once(store):
    visit = await confirmed(store)
    outcomes = await asyncio.gather(outcome(cancel(store, visit)), outcome(cancel(store, visit, TEACHER)))
    assert sorted(outcomes) == ["AlreadyCancelled", "done"]
    assert await booked(store) == []
    assert (await said(store, visit.id)).count("VisitCancelled") == 1


async def test_a_day_with_a_visit_is_blocked_only_after_the_visit_is_called_off(store):
    visit = await confirmed(store)

    def block():
        command = BlockDays(weekdays=[0], reason="Berufsschule")
        return ambassadors.block_days(store, ADA, "a", command, zone=ZONE, now=NOW, request_id=random_id())

    assert await outcome(block()) == "BlockedDayHasVisit"
    await cancel(store, visit)
    assert await outcome(block()) == "done"
    free = await ambassadors.unblock_days(store, ADA, "a", UnblockDays(weekdays=[0]), request_id=random_id())
    assert free.ambassador.blocked_weekdays == ()


async def test_limits_cannot_fall_below_what_is_booked(store):
    await often(store, "a", per_week=2)
    for hour in (8, 11):
        await propose(store, await asked(store, date_given(hour=hour), date_given(hour=hour + 5)), "a")
    command = ChangeAmbassador(limits=limits(per_week=1), fields=[])
    with pytest.raises(rules.LimitBelowBookings):
        await ambassadors.change_ambassador(store, ADA, "a", command, now=NOW, request_id=random_id())


async def test_who_is_free_is_told_with_the_reason_and_the_nearest_first(store):
    await store.db.ambassadors.update_one({"_id": "a"}, {"$set": {"home_postal_code": "57072"}})
    await store.db.ambassadors.update_one({"_id": "b"}, {"$set": {"home_postal_code": "57462"}})
    await propose(store, await asked(store), "c")
    visit = await asked(store)
    found = await ambassadors.free_ambassadors(store, COORDINATOR, date_given(), visit_id=visit.id, zone=ZONE)
    told = [(each.known.name, type(each.why_not).__name__) for each in found]
    assert told == [("Ada (Demo)", "NoneType"), ("Ben (Demo)", "NoneType"), ("Cem (Demo)", "AmbassadorIsBooked")]
    assert found[0].distance_km < 6 < found[1].distance_km and found[2].distance_km is None
    own = await ambassadors.free_ambassadors(store, WORKS, date_given(), visit_id=visit.id, zone=ZONE)
    assert [each.known.ambassador.id for each in own] == ["a", "b"]


async def test_a_company_calls_off_only_what_its_team_has_confirmed(store):
    visit = await asked(store)
    proposed = await propose(store, visit, "a", who=WORKS)
    assert not steps(WORKS, proposed, NOW).can_cancel
    with pytest.raises(NotAllowed):
        await cancel(store, visit, WORKS)
    assert (await visits.get_visit(store, COORDINATOR, visit.id)).state == "proposed"
    confirmed = await accept(store, visit, "a", ADA)
    assert steps(WORKS, confirmed, NOW).can_cancel
    assert (await cancel(store, visit, WORKS)).state == "cancelled"
    with pytest.raises(errors.AlreadyCancelled):
        await cancel(store, visit, WORKS)


async def test_an_ambassador_who_has_accepted_can_call_it_off_and_not_before(store):
    visit = await asked(store)
    proposed = await propose(store, visit, "a", who=WORKS)
    assert not steps(ADA, proposed, NOW).can_cancel
    with pytest.raises(NotAllowed):
        await cancel(store, visit, ADA)
    confirmed = await accept(store, visit, "a", ADA)
    assert steps(ADA, confirmed, NOW).can_cancel
    assert (await cancel(store, visit, ADA)).state == "cancelled"


async def test_whoever_has_said_no_reads_that_and_not_that_it_was_never_theirs(store):
    visit = await asked(store)
    await propose(store, visit, "a", who=WORKS)
    await decline(store, visit, "a", ADA)
    with pytest.raises(errors.NotAskedAnyMore):
        await visits.get_visit(store, ADA, visit.id)
    with pytest.raises(NotAllowed):
        await visits.get_visit(store, BEN, visit.id)


async def test_nobody_does_what_is_not_theirs(store):
    visit = await asked(store)

    async def refused(work) -> None:
        with pytest.raises(NotAllowed):
            await work

    for who in (STRANGER, ADA, WORKS):
        await refused(visits.request_visit(store, who, request(), zone=ZONE, now=NOW, request_id=random_id()))
    for who in (TEACHER, STRANGER, ADA, OTHER):
        await refused(propose(store, visit, "a", who=who))
    await refused(propose(store, visit, who=TEACHER))
    await refused(propose(store, visit, "a", "c", who=WORKS))
    await refused(propose(store, visit, "unknown", who=WORKS))
    await propose(store, visit, "a", "b", who=WORKS)
    for who in (BEN, TEACHER, STRANGER, WORKS):
        await refused(accept(store, visit, "a", who))
        await refused(decline(store, visit, "a", who))
        await refused(move(store, visit, date_given(MONDAY + timedelta(days=7)), who))
    for who in (STRANGER, OTHER, WORKS, ADA, identity("ambassador", "works", "person-c")):
        await refused(cancel(store, visit, who))
    for who in (STRANGER, OTHER):
        await refused(visits.get_visit(store, who, visit.id))
        await refused(
            visits.complete_visit(
                store, who, visit.id, CompleteVisit(pupils_reached=1), now=NOW, request_id=random_id()
            )
        )
    for who in (BEN, OTHER, TEACHER):
        await refused(ambassadors.get_ambassador(store, who, "a"))
        await refused(
            ambassadors.block_days(store, who, "a", BlockDays(days=[MONDAY]), zone=ZONE, now=NOW, request_id="x")
        )
    await refused(ambassadors.list_ambassadors(store, TEACHER))
    await refused(ambassadors.free_ambassadors(store, ADA, date_given(), zone=ZONE))
    assert (await visits.get_visit(store, TEACHER, visit.id)).state == "proposed"


async def test_lists_show_only_what_concerns_somebody(store):
    own, other = await asked(store), await asked(store, school_id="100002")
    await propose(store, own, "a")

    async def seen(who) -> set[str]:
        return {visit.id for visit in (await visits.list_visits(store, who))[0]}

    assert await seen(COORDINATOR) == {own.id, other.id}
    assert await seen(TEACHER) == {own.id}
    assert await seen(STRANGER) == {other.id}
    assert await seen(ADA) == {own.id}
    assert await seen(BEN) == set()
    assert await seen(WORKS) == {own.id, other.id}
    assert await seen(OTHER) == {other.id}
    with pytest.raises(NotAllowed):
        await visits.list_visits(store, identity("operator"))


async def test_a_company_sees_no_contact_before_its_ambassadors_are_asked(store):
    visit = await asked(store)
    assert (await visits.get_visit(store, WORKS, visit.id)).contact.email == ""
    assert [each.contact.name for each in (await visits.list_visits(store, WORKS))[0]] == [""]
    await propose(store, visit, "a", who=WORKS)
    assert (await visits.get_visit(store, WORKS, visit.id)).contact.email == "lehrkraft@schule.example"


async def test_what_needs_doing_comes_first_in_pages(store):
    done = await confirmed(store, date_given(), date_given(hour=12))
    later = await asked(store, date_given(MONDAY + timedelta(days=9)), date_given(MONDAY + timedelta(days=8)))
    sooner = await asked(store)
    first, cursor = await visits.list_visits(store, COORDINATOR, limit=2)
    rest, end = await visits.list_visits(store, COORDINATOR, limit=2, after=cursor)
    assert ([visit.id for visit in first], [visit.id for visit in rest]) == ([sooner.id, later.id], [done.id])
    assert end is None
    assert [v.id for v in (await visits.list_visits(store, COORDINATOR, state="confirmed"))[0]] == [done.id]


async def test_a_person_is_an_ambassador_once(store):
    command = EnterAmbassador(name="Neu", email="neu@betrieb.example", company_id="works", fields=["M"])
    new = await ambassadors.enter_ambassador(store, COORDINATOR, command, now=NOW, request_id="one")
    again = await ambassadors.enter_ambassador(store, COORDINATOR, command, now=NOW, request_id="one")
    assert new == again and new.person.roles[0].kind == "ambassador"
    elsewhere = command.model_copy(update={"company_id": "other", "email": "NEU@betrieb.example"})
    with pytest.raises(rules.AlreadyAnAmbassador):
        await ambassadors.enter_ambassador(store, COORDINATOR, elsewhere, now=NOW, request_id="two")
    person = await store.get("people", Person, new.person.id)
    assert [role.organisation_id for role in person.roles] == ["works"]
    with pytest.raises(NotAllowed):
        await ambassadors.enter_ambassador(store, identity("company", "works"), command, now=NOW, request_id="three")


async def test_an_ambassador_of_two_companies_is_proposed_by_each_and_booked_once(store):
    await store.db.ambassadors.update_one({"_id": "a"}, {"$set": {"also_for": ["other"]}})
    role = {"kind": "ambassador", "organisation_id": "other"}
    await store.db.people.update_one({"_id": "person-a"}, {"$push": {"roles": role}})
    first, second = await asked(store), await asked(store)
    proposed = await propose(store, first, "a", who=OTHER)
    assert proposed.companies() == {"other"}, "the company that proposes, and not the first one"
    assert (await outcome(propose(store, second, "a", who=WORKS))) == "AmbassadorIsBooked"
    assert await outcome(visits.get_visit(store, WORKS, first.id)) == "NotAllowed"
    for who, planned in ((WORKS, 0), (OTHER, 1), (COORDINATOR, 1)):
        known = await ambassadors.get_ambassador(store, who, "a")
        assert (await ambassadors.visit_counts(store, who, [known]))["a"]["proposed"] == planned
    await ambassadors.pause_ambassador(store, WORKS, "a", now=NOW, request_id="pause")
    assert (await visits.get_visit(store, OTHER, first.id)).state == "proposed", "it is no matter of the other company"


async def leave(store: Store, visit: Visit, ambassador_id: str | None, who=COORDINATOR, request_id: str = "") -> Visit:
    command = LeaveTeam(ambassador_id=ambassador_id, reason="Prüfung")
    return await visit_proposals.leave_team(
        store, who, visit.id, command, now=NOW, request_id=request_id or random_id()
    )


async def test_one_of_a_team_drops_out_and_the_visit_takes_place_with_the_others(store):
    visit = await confirmed(store)
    for _ in range(2):  # a repeated request finds it done
        left = await leave(store, visit, None, ADA, "left")
    assert (left.state, [each.ambassador_id for each in left.team]) == ("confirmed", ["b"])
    assert [(row["ambassador_id"], row["state"]) for row in await booked(store)] == [("b", "confirmed")]
    assert (await said(store, visit.id))[-2:] == ["VisitConfirmed", "VisitMemberLeft"]
    row = await store.db.outbox.find_one({"aggregate": f"visit:{visit.id}"}, sort=[("order", -1)])
    told = read_message(row["wire"]).visit
    assert [(each.ambassador_id, each.answer) for each in told.team] == [("a", "declined"), ("b", "accepted")]
    assert (told.state, told.reason) == ("confirmed", "Prüfung")
    assert await outcome(visits.get_visit(store, ADA, visit.id)) == "NotAskedAnyMore"
    assert await outcome(leave(store, visit, None, BEN)) == "LastOfTheTeam"
    await propose(store, await asked(store), "a")  # free again at that time


async def test_of_two_who_drop_out_at_once_one_stays(store):
    for _ in range(8):
        visit = await confirmed(store)
        both = [outcome(leave(store, visit, None, who)) for who in (ADA, BEN)]
        found = sorted(await asyncio.gather(*both))
        assert found[1] == "done" and found[0] in ("ChangedMeanwhile", "LastOfTheTeam"), found
        assert len(await booked(store)) == 1
        await cancel(store, visit)


@pytest.mark.parametrize(
    ("who", "result"),
    [(COORDINATOR, "done"), (WORKS, "done"), (OTHER, "NotAllowed"), (BEN, "NotAllowed"), (TEACHER, "NotAllowed"),
     (STRANGER, "NotAllowed")],
)  # fmt: skip
async def test_who_may_take_one_out_of_a_team(store, who, result):
    visit = await confirmed(store)
    assert await outcome(leave(store, visit, "a", who)) == result


async def test_nobody_drops_out_of_what_is_not_confirmed_or_has_begun(store):
    visit = await asked(store)
    await propose(store, visit, "a", "b")
    assert await outcome(leave(store, visit, "a")) == "NotConfirmedYet"
    assert await outcome(leave(store, visit, "c")) == "NotInTeam"
    for id in ("a", "b"):
        await accept(store, visit, id)
    late = LeaveTeam(ambassador_id="a")
    begun = visit_proposals.leave_team(
        store, COORDINATOR, visit.id, late, now=NOW + timedelta(days=8), request_id="late"
    )
    assert await outcome(begun) == "VisitHasStarted"


async def test_contacts_go_after_the_campaign_and_a_receipt_stays(store):
    visit = await asked(store)
    await propose(store, visit, "a")
    await decline(store, visit, "a")
    day = (await visits.get_visit(store, COORDINATOR, visit.id)).erase_after
    assert day.date() == date(2027, 3, 31) + timedelta(days=91)
    assert (await erase_due(store, now=day - timedelta(seconds=1)))["visit_contacts"] == 0
    assert (await erase_due(store, now=day))["visit_contacts"] == 1
    assert (await erase_due(store, now=day))["visit_contacts"] == 0
    kept = str(await store.db.visits.find_one()) + str(
        await store.db.outbox.find({"aggregate": f"visit:{visit.id}"}).to_list(None)
    )
    for personal in ("Lehrkraft Muster", "lehrkraft@schule.example", "23125", "Prüfung"):
        assert personal not in kept
    receipt = await store.db.erasure_receipts.find_one({"what": "visit_contacts"})
    assert receipt["count"] == 1
    assert (await visits.get_visit(store, COORDINATOR, visit.id)).pupils == 27


async def test_a_campaign_that_ends_earlier_moves_the_day_of_erasure(store):
    visit = await asked(store)
    await store.db.campaigns.update_one({"_id": "campaign"}, {"$set": {"ends_on": "2026-12-01"}})
    assert (await erase_due(store, now=NOW + timedelta(days=130)))["visit_contacts"] == 1
    assert (await visits.get_visit(store, COORDINATOR, visit.id)).contact.name == ""


async def test_an_erased_ambassador_leaves_no_name_and_no_booking(store):
    later = [date_given(MONDAY + timedelta(days=n)) for n in (14, 15)]
    sure, open_one = await confirmed(store), await asked(store, *later)
    await propose(store, open_one, "a", "c")
    await ambassadors.block_days(
        store, ADA, "a", BlockDays(days=[date(2026, 12, 1)], reason="Krankenhaus"), zone=ZONE, now=NOW, request_id="b"
    )
    await people.erase_person(store, COORDINATOR, "person-a", now=NOW, request_id="erase")
    assert (await erase_due(store, now=NOW))["ambassadors"] == 1
    assert (await visits.get_visit(store, COORDINATOR, open_one.id)).state == "requested"
    stays = await visits.get_visit(store, COORDINATOR, sure.id)
    assert (stays.state, [each.ambassador_id for each in stays.team]) == ("confirmed", ["b"])
    assert [row["ambassador_id"] for row in await booked(store)] == ["b"]
    everything = [await store.db[name].find().to_list(None) for name in ("visits", "ambassadors", "bookings", "outbox")]
    for personal in ("Ada (Demo)", "ada@betrieb.example", "Krankenhaus"):
        assert personal not in str(everything)
    assert "ben@betrieb.example" in str(everything)
    assert (await erase_due(store, now=NOW))["ambassadors"] == 0


@pytest.mark.parametrize("crashed", [False, True])
async def test_an_ambassador_who_loses_the_role_frees_the_visits_and_can_begin_anew_elsewhere(
    store, monkeypatch, crashed
):
    later = [date_given(MONDAY + timedelta(days=n)) for n in (14, 15)]
    sure, open_one = await confirmed(store), await asked(store, *later)
    await propose(store, open_one, "a", "c")
    role = RoleGiven(kind="ambassador", organisation_id="works")
    if crashed:
        monkeypatch.setattr(people, "forget_former", lambda *_: asyncio.sleep(0))
    await people.remove_role(store, COORDINATOR, "person-a", role, now=NOW, request_id="remove")
    if crashed:
        assert (await erase_due(store, now=NOW))["ambassadors"] == 1
    assert (await erase_due(store, now=NOW))["ambassadors"] == 0
    assert (await visits.get_visit(store, COORDINATOR, open_one.id)).state == "requested"
    stays = await visits.get_visit(store, COORDINATOR, sure.id)
    assert (stays.state, [each.ambassador_id for each in stays.team]) == ("confirmed", ["b"])
    assert await booked(store, "a") == [] and (await said(store, sure.id))[-1] == "VisitMemberLeft"
    assert "Ada (Demo)" in str(await store.db.outbox.find().to_list(None)), "the team is told by name"
    command = EnterAmbassador(name="Ada (Demo)", email="ada@betrieb.example", company_id="other")
    again = await ambassadors.enter_ambassador(store, COORDINATOR, command, now=NOW, request_id="again")
    assert (again.ambassador.id, again.ambassador.company_id, again.ambassador.active) == ("a", "other", True)
    await propose(store, await asked(store, *later), "a")
    with pytest.raises(rules.AlreadyAnAmbassador):
        await ambassadors.enter_ambassador(store, COORDINATOR, command, now=NOW, request_id="more")
    await people.erase_person(store, COORDINATOR, "person-a", now=NOW, request_id="erase")
    assert (await erase_due(store, now=NOW))["ambassadors"] == 1
    assert "Ada (Demo)" not in str(await store.db.outbox.find().to_list(None))


async def test_somebody_erased_after_losing_the_role_leaves_no_name_in_what_was_said(store):
    await confirmed(store)
    role = RoleGiven(kind="ambassador", organisation_id="works")
    await people.remove_role(store, COORDINATOR, "person-a", role, now=NOW, request_id="remove")
    await people.erase_person(store, COORDINATOR, "person-a", now=NOW, request_id="erase")
    assert (await erase_due(store, now=NOW))["ambassadors"] == 1
    assert "Ada (Demo)" not in str(await store.db.outbox.find().to_list(None))


async def test_a_person_without_the_role_is_not_proposed(store):
    gone = person_of(ambassador("a")).model_copy(update={"roles": ()})
    await store.db.people.update_one({"_id": gone.id}, {"$set": {"roles": []}})
    with pytest.raises(rules.AmbassadorHasLeft):
        await propose(store, await asked(store), "a")


async def test_an_unknown_visit_is_not_found(store):
    with pytest.raises(errors.VisitNotFound):
        await visits.get_visit(store, COORDINATOR, "none")


@pytest.mark.parametrize("seed", range(2))
async def test_a_storm_of_requests_breaks_no_rule(store, seed):
    """Proposals, answers, moves, cancellations and blocked days at once; the rules are checked in what is stored."""
    chance = random.Random(seed)
    await often(store, "a", per_week=2, per_campaign=5)
    days = [MONDAY + timedelta(days=n) for n in (0, 1, 3, 4, 7, 8)]

    def some_date():
        return date_given(chance.choice(days), chance.randint(7, 13), chance.choice([45, 90, 180]))

    found = []
    while len(found) < 12:
        with suppress(RuleBroken):
            found.append(await asked(store, some_date(), some_date()))

    def some_work():
        visit = chance.choice(found)
        member = chance.choice("abc")
        block = BlockDays(days=[chance.choice(days)])
        return chance.choice(
            [
                lambda: propose(store, visit, *chance.sample("abc", chance.randint(1, 2)), alternative=0),
                lambda: propose(store, visit, member, alternative=1),
                lambda: accept(store, visit, member),
                lambda: decline(store, visit, member),
                lambda: move(store, visit, some_date()),
                lambda: cancel(store, visit),
                lambda: ambassadors.block_days(
                    store, COORDINATOR, member, block, zone=ZONE, now=NOW, request_id=random_id()
                ),
            ]
        )

    for _ in range(4):
        outcomes = await asyncio.gather(*(outcome(some_work()()) for _ in range(15)))
        assert "ChangedMeanwhile" not in outcomes
        for member in "abc":
            await assert_rules_hold(store, member)
    await assert_bookings_follow_from_visits(store)


async def assert_rules_hold(store: Store, ambassador_id: str) -> None:
    who = await store.db.ambassadors.find_one({"_id": ambassador_id})
    rows = await booked(store, ambassador_id)
    for before, after in pairwise(rows):
        assert before["ends_utc"] <= after["starts_utc"]
    assert not {row["day"] for row in rows} & {each["day"] for each in who["blocked_days"]}
    assert max(Counter(row["week"] for row in rows).values(), default=0) <= who["limits"]["per_week"]
    assert len(rows) <= who["limits"]["per_campaign"]


async def assert_bookings_follow_from_visits(store: Store) -> None:
    rows = await booked(store)
    taken = {(row["visit_id"], row["ambassador_id"], row["state"], row["starts_utc"]) for row in rows}
    planned = set()
    for visit in (await visits.list_visits(store, COORDINATOR, limit=100))[0]:
        if visit.state in ("proposed", "confirmed"):
            state = "held" if visit.state == "proposed" else "confirmed"
            planned |= {(visit.id, member.ambassador_id, state, visit.chosen.starts_utc) for member in visit.team}
        assert (await said(store, visit.id)).count("VisitCancelled") == (visit.state == "cancelled")
    assert taken == planned
