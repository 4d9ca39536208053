"""Who acts for a school or company: inviting, accepting, removing, and acting as one of several roles."""

import asyncio
from datetime import timedelta

import pytest

from services.outreach.domain.ambassadors import EnterAmbassador
from services.outreach.domain.invitations import (
    ActsHereAlready,
    InvitationNotValid,
    InviteColleague,
    LastOne,
    RoleNotHere,
    TooManyInvitations,
)
from services.outreach.domain.people import AddRoles, EnterPerson, LastCoordinator, RoleGiven
from services.outreach.usecases.ambassadors import enter_ambassador
from services.outreach.usecases.colleagues import (
    get_team,
    invite_colleague,
    remove_colleague,
    withdraw_invitation,
)
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.invitations import accept_invitation, decline_invitation, see_invitation
from services.outreach.usecases.people import add_roles, enter_person, erase_person, remove_role
from shared.errors import NotAllowed
from shared.ids import random_id
from shared.web.callers import ACTING_COOKIE, SESSION_COOKIE
from tests.integration.outreach.conftest import Browser, http
from tests.support.outreach import COORDINATOR, NOW, identity

pytestmark = pytest.mark.processes_only

SCHOOL, OTHER, COMPANY = "100001", "100002", "c1"
NEW = "neu@schule.example"


@pytest.fixture
async def organisations(store):
    for id, name in ((SCHOOL, "Musterschule"), (OTHER, "Andere Schule")):
        await store.db.schools.insert_one(
            {"_id": id, "name": name, "short_name": name, "town": "Siegen", "open": True, "search": name.casefold()}
        )
    await store.db.companies.insert_one({"_id": COMPANY, "name": "Musterwerk", "town": "Olpe", "active": True})


async def enter(store, email, *roles):
    given = [RoleGiven(kind=kind, organisation_id=organisation) for kind, organisation in roles]
    command = EnterPerson(name=email.split("@")[0].title(), email=email, roles=given)
    return await enter_person(store, COORDINATOR, command, now=NOW, request_id=email)


@pytest.fixture
async def toni(store, organisations):
    return await enter(store, "toni@schule.example", ("teacher", SCHOOL))


@pytest.fixture
async def alex(store, organisations):
    return await enter(store, "alex@musterwerk.example", ("company", COMPANY))


def as_identity(person):
    return identity(*((role.kind, role.organisation_id) for role in person.roles), id=person.id)


def asking(email=NEW, kind="teacher"):
    return InviteColleague(name="Nele Neu", email=email, kind=kind)


async def invite(store, who, organisation=SCHOOL, command=None, request_id="invite", now=NOW):
    command = command or asking()
    return await invite_colleague(store, who, organisation, command, now=now, request_id=request_id)


async def mailed(store):
    rows = store.db.outbox.find({"subject": "outreach.ColleagueInvited.v1"}).sort("order", 1)
    return [row["wire"]["data"] async for row in rows]


async def token_of(store, person, **more):
    await invite(store, as_identity(person), **more)
    return (await mailed(store))[-1]["token"]


async def test_an_invited_colleague_who_accepts_acts_for_the_school(store, toni):
    token = await token_of(store, toni)
    assert (await see_invitation(store, token, now=NOW)).organisation_name == "Musterschule"
    assert await store.db.people.count_documents({}) == 1
    person = await accept_invitation(store, token, now=NOW, request_id="yes")
    assert [(role.kind, role.organisation_id) for role in person.roles] == [("teacher", SCHOOL)]
    team = await get_team(store, as_identity(person), SCHOOL, now=NOW)
    assert [member.name for member in team.people] == ["Nele Neu", "Toni"] and team.invited == []


async def test_of_twenty_clicks_on_accept_one_person_comes_and_all_succeed(store, toni):
    token = await token_of(store, toni)
    clicks = (accept_invitation(store, token, now=NOW, request_id="yes") for _ in range(20))
    assert len({person.id for person in await asyncio.gather(*clicks)}) == 1
    assert await store.db.people.count_documents({"email_key": NEW}) == 1


