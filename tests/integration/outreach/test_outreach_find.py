"""The search over schools, companies, people, campaigns and visits."""

import pytest

from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.store import words
from services.outreach.usecases.find import find_everything
from services.outreach.usecases.people import enter_person, erase_person
from services.outreach.usecases.schools import import_schools
from shared.errors import NotAllowed
from tests.integration.outreach.test_school_import import REGISTER
from tests.support.outreach import COORDINATOR, NOW, identity

pytestmark = pytest.mark.processes_only


@pytest.fixture
async def person(store):
    await import_schools(store, COORDINATOR, REGISTER, None, dry_run=False, now=NOW, request_id="schools")
    role = RoleGiven(kind="teacher", organisation_id="100022")
    command = EnterPerson(name="Toni Lehrkräftig", email="toni@schule.example", roles=[role])
    return await enter_person(store, COORDINATOR, command, now=NOW, request_id="teacher")


async def test_people_are_found_by_name_and_address_and_schools_by_number_and_town(store, person):
    for q in ("lehrkraftig", "TONI@schule.example", "ton lehr"):
        assert [each.id for each in (await find_everything(store, COORDINATOR, q)).people] == [person.id], q
    by_number = await find_everything(store, COORDINATOR, "100022")
    assert [each.id for each in by_number.schools] == ["100022"]
    town = by_number.schools[0].town
    assert "100022" in [each.id for each in (await find_everything(store, COORDINATOR, town)).schools]
    nothing = await find_everything(store, COORDINATOR, "oni")
    assert nothing.people == [], "words are found by their beginnings"


async def test_who_is_erased_is_not_found(store, person):
    await erase_person(store, COORDINATOR, person.id, now=NOW, request_id="erase")
    assert (await find_everything(store, COORDINATOR, "toni")).people == []
    row = await store.db.people.find_one({"_id": person.id})
    assert row["words"] == []


async def test_what_was_written_before_there_were_words_gets_them(store, person):
    await store.db.people.update_one({"_id": person.id}, {"$unset": {"words": ""}})
    assert (await find_everything(store, COORDINATOR, "toni")).people == []
    await words.create_indexes(store)
    assert [each.id for each in (await find_everything(store, COORDINATOR, "toni")).people] == [person.id]


async def test_only_coordinators_search(store):
    for roles in ([("teacher", "100022")], [("company", "c1")], [("operator", "agency")], []):
        with pytest.raises(NotAllowed):
            await find_everything(store, identity(*roles), "toni")


async def test_the_words_stand_in_no_address_and_others_take_the_hits_into_their_pages(sign_in, coordinator, person):
    office = await sign_in(coordinator)
    form = await office.get("/outreach/search")
    assert form.status_code == 200 and 'method="post" action="/outreach/search"' in form.text
    page = await office.send("/outreach/search", {"q": "toni"})
    assert page.status_code == 200 and "Toni Lehrkräftig" in page.text and "<html" in page.text
    assert 'hx-post="/events/search"' in page.text and 'formaction="/notify/search"' in page.text
    assert "toni" not in str(page.url)


async def test_a_search_from_elsewhere_is_refused(sign_in, coordinator, browser):
    office = await sign_in(coordinator)
    assert (await office.send("/outreach/search", {"q": "toni", "csrf": "forged"})).status_code == 403
