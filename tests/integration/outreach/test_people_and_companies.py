import asyncio

import pytest

from services.outreach.domain.companies import EnterCompany
from services.outreach.domain.people import (
    AddRoles,
    AlreadyErased,
    EnterPerson,
    LastCoordinator,
    OrganisationUnknown,
    RoleGiven,
)
from services.outreach.usecases.account import sign_out_everywhere
from services.outreach.usecases.companies import enter_company
from services.outreach.usecases.people import (
    add_roles,
    enter_person,
    erase_person,
    list_people,
    remove_role,
)
from services.outreach.usecases.sign_in import AskForSignIn, ask_for_sign_in
from tests.support.outreach import COORDINATOR, NOW, identity

COMPANY = EnterCompany(
    name="Musterwerk", street="Weg 1", postal_code="57072", town="Siegen",
    contact={"name": "Alex Beispiel", "email": "alex@musterwerk.example", "phone": "1"},
)  # fmt: skip


@pytest.fixture
async def company(store):
    return await enter_company(store, COORDINATOR, COMPANY, now=NOW, request_id="company")


def somebody(email, *kinds, organisation="agency"):
    roles = [RoleGiven(kind=kind, organisation_id=organisation) for kind in kinds]
    return EnterPerson(name="Alex Beispiel", email=email, roles=roles)


async def enter(store, command, request_id="request"):
    return await enter_person(store, COORDINATOR, command, now=NOW, request_id=request_id)


async def said(store, name):
    rows = store.db.outbox.find({"subject": f"outreach.{name}.v1"}).sort("order", 1)
    return [row["wire"] async for row in rows]


async def test_a_company_has_its_district_and_its_contact_the_role_in_one_write(store, company):
    contact = await store.db.people.find_one({"_id": company.contact_person_id})
    assert contact["roles"] == [{"kind": "company", "organisation_id": company.id}]
    assert (company.district_ags, company.municipality_ags) == ("05970", "05970040")
    assert [len(await said(store, name)) for name in ("CompanyChanged", "PersonChanged")] == [1, 1]


async def test_a_company_entered_twice_by_the_same_request_is_there_once(store, company):
    again = await enter_company(store, COORDINATOR, COMPANY, now=NOW, request_id="company")
    assert again == company
    assert len(await said(store, "CompanyChanged")) == 1


async def test_an_address_in_another_case_gives_the_known_person_the_role(store, company):
    again = await enter(store, somebody("ALEX@Musterwerk.EXAMPLE", "operator"))
    assert again.id == company.contact_person_id
    assert {role.kind for role in again.roles} == {"company", "operator"}
    assert await store.db.people.count_documents({}) == 1


async def test_the_same_address_entered_by_ten_at_once_is_one_person_with_all_roles(store, company):
    kinds = ["operator", "coordinator"] * 5
    await asyncio.gather(*(enter(store, somebody("neu@agentur.example", kind), str(n)) for n, kind in enumerate(kinds)))
    people = await store.db.people.find({"email_key": "neu@agentur.example"}).to_list(None)
    assert len(people) == 1
    assert {role["kind"] for role in people[0]["roles"]} == {"operator", "coordinator"}
    versions = [m["aggregateversion"] for m in await said(store, "PersonChanged") if people[0]["_id"] in m["subject"]]
    assert sorted(versions) == list(range(1, len(versions) + 1))


async def test_a_role_in_an_organisation_that_does_not_exist_is_refused(store):
    with pytest.raises(OrganisationUnknown):
        await enter(store, somebody("toni@schule.example", "teacher", organisation="000000"))
    assert await store.db.people.count_documents({}) == 0


async def test_roles_that_are_there_already_make_no_second_message(store, company):
    command = AddRoles(roles=[RoleGiven(kind="company", organisation_id=company.id)])
    await add_roles(store, COORDINATOR, company.contact_person_id, command, now=NOW, request_id="again")
    assert len(await said(store, "PersonChanged")) == 1