async def test_the_token_is_kept_as_a_hash_and_the_answer_takes_name_and_address_away(store, toni):
    token = await token_of(store, toni)
    assert token not in str(await store.db.invitations.find().to_list(None))
    await decline_invitation(store, token, now=NOW, request_id="no")
    await decline_invitation(store, token, now=NOW, request_id="no")
    for name in ("invitations", "outbox", "people"):
        assert "nele" not in str(await store.db[name].find().to_list(None)).lower(), name
        assert NEW not in str(await store.db[name].find().to_list(None)), name
    with pytest.raises(InvitationNotValid):
        await accept_invitation(store, token, now=NOW, request_id="yes")


async def test_an_unanswered_invitation_is_erased_after_fourteen_days(store, toni):
    token = await token_of(store, toni)
    late = NOW + timedelta(days=14)
    assert (await erase_due(store, now=late - timedelta(seconds=1)))["invitations"] == 0
    with pytest.raises(InvitationNotValid):
        await accept_invitation(store, token, now=late, request_id="yes")
    assert (await erase_due(store, now=late))["invitations"] == 1
    assert NEW not in str(await store.db.outbox.find().to_list(None))


async def test_asking_again_replaces_the_first_invitation(store, toni):
    first, second = await token_of(store, toni), await token_of(store, toni, request_id="again")
    with pytest.raises(InvitationNotValid):
        await see_invitation(store, first, now=NOW)
    assert await see_invitation(store, second, now=NOW)
    assert len((await get_team(store, as_identity(toni), SCHOOL, now=NOW)).invited) == 1


async def test_the_same_form_twice_sends_one_mail(store, toni):
    await token_of(store, toni)
    await token_of(store, toni)
    assert len(await mailed(store)) == 1


async def test_an_invitation_of_somebody_who_left_is_worth_nothing(store, toni):
    token = await token_of(store, toni)
    await enter(store, "zweite@schule.example", ("teacher", SCHOOL))
    await remove_colleague(store, as_identity(toni), SCHOOL, toni.id, "teacher", now=NOW, request_id="left")
    with pytest.raises(InvitationNotValid):
        await accept_invitation(store, token, now=NOW, request_id="yes")


async def test_a_withdrawn_invitation_is_worth_nothing(store, toni):
    asked = await invite(store, as_identity(toni))
    token = (await mailed(store))[0]["token"]
    await withdraw_invitation(store, as_identity(toni), SCHOOL, asked.id, now=NOW, request_id="no")
    with pytest.raises(InvitationNotValid):
        await see_invitation(store, token, now=NOW)
    with pytest.raises(InvitationNotValid):
        await see_invitation(store, "guessed", now=NOW)


@pytest.mark.parametrize(
    "who", [identity(("teacher", OTHER)), identity(("company", COMPANY)), identity(("ambassador", COMPANY)), identity()]
)
async def test_only_who_acts_for_the_school_looks_invites_and_removes(store, toni, who):
    for asked in (
        get_team(store, who, SCHOOL, now=NOW),
        invite(store, who),
        withdraw_invitation(store, who, SCHOOL, "any", now=NOW, request_id="x"),
        remove_colleague(store, who, SCHOOL, toni.id, "teacher", now=NOW, request_id="x"),
    ):
        with pytest.raises(NotAllowed):
            await asked


async def test_an_ambassador_does_not_look_after_the_companys_people(store, alex):
    with pytest.raises(NotAllowed):
        await get_team(store, identity(("ambassador", COMPANY)), COMPANY, now=NOW)


async def test_nobody_gives_a_task_that_the_organisation_does_not_have(store, toni, alex):
    for kind in ("company", "coordinator", "operator", "ambassador"):
        with pytest.raises(RoleNotHere):
            await invite(store, as_identity(toni), command=asking(kind=kind))
    with pytest.raises(RoleNotHere):
        await invite(store, as_identity(alex), COMPANY, asking(kind="teacher"))
    with pytest.raises(ActsHereAlready):
        await invite(store, as_identity(toni), command=asking("TONI@schule.example"))


