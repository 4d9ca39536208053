import asyncio
from datetime import timedelta

import pytest

from services.outreach.consumer import HANDLERS
from services.outreach.domain.people import EnterPerson
from services.outreach.store.reports import COPIES
from services.outreach.usecases.bootstrap import ensure_api_key
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.people import enter_person
from services.outreach.usecases.schools import import_schools
from shared.auth import hash_of_key
from shared.schemas import events
from shared.schemas.events import OfferPublished
from shared.schemas.notify import DeliveryFailed
from shared.set_aside import forget_personal
from tests.integration.outreach.test_school_import import REGISTER
from tests.support.outreach import (
    COORDINATOR,
    NOW,
    campaign_body,
    confirmed,
    offer,
    opened,
    registration,
    self_found,
    slot,
)
from tests.support.waiting import until


async def everything(store):
    return {name: str(await store.db[name].find().to_list(None)) for name in await store.db.list_collection_names()}


async def test_a_key_is_shown_to_a_retry_again_and_stored_nowhere(api, store):
    body = {"name": "Schulverwaltung", "scopes": ["events:read"]}
    first = await api.post("api-keys", body, request_id="issue")
    again = await api.post("api-keys", body, request_id="issue")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    key = first.json()["key"]
    await store.db.counters.insert_one({"_id": "a write that is read only after all before it"})
    assert all(key not in text for text in (await everything(store)).values())
    row = await store.db.outbox.find_one({"subject": "outreach.ApiKeyChanged.v1", "wire.data.name": "Schulverwaltung"})
    assert row["wire"]["data"]["key_hash"] == hash_of_key(key)
    assert await store.db.api_keys.count_documents({"name": "Schulverwaltung"}) == 1


async def test_a_key_opens_what_its_scopes_say_and_nothing_once_revoked(api):
    issued = (await api.post("api-keys", {"name": "P", "scopes": ["outreach:read"]})).json()
    headers = {"Authorization": f"Bearer {issued['key']}"}
    assert (await api.client.get("/outreach/api/v1/schools", headers=headers)).status_code == 200
    refused = await api.post("people", {}, headers=headers)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (403, "scope-missing")
    assert (await api.post(f"api-keys/{issued['id']}/revoke", request_id="revoke")).json()["revoked"]
    assert (await api.post(f"api-keys/{issued['id']}/revoke")).status_code == 409

    async def refuses():
        return (await api.client.get("/outreach/api/v1/schools", headers=headers)).status_code == 401

    await until(refuses)


async def test_a_program_gives_no_scope_that_it_does_not_have(api):
    issued = (await api.post("api-keys", {"name": "P", "scopes": ["outreach:read", "outreach:write"]})).json()
    headers = {"Authorization": f"Bearer {issued['key']}"}
    refused = await api.post("api-keys", {"name": "Q", "scopes": ["outreach:read", "events:write"]}, headers=headers)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (403, "scope-not-held")
    assert (await api.post("api-keys", {"name": "Q", "scopes": ["outreach:read"]}, headers=headers)).status_code == 201


@pytest.mark.parametrize("kind", ["coordinator", "operator"])
async def test_a_program_makes_nobody_a_coordinator_or_operator(api, store, coordinator, kind):
    body = {"name": "Toni", "email": "toni@agentur.example", "roles": [{"kind": kind}]}
    for path, given in (("people", body), (f"people/{coordinator}/roles", {"roles": body["roles"]})):
        refused = await api.post(path, given)
        slug = refused.json()["type"].rsplit("/", 1)[1]
        assert (refused.status_code, slug) == (403, "only-people-give-agency-roles"), path
    assert await store.db.people.count_documents({}) == 1