async def test_the_last_coordinator_stays(store):
    last = await enter(store, somebody("kim@agentur.example", "coordinator"))
    role = RoleGiven(kind="coordinator")
    with pytest.raises(LastCoordinator):
        await remove_role(store, COORDINATOR, last.id, role, now=NOW, request_id="1")
    with pytest.raises(LastCoordinator):
        await erase_person(store, COORDINATOR, last.id, now=NOW, request_id="2")
    await enter(store, somebody("neu@agentur.example", "coordinator"), "3")
    assert not (await remove_role(store, COORDINATOR, last.id, role, now=NOW, request_id="4")).roles


async def test_erasing_takes_the_person_out_of_documents_and_outbox_and_says_so_once(store, company):
    asked = AskForSignIn(email="alex@musterwerk.example")
    await ask_for_sign_in(store, asked, client="10.0.0.1", now=NOW, request_id="mail")
    person_id = company.contact_person_id
    await erase_person(store, COORDINATOR, person_id, now=NOW, request_id="erase")
    await erase_person(store, COORDINATOR, person_id, now=NOW, request_id="erase")
    with pytest.raises(AlreadyErased):
        await erase_person(store, COORDINATOR, person_id, now=NOW, request_id="second click")
    for name in await store.db.list_collection_names():
        async for document in store.db[name].find():
            assert "alex" not in str(document).lower(), f"{name}: {document}"
    newest = (await said(store, "PersonChanged"))[-1]
    assert (newest["aggregateversion"], newest["data"]["active"], newest["data"]["session_epoch"]) == (2, False, 2)


async def test_the_address_of_an_erased_person_can_be_entered_again(store, company):
    await erase_person(store, COORDINATOR, company.contact_person_id, now=NOW, request_id="erase")
    again = await enter(store, somebody("alex@musterwerk.example", "operator"))
    assert again.id != company.contact_person_id
    found, _ = await list_people(store, COORDINATOR, q="alex")
    assert [person.id for person in found] == [again.id]


async def test_signing_out_everywhere_raises_the_epoch_once_per_request(store, company):
    me = identity(("company", company.id), id=company.contact_person_id)
    for _ in range(2):
        await sign_out_everywhere(store, me, now=NOW, request_id="click")
    assert (await store.db.people.find_one({"_id": me.id}))["session_epoch"] == 2


async def test_the_api_refuses_wrong_fields_by_name_in_both_languages(api):
    body = {"name": "Kim\nBcc: x", "email": "kim", "roles": [], "colour": "red"}
    reasons = {}
    for language in ("de", "en"):
        answer = await api.post("people", body, headers={"Accept-Language": language})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        reasons[language] = {error["field"]: error["reason"] for error in answer.json()["errors"]}
    assert reasons["de"] == {
        "name": "Zeilenumbrüche und Steuerzeichen sind hier nicht erlaubt.",
        "email": "Das ist keine gültige E-Mail-Adresse.",
        "roles": "Mindestens 1 werden gebraucht.",
        "colour": "Ein Feld dieses Namens gibt es nicht.",
    }
    assert reasons["en"]["email"] == "This is not a valid e-mail address."


async def test_a_rule_that_is_broken_is_a_problem_in_german_by_default(api):
    answer = await api.client.get("/outreach/api/v1/people/nobody", headers={"Accept-Language": ""})
    assert answer.status_code == 404
    assert answer.json() == {
        "type": "https://perspektive.example/problems/person-not-found",
        "title": "Eine Person mit dieser ID gibt es nicht.",
        "status": 404,
        "detail": "Eine Person mit dieser ID gibt es nicht.",
    }


async def test_a_list_goes_on_after_its_cursor_and_ends(api, store):
    for number in range(5):
        await enter(store, somebody(f"{number}@agentur.example", "operator"), str(number))
    first = (await api.get("people", limit=3)).json()
    rest = (await api.get("people", limit=3, after=first["next"])).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)
    assert len({person["id"] for person in first["items"] + rest["items"]}) == 5