async def test_twenty_invitations_an_hour_are_enough_for_one_person(store, toni):
    for number in range(20):
        await invite(store, as_identity(toni), command=asking(f"{number}@schule.example"), request_id=str(number))
    with pytest.raises(TooManyInvitations):
        await invite(store, as_identity(toni), command=asking("21@schule.example"), request_id="21")


async def test_the_last_one_leaves_only_when_that_is_confirmed(store, toni):
    who = as_identity(toni)
    with pytest.raises(LastOne):
        await remove_colleague(store, who, SCHOOL, toni.id, "teacher", now=NOW, request_id="x")
    left = await remove_colleague(store, who, SCHOOL, toni.id, "teacher", even_the_last=True, now=NOW, request_id="y")
    assert left.roles == () and left.erase_after == NOW + timedelta(days=30)


async def test_a_company_invites_an_ambassador_who_then_has_usual_limits(store, alex):
    token = await token_of(store, alex, organisation=COMPANY, command=asking("ari@betrieb.example", "ambassador"))
    person = await accept_invitation(store, token, now=NOW, request_id="yes")
    known = await store.db.ambassadors.find_one({"person_id": person.id})
    assert known["company_id"] == COMPANY and known["limits"]["per_week"] == 1


async def test_erasing_a_person_takes_the_invitations_to_and_from_her_away(store, toni):
    await token_of(store, toni, command=asking("nele@schule.example"))
    await enter(store, "zweite@schule.example", ("teacher", SCHOOL))
    await erase_person(store, COORDINATOR, toni.id, now=NOW, request_id="erase")
    assert await store.db.invitations.count_documents({}) == 0
    assert all(not mail["email"] and not mail["token"] for mail in await mailed(store))