async def test_without_a_key_or_with_a_wrong_one_nothing_is_answered(api):
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer psk_wrong"}):
        answer = await api.client.get("/outreach/api/v1/people", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_the_key_of_a_set_up_is_made_once_and_can_be_replaced(store):
    first = await ensure_api_key(store, "coordinator", NOW)
    assert await ensure_api_key(store, "coordinator", NOW) is None
    second = await ensure_api_key(store, "coordinator", NOW, replace=True)
    rows = {row["key_hash"]: row["revoked"] async for row in store.db.api_keys.find({"name": "coordinator"})}
    assert rows == {hash_of_key(first): True, hash_of_key(second): False}


async def test_a_campaign_is_opened_once_per_key_and_changed_with_one_message_each(api, store):
    first = await api.post("campaigns", campaign_body(), request_id="open")
    again = await api.post("campaigns", campaign_body(), request_id="open")
    assert (first.status_code, first.json()) == (201, again.json())
    path = f"campaigns/{first.json()['id']}"
    changed = (await api.post(f"{path}/change", campaign_body(name="Anders"))).json()
    assert (changed["name"], changed["version"], changed["phase"]) == ("Anders", 2, "offers")
    assert (await api.get(path)).json() == changed
    rows = store.db.outbox.find({"subject": "outreach.CampaignChanged.v1"}).sort("order", 1)
    assert [row["wire"]["aggregateversion"] async for row in rows] == [1, 2]


async def test_a_campaign_that_ends_before_it_starts_is_refused_with_the_field(api):
    answer = await api.post("campaigns", campaign_body(ends_on="2026-10-01"), headers={"Accept-Language": "de"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "ends_on", "reason": "Die Kampagne darf nicht enden, bevor sie beginnt."}
    ]


async def test_of_two_changes_at_once_each_gets_a_version_of_its_own_or_a_conflict(api):
    campaign_id = (await api.post("campaigns", campaign_body())).json()["id"]
    changes = (api.post(f"campaigns/{campaign_id}/change", campaign_body(name=f"Name {n}")) for n in range(5))
    answers = await asyncio.gather(*changes)
    done = [answer for answer in answers if answer.status_code == 200]
    assert done
    assert all(answer.status_code in (200, 409) for answer in answers)
    assert (await api.get(f"campaigns/{campaign_id}")).json()["version"] == 1 + len(done)


async def hear(running, *messages):
    for message in messages:
        await running.app.state.dispatcher.receive(message.to_wire(), 1)


@pytest.fixture
async def campaign_id(api, store):
    await import_schools(store, COORDINATOR, REGISTER, None, dry_run=False, now=NOW, request_id="schools")
    return (await api.post("campaigns", campaign_body())).json()["id"]


async def report(api, campaign_id):
    answer = await api.get(f"reports/campaigns/{campaign_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_report_counts_what_was_heard_by_district_school_type_and_field(running, api, store, campaign_id):
    metal, care = offer(campaign_id), offer(campaign_id, "c2", "05958", "G")
    await hear(
        running,
        opened(slot(metal)),
        opened(slot(metal, 2, 20)),
        opened(slot(care, 1, 40)),
        opened(slot(care, 2, 40, state="cancelled")),
        *(published(each) for each in (metal, care)),
        confirmed(registration(slot(metal), 1, 24)),
        confirmed(registration(slot(metal), 2, 20, state="attended", pupils_attended=18)),
        confirmed(registration(slot(care), 3, 15, state="no_show", school_id="131854")),
        confirmed(registration(slot(care), 4, 9, state="cancelled")),
        confirmed(registration(slot(offer("another"), 7), 5, 30)),
        self_found(campaign_id, 4),
    )
    visit = {"campaign_id": campaign_id, "field": "M", "pupils": 27, "contact": {}}
    await store.db.visits.insert_many(
        [
            {"_id": "v1", **visit, "school_id": "182278", "state": "done", "pupils_reached": 25},
            {"_id": "v2", **visit, "school_id": "182278", "state": "cancelled", "pupils_reached": None},
        ]
    )
    counted = await report(api, campaign_id)
    assert counted["totals"] == {
        "schools": 2, "groups": 3, "pupils": 59, "companies": 2, "visits": 1, "slots": 3, "places_offered": 90,
        "places_taken": 59, "places_attended": 18, "self_found_places": 4, "pupils_reached": 25,
    }  # fmt: skip
    districts = counted["by_district"]
    assert set(districts) == {"05958", "05970"}
    assert (districts["05970"]["slots"], districts["05970"]["companies"], districts["05970"]["visits"]) == (2, 1, 1)
    assert (districts["05958"]["groups"], districts["05958"]["self_found_places"]) == (3, 4)
    assert counted["by_field"]["G"]["pupils"] == 15
    assert counted["by_school_type"]["30"]["pupils_reached"] == 25
    assert counted["by_school_type"]["15"]["pupils"] == 59


def published(of):
    return OfferPublished.about(f"offer:{of.offer_id}", 1, now=NOW, offer=of)


async def test_messages_repeated_and_out_of_order_count_once_in_their_last_state(running, api, campaign_id):
    on = slot(offer(campaign_id))
    larger = confirmed(registration(on, 1, 26, version=3))
    await hear(running, larger, confirmed(registration(on, 1, 24, version=2)), larger)
    assert (await report(api, campaign_id))["totals"]["pupils"] == 26


async def test_a_withdrawn_self_found_place_no_longer_counts(running, api, campaign_id):
    await hear(running, self_found(campaign_id, 4), self_found(campaign_id, 4, 2, withdrawn=True))
    assert (await report(api, campaign_id))["totals"]["self_found_places"] == 0


async def test_the_copies_hold_nobody(running, store, campaign_id):
    on = slot(offer(campaign_id))
    await hear(running, published(on.offer), opened(on), confirmed(registration(on, 1)), self_found(campaign_id))
    kept = await everything(store)
    for name in COPIES:
        assert kept[name] != "[]"
        assert "toni" not in kept[name].lower()


def test_every_message_of_events_that_changes_a_figure_is_listened_to():
    said = {m for m in vars(events).values() if isinstance(m, type) and issubclass(m, events.EventsMessage)}
    nothing_yet = {events.OfferSentBack}  # an offer counts when it is published
    assert said - {events.EventsMessage, events.RegistrationMessage} - nothing_yet == set(HANDLERS) - {DeliveryFailed}


async def test_a_report_on_an_unknown_campaign_is_not_found(api):
    assert (await api.get("reports/campaigns/unknown")).status_code == 404


async def test_people_who_did_not_sign_in_for_two_years_are_erased_with_a_receipt(store, coordinator):
    body = {"name": "Toni", "email": "toni@agentur.example", "roles": [{"kind": "operator"}]}
    person_id = (await enter_person(store, COORDINATOR, EnterPerson(**body), now=NOW, request_id="toni")).id
    later = NOW + timedelta(days=729)
    assert (await erase_due(store, now=later))["people"] == 0
    later = NOW + timedelta(days=730)
    assert (await erase_due(store, now=later))["people"] == 1
    assert not (await store.db.people.find_one({"_id": person_id}))["active"]
    assert (await store.db.people.find_one({"_id": coordinator}))["active"], "the last coordinator stays"
    receipt = await store.db.erasure_receipts.find_one({"what": "people"})
    assert (receipt["count"], receipt["at"]) == (1, later)
    kept = await everything(store)
    kept.pop("idempotency")  # answers for retries; MongoDB deletes them after a day
    assert "toni" not in str(kept).lower()


async def test_contacts_leave_messages_that_have_been_set_aside_for_ninety_days_and_can_still_be_replayed(
    running, store, campaign_id
):
    message = confirmed(registration(slot(offer(campaign_id)), 1))
    facts = {"wire": message.to_wire(), "error": "KeyError", "attempts": 6}
    await store.db.set_aside.insert_one({"_id": message.id, **facts, "set_aside_at": NOW})
    assert await forget_personal(store.db, NOW + timedelta(days=89)) == 0
    assert await forget_personal(store.db, NOW + timedelta(days=90)) == 1
    assert await forget_personal(store.db, NOW + timedelta(days=91)) == 0
    assert (await store.db.erasure_receipts.find_one({"what": "set_aside"}))["count"] == 1
    assert "toni" not in str(await store.db.set_aside.find().to_list(None)).lower()
    await running.app.state.dispatcher.replay(message.id)
    assert await store.db.report_registrations.count_documents({}) == 1
