"""Which schools a campaign has not reached, counted by hand, and for the coordinator alone."""

import pytest

from services.outreach.domain.campaigns import CampaignNotFound
from services.outreach.domain.coverage import STEPS, Share, shares
from services.outreach.usecases import coverage
from services.outreach.usecases.tables import left_out
from shared.errors import NotAllowed
from shared.schemas.events import RegistrationCancelled
from tests.support.outreach import NOW, campaign_body, confirmed, identity, offer, registration, self_found, slot

pytestmark = pytest.mark.processes_only

OFFICE = identity(("coordinator", "agency"))
ARNSBERG, SOEST, SIEGEN = "05958004", "05974040", "05970040"


def school(id: str, municipality: str, **more):
    facts = {
        "_id": id, "name": f"Schule {id}", "short_name": f"S {id}", "school_type": "15", "open": True, "pupils": 300,
        "municipality_ags": municipality, "district_ags": municipality[:5], "email": None, "version": 1,
    }  # fmt: skip
    return {**facts, **more}


@pytest.fixture
async def campaign(running, api) -> str:
    """Six schools: one reached by a tour, one by a visit, one by itself, one waits, two have nothing."""
    db = running.store.db
    made = await api.post("campaigns", campaign_body(districts=["05958", "05974"]))
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    await db.schools.insert_many([
        school("100022", ARNSBERG), school("visited", ARNSBERG), school("waits", ARNSBERG),
        school("nothing", SOEST, email="schule@schule.example"), school("left", SOEST), school("found", SOEST),
        school("primary", SOEST, school_type="02"), school("closed", SOEST, open=False), school("far", SIEGEN),
    ])  # fmt: skip
    receive = running.app.state.dispatcher.receive
    on = slot(offer(id))
    await receive(confirmed(registration(on, 1)).to_wire(), 1)
    waits = registration(on, 2, school_id="waits", state="waitlisted")
    await receive(confirmed(waits).to_wire(), 1)
    left = registration(on, 3, school_id="left", state="cancelled")
    said = RegistrationCancelled.about("registration:registration-3", 1, now=NOW, registration=left)
    await receive(said.to_wire(), 1)
    found = self_found(id).model_copy(update={"school_id": "found"})
    await receive(found.to_wire(), 1)
    await db.visits.insert_one({"_id": "v1", "campaign_id": id, "school_id": "visited", "state": "done"})
    return id


async def test_the_schools_that_got_nothing_are_those_found_by_hand(store, campaign):
    seen = await coverage.show_coverage(store, OFFICE, campaign)
    assert [(each.id, each.reach) for each in seen.schools] == [
        ("waits", "asked"), ("left", "nothing"), ("nothing", "nothing"),
    ]  # fmt: skip
    assert seen.by_municipality == {ARNSBERG: Share(ARNSBERG, 3, 2, 1), SOEST: Share(SOEST, 3, 1, 0)}
    assert (seen.left_out, seen.following) == (3, None)


async def test_a_chosen_municipality_and_type_narrow_the_list(store, campaign):
    seen = await coverage.show_coverage(store, OFFICE, campaign, municipality_ags=SOEST)
    assert [each.id for each in seen.schools] == ["left", "nothing"] and len(seen.by_municipality) == 2
    primary = await coverage.show_coverage(store, OFFICE, campaign, school_type="02")
    assert [each.id for each in primary.schools] == ["primary"]


async def test_a_withdrawn_record_reaches_nobody_any_more(store, running, campaign):
    gone = self_found(campaign, version=2, withdrawn=True).model_copy(update={"school_id": "found"})
    await running.app.state.dispatcher.receive(gone.to_wire(), 1)
    seen = await coverage.show_coverage(store, OFFICE, campaign)
    assert "found" in {each.id for each in seen.schools}


async def test_the_list_goes_on_where_it_stopped(store, campaign, monkeypatch):
    monkeypatch.setattr(coverage, "SHOWN", 2)
    first = await coverage.show_coverage(store, OFFICE, campaign)
    rest = await coverage.show_coverage(store, OFFICE, campaign, after=str(first.following))
    assert [each.id for each in (*first.schools, *rest.schools)] == ["waits", "left", "nothing"]
    assert rest.following is None