async def test_a_teacher_invites_on_the_page_and_the_colleague_comes_in_by_the_mails(
    store, toni, browser, sign_in, running
):
    await sign_in(toni.id)
    page = await browser.get("/outreach/my-organisation")
    assert "Musterschule" in page.text and "Only one person acts here" in page.text
    sent = await browser.send(
        f"/outreach/my-organisation/{SCHOOL}/invite",
        {"name": "Nele Neu", "email": NEW, "kind": "teacher", "language": "en"},
    )
    assert sent.status_code == 303 and NEW not in sent.headers["location"]
    assert NEW in (await browser.get(sent.headers["location"])).text
    link = f"/outreach/invitations/link?token={(await mailed(store))[0]['token']}"
    async with http(running.app, **{"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}) as client:
        new = Browser(client)
        for _ in range(2):
            assert "asks you to act for Musterschule" in (await new.get(link)).text
        assert await store.db.people.count_documents({"email_key": NEW}) == 0, "looking changes nothing"
        accepted = await new.send("/outreach/invitations/accept")
        assert accepted.headers["location"].startswith("/outreach/sign-in/sent?request=")
        assert SESSION_COOKIE not in client.cookies
        await new.get(accepted.headers["location"])
        code = (await store.db.outbox.find_one({"subject": "outreach.SignInRequested.v1"}))["wire"]["data"]["code"]
        entered = await new.send("/outreach/sign-in/code", {"code": code})
        assert entered.status_code == 303
        assert "Toni" in (await new.get("/outreach/my-organisation")).text


async def test_a_form_with_mistakes_comes_back_with_what_was_typed(store, toni, browser, sign_in):
    await sign_in(toni.id)
    await browser.get("/outreach/my-organisation")
    path = f"/outreach/my-organisation/{SCHOOL}/invite"
    answer = await browser.send(path, {"name": "Nele Neu", "email": "nele", "kind": "teacher"})
    assert answer.status_code == 422 and 'value="Nele Neu"' in answer.text and 'id="email-error"' in answer.text


async def test_leaving_as_the_last_one_is_warned_of_first(store, toni, browser, sign_in):
    await sign_in(toni.id)
    path = f"/outreach/my-organisation/{SCHOOL}/people/{toni.id}/remove"
    page = await browser.get(f"{path}?kind=teacher")
    assert "Nobody else acts for Musterschule then." in page.text
    assert (await browser.send(path, {"kind": "teacher"})).status_code == 409
    answer = await browser.send(path, {"kind": "teacher", "last": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/outreach/account")


@pytest.mark.parametrize("forged", ["", "queen", "company"])
async def test_a_forged_kind_is_no_error_of_ours(store, toni, browser, sign_in, forged):
    await sign_in(toni.id)
    path = f"/outreach/my-organisation/{SCHOOL}/people/{toni.id}/remove"
    await browser.get("/outreach/account")
    assert (await browser.get(f"{path}?kind={forged}")).status_code in (404, 422)
    await browser.get("/outreach/account")
    assert (await browser.send(path, {"kind": forged})).status_code == 422


ROUTES = [
    ("GET", f"/outreach/my-organisation/{SCHOOL}"),
    ("POST", f"/outreach/my-organisation/{SCHOOL}/invite"),
    ("POST", f"/outreach/my-organisation/{SCHOOL}/invitations/any/withdraw"),
    ("GET", f"/outreach/my-organisation/{SCHOOL}/people/{{toni}}/remove?kind=teacher"),
    ("POST", f"/outreach/my-organisation/{SCHOOL}/people/{{toni}}/remove"),
]
FIELDS = {"name": "N", "email": NEW, "kind": "teacher", "last": "yes"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_page_of_the_team_is_for_its_own_people_and_for_nobody_else(
    store, toni, browser, sign_in, method, path
):
    path = path.format(toni=toni.id)
    await browser.get("/outreach/sign-in")
    answer = await (browser.get(path) if method == "GET" else browser.send(path, FIELDS))
    assert answer.status_code == 303 and answer.headers["location"].startswith("/outreach/sign-in")
    other = await enter(store, "andere@schule.example", ("teacher", OTHER))
    await sign_in(other.id)
    await browser.get("/outreach/account")
    answer = await (browser.get(path) if method == "GET" else browser.send(path, FIELDS))
    assert answer.status_code == 403
    assert (await store.db.people.find_one({"_id": toni.id}))["roles"]
    assert await store.db.invitations.count_documents({}) == 0


@pytest.fixture
async def both(store, organisations):
    return await enter(
        store, "viele@schule.example", ("teacher", SCHOOL), ("teacher", OTHER), ("coordinator", "agency")
    )


async def test_acting_as_one_role_only_its_rights_count(store, both, browser, sign_in):
    await sign_in(both.id)
    assert (await browser.get("/outreach/people")).status_code == 200
    await browser.get("/outreach/account")
    answer = await browser.send("/outreach/act-as", {"role": f"teacher:{SCHOOL}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/events/home")
    assert (await browser.get("/outreach/people")).status_code == 403
    assert (await browser.get(f"/outreach/my-organisation/{OTHER}")).status_code == 403
    assert (await browser.get(f"/outreach/my-organisation/{SCHOOL}")).status_code == 200
    page = await browser.get("/outreach/account")
    assert "acting now" in page.text and "Andere Schule (Teacher)" in page.text
    await browser.send("/outreach/act-as", {"role": ""})
    assert (await browser.get("/outreach/people")).status_code == 200


async def test_nobody_acts_as_what_she_does_not_hold(store, both, toni, browser, sign_in):
    await sign_in(toni.id)
    await browser.get("/outreach/account")
    for role in ("coordinator:agency", f"teacher:{OTHER}", "nonsense"):
        assert (await browser.send("/outreach/act-as", {"role": role})).status_code == 409
        assert ACTING_COOKIE not in browser.client.cookies
    browser.client.cookies.set(ACTING_COOKIE, "forged")
    assert (await browser.get("/outreach/account")).status_code == 200


async def test_a_choice_belongs_to_its_session(store, both, browser, sign_in):
    await sign_in(both.id)
    await browser.get("/outreach/account")
    await browser.send("/outreach/act-as", {"role": f"teacher:{SCHOOL}"})
    kept = browser.client.cookies[ACTING_COOKIE]
    await browser.send("/outreach/sign-out")
    assert ACTING_COOKIE not in browser.client.cookies
    await sign_in(both.id)
    browser.client.cookies.set(ACTING_COOKIE, kept)
    assert (await browser.get("/outreach/people")).status_code == 200


async def test_act_as_is_for_people_with_a_session(browser):
    await browser.get("/outreach/sign-in")
    answer = await browser.send("/outreach/act-as", {"role": "coordinator:agency"})
    assert answer.headers["location"].startswith("/outreach/sign-in")


async def test_a_person_of_several_schools_chooses_whose_people_to_see(store, both, browser, sign_in):
    await sign_in(both.id)
    page = await browser.get("/outreach/my-organisation")
    assert "Andere Schule" in page.text and f"/outreach/my-organisation/{SCHOOL}" in page.text


async def test_two_who_remove_each_other_at_once_do_not_leave_the_school_alone(store, toni):
    tessa = await enter(store, "tessa@schule.example", ("teacher", SCHOOL))
    for n in range(8):
        both = [(toni, tessa), (tessa, toni)]
        work = [
            remove_colleague(store, as_identity(who), SCHOOL, whom.id, "teacher", now=NOW, request_id=f"{n}{whom.id}")
            for who, whom in both
        ]
        found = await asyncio.gather(*work, return_exceptions=True)
        assert [type(each) for each in found].count(LastOne) == 1, found
        for person in (toni, tessa):
            await enter_again(store, person)


async def enter_again(store, person):
    role = RoleGiven(kind="teacher", organisation_id=SCHOOL)
    await add_roles(store, COORDINATOR, person.id, AddRoles(roles=[role]), now=NOW, request_id=random_id())


async def test_two_last_coordinators_cannot_remove_each_other_at_once(store):
    for n in range(8):
        both = [await enter(store, f"k{n}{m}@agentur.example", ("coordinator", "agency")) for m in "ab"]
        role = RoleGiven(kind="coordinator")
        work = [remove_role(store, COORDINATOR, each.id, role, now=NOW, request_id=f"{n}{each.id}") for each in both]
        found = await asyncio.gather(*work, return_exceptions=True)
        assert [type(each) for each in found].count(LastCoordinator) == 1, found
        await store.db.people.update_many({}, {"$set": {"active": False}})


async def test_an_ambassador_who_left_can_be_invited_by_another_company(store, alex):
    await store.db.companies.insert_one({"_id": "c2", "name": "Neuwerk", "town": "Olpe", "active": True})
    command = EnterAmbassador(name="Ada", email="ada@betrieb.example", company_id=COMPANY)
    held = await enter_ambassador(store, COORDINATOR, command, now=NOW, request_id="a")
    await remove_colleague(
        store, as_identity(alex), COMPANY, held.person.id, "ambassador", now=NOW, request_id="gone"
    )  # fmt: skip
    assert not (await store.db.ambassadors.find_one({"_id": held.ambassador.id}))["active"]
    new = await enter(store, "neu@neuwerk.example", ("company", "c2"))
    question = asking("ada@betrieb.example", "ambassador")
    token = await token_of(store, new, organisation="c2", command=question)
    await accept_invitation(store, token, now=NOW, request_id="yes")
    row = await store.db.ambassadors.find_one({"person_id": held.person.id})
    assert (row["company_id"], row["active"]) == ("c2", True)


async def test_whose_organisations_are_gone_is_told_so_and_nothing_breaks(store, toni, sign_in):
    await store.db.schools.delete_many({})
    page = await (await sign_in(toni.id)).get("/outreach/my-organisation")
    assert page.status_code == 403
