"""A company's ambassadors are asked first: the company learns nothing of an address, and who agrees visits for both."""

import re

import pytest

from services.outreach.domain.ambassadors import (
    AlreadyAnAmbassador,
    Ambassador,
    AmbassadorFieldUnknown,
    ChangeAmbassador,
    EnterAmbassador,
)
from services.outreach.domain.invitations import ActsHereAlready
from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.usecases import ambassadors
from services.outreach.usecases.colleagues import invite_ambassador, invited_ambassadors, remove_colleague
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.invitations import accept_invitation, decline_invitation
from services.outreach.usecases.people import enter_person, remove_role
from shared.errors import NotAllowed
from shared.ids import random_id
from tests.support.outreach import COORDINATOR, NOW, identity

pytestmark = pytest.mark.processes_only

WORKS, FORGE = "works", "forge"
ELSEWHERE, UNKNOWN = "ada@elsewhere.example", "neu@elsewhere.example"


@pytest.fixture(autouse=True)
async def companies(store):
    for id, name in ((WORKS, "Musterwerk"), (FORGE, "Schmiede")):
        await store.db.companies.insert_one({"_id": id, "name": name, "town": "Olpe", "active": True})
    for who, company_id in (("alex", WORKS), ("bo", FORGE)):
        role = RoleGiven(kind="company", organisation_id=company_id)
        command = EnterPerson(name=who.title(), email=f"{who}@{company_id}.example", roles=[role])
        await enter_person(store, COORDINATOR, command, now=NOW, request_id=who)


@pytest.fixture
async def people(store):
    found = {row["name"]: row["_id"] async for row in store.db.people.find()}
    alex = identity(("company", WORKS), id=found["Alex"])
    return {"alex": alex, "bo": identity(("company", FORGE), id=found["Bo"])}


def entering(email, company_id=WORKS, **more):
    facts = {"limits": {"per_week": 2, "per_campaign": 7}, "fields": ["M"], "home_postal_code": "57072", **more}
    return EnterAmbassador(name="Ada Muster", email=email, company_id=company_id, **facts)


async def enter(store, email, company_id):
    return await ambassadors.enter_ambassador(
        store, COORDINATOR, entering(email, company_id), now=NOW, request_id=random_id()
    )


async def ask(store, who, command):
    return await invite_ambassador(store, who, command.company_id, command, now=NOW, request_id=random_id())


async def token_for(store, email):
    said = {"subject": "outreach.ColleagueInvited.v1", "wire.data.email": email}
    row = await store.db.outbox.find_one(said, sort=[("order", -1)])
    return row["wire"]["data"]["token"]


async def agree(store, email):
    return await accept_invitation(store, await token_for(store, email), now=NOW, request_id=random_id())


def without_ids(text, email):
    text = re.sub(r'value="[^"]*"', 'value=""', text.replace(email, "ADDRESS"))
    return re.sub(r"/invitations/[^/]*/", "/invitations/ID/", text)


async def typed_by_a_company(store, browser, email):
    """What a company sees when it enters an address: the answer, the page, and what is kept of it."""
    await browser.get("/outreach/ambassadors")
    answer = await browser.send(
        "/outreach/ambassadors",
        {"company_id": WORKS, "name": "Ada Muster", "email": email, "language": "de", "limits.per_week": "1",
         "limits.per_campaign": "5", "fields": ["M"]},
    )  # fmt: skip
    page = await browser.get(answer.headers.get("location", "/outreach/ambassadors"))
    row = await store.db.invitations.find_one({"email_key": email})
    kept = {name for name in row if name != "_id"}
    path = f"/outreach/my-organisation/{WORKS}/invitations/{row['_id']}/withdraw"
    team = await browser.get("/outreach/my-organisation")
    shown = [without_ids(each.text, email) for each in (page, team)]
    await browser.send(path)
    return answer.status_code, answer.headers.get("location"), without_ids(answer.text, email), shown, kept


async def test_a_company_gets_the_same_answer_for_an_unknown_address_and_for_one_of_somebody_elsewhere(
    store, people, sign_in
):
    await enter(store, ELSEWHERE, FORGE)
    browser = await sign_in(people["alex"].id)
    known = await typed_by_a_company(store, browser, ELSEWHERE)
    unknown = await typed_by_a_company(store, browser, UNKNOWN)
    assert known == unknown
    assert known[:2] == (303, "/outreach/ambassadors?done=invited")
    assert "has not answered yet" in known[3][0] and "The invitation is on its way" in known[3][0]


async def test_who_is_asked_by_a_second_company_visits_schools_for_both_after_agreeing(store, people):
    before = await enter(store, ELSEWHERE, FORGE)
    await ask(store, people["alex"], entering(ELSEWHERE, limits={"per_week": 7, "per_campaign": 9}, fields=["EL"]))
    assert await ambassadors.list_ambassadors(store, people["alex"]) == ([], None), "nobody is taken without a yes"
    person = await agree(store, ELSEWHERE)
    assert {role.organisation_id for role in person.roles if role.kind == "ambassador"} == {WORKS, FORGE}
    row = await store.get("ambassadors", Ambassador, before.ambassador.id)
    assert row.companies == (FORGE, WORKS) and row.person_id == person.id
    assert (row.limits, row.fields) == (before.ambassador.limits, before.ambassador.fields), "the own settings stay"
    for who, name in (
        (people["alex"], "Musterwerk"),
        (people["bo"], "Schmiede"),
        (COORDINATOR, "Schmiede, Musterwerk"),
    ):
        [seen] = (await ambassadors.list_ambassadors(store, who))[0]
        assert seen.company_name == name
    assert (await ambassadors.list_ambassadors(store, people["alex"]))[0][0].ambassador.companies == (WORKS,)