async def test_both_lists_are_files_that_have_all_of_them(store, campaign, monkeypatch):
    monkeypatch.setattr(coverage, "SHOWN", 2)
    batches = [batch async for batch in left_out.export_schools(store, OFFICE, campaign_id=campaign)]
    rows = [row for batch in batches for row in batch]
    assert [(row["id"], row["reach"]) for row in rows] == [
        ("waits", "asked"), ("left", "nothing"), ("nothing", "nothing"),
    ]  # fmt: skip
    assert {row["municipality"] for row in rows} == {"Arnsberg", "Soest"}
    (places,) = [batch async for batch in left_out.export_municipalities(store, OFFICE, campaign_id=campaign)]
    assert [(row["name"], row["schools"], row["reached"], row["left_out"]) for row in places] == [
        ("Arnsberg", 3, 2, 1), ("Soest", 3, 1, 2),
    ]  # fmt: skip
    for export in (left_out.export_schools, left_out.export_municipalities):
        with pytest.raises(NotAllowed):
            await anext(export(store, identity(("teacher", "waits")), campaign_id=campaign))


async def test_a_school_is_written_to_when_somebody_is_known(store, api, campaign, browser, sign_in, coordinator):
    teacher = {"name": "Erika Muster", "email": "erika@schule.example", "language": "de",
               "roles": [{"kind": "teacher", "organisation_id": "waits"}]}  # fmt: skip
    assert (await api.post("people", teacher)).status_code == 201
    seen = await coverage.show_coverage(store, OFFICE, campaign)
    assert {each.id: each.email for each in seen.schools} == {
        "waits": "erika@schule.example", "left": "", "nothing": "schule@schule.example",
    }  # fmt: skip
    await sign_in(coordinator)
    page = (await browser.get("/outreach/coverage")).text
    assert page.count("Write to the school") == 2 and page.count("no contact known") == 1
    assert 'aria-label="Soest: 2 of 3 schools have nothing"' in page
    assert "mailto:erika@schule.example" in page


async def test_only_the_coordinator_sees_who_got_nothing(store, campaign, api, browser, sign_in):
    for who in (identity(("teacher", "waits")), identity(("company", "c1")), identity(("operator", "agency"))):
        with pytest.raises(NotAllowed):
            await coverage.show_coverage(store, who, campaign)
    assert (await browser.get("/outreach/coverage")).status_code == 303
    teacher = {"name": "Erika Muster", "email": "erika@schule.example", "language": "de",
               "roles": [{"kind": "teacher", "organisation_id": "waits"}]}  # fmt: skip
    await sign_in((await api.post("people", teacher)).json()["id"])
    assert (await browser.get("/outreach/coverage")).status_code == 403


async def test_an_unknown_campaign_is_not_found(store, campaign, browser, sign_in, coordinator):
    with pytest.raises(CampaignNotFound):
        await coverage.show_coverage(store, OFFICE, "campaign-9")
    await sign_in(coordinator)
    assert (await browser.get("/outreach/coverage?campaign_id=x&municipality=%00&after=x")).status_code == 404


async def test_without_a_campaign_the_page_says_what_to_do(browser, sign_in, coordinator):
    await sign_in(coordinator)
    assert "Open the first campaign" in (await browser.get("/outreach/coverage")).text


@pytest.mark.parametrize(("reached", "schools", "step"), [(0, 3, 0), (1, 3, 2), (1, 4, 1), (2, 3, 3), (3, 3, STEPS)])
def test_the_step_says_how_large_the_share_is(reached, schools, step):
    assert Share("x", schools, reached, 0).step == step


def test_each_school_is_counted_once_in_its_municipality():
    counted = shares([(ARNSBERG, "reached"), (ARNSBERG, "asked"), (SOEST, "reached")])
    assert counted == {ARNSBERG: Share(ARNSBERG, 2, 1, 1), SOEST: Share(SOEST, 1, 1, 0)}