async def test_who_is_new_begins_with_what_the_company_gave_and_nothing_of_it_stays_in_the_invitation(store, people):
    await ask(store, people["alex"], entering(UNKNOWN))
    assert [each.email for each in await invited_ambassadors(store, people["alex"], now=NOW)] == [UNKNOWN]
    assert await invited_ambassadors(store, people["bo"], now=NOW) == []
    await agree(store, UNKNOWN)
    [known] = (await ambassadors.list_ambassadors(store, people["alex"]))[0]
    me = known.ambassador
    assert (me.limits.per_week, me.limits.per_campaign, me.fields, me.home_postal_code) == (2, 7, ("M",), "57072")
    kept = str(await store.db.invitations.find().to_list(None))
    assert "57072" not in kept and UNKNOWN not in kept


async def test_a_no_leaves_nothing_of_what_the_company_gave(store, people):
    await ask(store, people["alex"], entering(UNKNOWN))
    await decline_invitation(store, await token_for(store, UNKNOWN), now=NOW, request_id="no")
    kept = str([await store.db[name].find().to_list(None) for name in ("invitations", "outbox", "ambassadors")])
    assert "57072" not in kept and UNKNOWN not in kept
    assert await invited_ambassadors(store, people["alex"], now=NOW) == []


async def test_only_who_is_in_the_own_list_already_is_refused_and_unknown_fields_are(store, people):
    await enter(store, UNKNOWN, WORKS)
    with pytest.raises(ActsHereAlready):
        await ask(store, people["alex"], entering(UNKNOWN))
    with pytest.raises(AmbassadorFieldUnknown):
        await ask(store, people["alex"], entering(ELSEWHERE, fields=["nonsense"]))
    for refused in (entering(ELSEWHERE, FORGE), entering(UNKNOWN, FORGE)):
        with pytest.raises(NotAllowed):
            await ask(store, people["alex"], refused)
    with pytest.raises(NotAllowed):
        await ambassadors.enter_ambassador(store, people["alex"], entering(ELSEWHERE), now=NOW, request_id="direct")
    with pytest.raises(AlreadyAnAmbassador):
        await enter(store, UNKNOWN, WORKS)


@pytest.mark.parametrize("crashed", [False, True])
@pytest.mark.parametrize(("left", "stays"), [(FORGE, WORKS), (WORKS, FORGE)])
async def test_who_leaves_one_of_two_companies_goes_on_for_the_other(store, people, monkeypatch, left, stays, crashed):
    await enter(store, ELSEWHERE, FORGE)
    await ask(store, people["alex"], entering(ELSEWHERE))
    person = await agree(store, ELSEWHERE)
    if crashed:
        monkeypatch.setattr("services.outreach.usecases.people.forget_former", _nothing)
        role = RoleGiven(kind="ambassador", organisation_id=left)
        await remove_role(store, COORDINATOR, person.id, role, now=NOW, request_id="gone")
        assert (await erase_due(store, now=NOW))["ambassadors"] == 1
    else:
        who = people["alex" if left == WORKS else "bo"]
        await remove_colleague(store, who, left, person.id, "ambassador", now=NOW, request_id="gone")
    row = await store.db.ambassadors.find_one({"person_id": person.id})
    assert (row["active"], row["company_id"], row["also_for"]) == (True, stays, [])
    assert (await erase_due(store, now=NOW))["ambassadors"] == 0
    asked = people["alex" if stays == WORKS else "bo"]
    assert len((await ambassadors.list_ambassadors(store, asked))[0]) == 1
    other = people["bo" if stays == WORKS else "alex"]
    assert (await ambassadors.list_ambassadors(store, other))[0] == []
    command = ChangeAmbassador(limits={"per_week": 3}, fields=[])
    with pytest.raises(NotAllowed):
        await ambassadors.change_ambassador(store, other, row["_id"], command, now=NOW, request_id="change")


async def test_an_ambassador_who_is_signed_in_and_agrees_comes_to_the_own_visits(store, people, sign_in):
    held = await enter(store, ELSEWHERE, FORGE)
    await ask(store, people["alex"], entering(ELSEWHERE))
    browser = await sign_in(held.person.id)
    page = await browser.get(f"/outreach/invitations/link?token={await token_for(store, ELSEWHERE)}")
    assert "At most 2 per week and 7 per campaign" in page.text and "your own settings stay" in page.text
    answer = await browser.send("/outreach/invitations/accept")
    assert (answer.status_code, answer.headers["location"]) == (303, "/outreach/my-visits")
    assert (await browser.get("/outreach/my-visits")).status_code == 200


async def _nothing(*_):
    return None
