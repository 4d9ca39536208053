"""Visits and ambassadors as other programs use them."""

from datetime import timedelta

import pytest

from tests.support.visits_db import fill, said

MONDAY = "2026-11-09"
WISH = {
    "campaign_id": "campaign",
    "school_id": "100001",
    "field": "M",
    "grade": 8,
    "group": {"name": "8a", "pupils": 27},
    "contact": {"name": "Lehrkraft Muster", "email": "besuch@schule.example"},
    "alternatives": [
        {"starts_local": f"2026-11-{day:02}T08:00", "ends_local": f"2026-11-{day:02}T09:30"} for day in (9, 10, 11)
    ],
}


@pytest.fixture(autouse=True)
async def _filled(store):
    await fill(store)


async def new_ambassador(api, name: str, **more) -> dict:
    body = {
        "name": f"{name} Botschaft (Demo)",
        "email": f"{name.lower()}.botschaft@betrieb.example",
        "language": "de",
        "company_id": "works",
        "limits": {"per_week": 1, "per_campaign": 5},
        "fields": ["M"],
        "home_postal_code": "57072",
        **more,
    }
    answer = await api.post("ambassadors", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ask(api, **more) -> dict:
    answer = await api.post("visits", {**WISH, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_story_of_a_visit_as_the_demo_tells_it(api, store, clock):
    first, second = await new_ambassador(api, "Dora"), await new_ambassador(api, "Emil")
    visit = await ask(api)
    assert (visit["state"], visit["chosen"], visit["school_name"]) == ("requested", None, "Siegen, GH Beispiel")

    async def on(entry: dict, verb: str, body: dict):
        return await api.post(f"visits/{entry['id']}/{verb}", body)

    team = {"alternative": 0, "ambassador_ids": [first["id"]]}
    proposed = (await on(visit, "propose", team)).json()
    assert [(m["name"], m["answer"]) for m in proposed["team"]] == [("Dora Botschaft (Demo)", "open")]
    assert proposed["chosen"]["starts_local"] == "2026-11-09T08:00:00"
    assert proposed["chosen"]["starts_utc"] == "2026-11-09T07:00:00Z"
    declined = (await on(visit, "decline", {"ambassador_id": first["id"], "reason": "Prüfung"})).json()
    assert (declined["state"], declined["team"]) == ("requested", [])
    team = {"alternative": 0, "ambassador_ids": [second["id"]]}
    assert (await on(visit, "propose", team)).status_code == 200
    other = await ask(api, school_id="100002")
    refused = await on(other, "propose", team)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[1]) == (409, "ambassador-is-booked")
    assert "Emil Botschaft (Demo)" in refused.json()["detail"]
    assert (await on(visit, "accept", {"ambassador_id": second["id"]})).json()["state"] == "confirmed"
    again = await on(visit, "accept", {"ambassador_id": second["id"]})
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[1]) == (409, "already-accepted")
    assert (await on(other, "cancel", {"reason": "Klassenfahrt"})).json()["state"] == "cancelled"
    clock.forward(timedelta(days=8))
    done = await on(visit, "complete", {"pupils_reached": 27})
    assert (done.json()["state"], done.json()["pupils_reached"]) == ("done", 27)
    listed = (await api.get("visits", state="done")).json()
    assert [entry["id"] for entry in listed["items"]] == [visit["id"]] and listed["next"] is None
    assert (await api.get(f"visits/{visit['id']}")).json() == done.json()
    report = (await api.get("reports/campaigns/campaign")).json()
    assert (report["totals"]["visits"], report["totals"]["pupils_reached"]) == (1, 27)
    assert await said(store, visit["id"]) == [
        "VisitRequested", "VisitProposed", "VisitProposalDeclined", "VisitProposed", "VisitConfirmed", "VisitCompleted",
    ]  # fmt: skip


async def test_a_repeated_wish_is_one_visit(api, store):
    answers = [await api.post("visits", WISH, request_id="same") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await store.db.visits.count_documents({}) == 1


@pytest.mark.parametrize(
    ("starts", "ends", "slug", "field"),
    [
        ("2026-12-24T08:00", "2026-12-24T09:00", "visit-on-day-off", "starts_local"),
        ("2026-11-09T09:00", "2026-11-09T08:00", "visit-ends-before-it-starts", "ends_local"),
        ("2026-11-09T08:00", "2026-11-09T09:30", "alternatives-the-same", "starts_local"),
    ],
)
async def test_a_refused_date_is_named_with_the_reason(api, starts, ends, slug, field):
    alternative = {"starts_local": starts, "ends_local": ends}
    answer = await api.post("visits", {**WISH, "alternatives": [WISH["alternatives"][0], alternative]})
    problem = answer.json()
    assert (answer.status_code, problem["type"].rsplit("/", 1)[1]) == (422, slug)
    assert problem["errors"][0]["field"] == f"alternatives.1.{field}"
    assert problem["errors"][0]["reason"]


async def test_reasons_are_german_for_who_asks_in_german(api):
    day_off = {"starts_local": "2026-12-24T08:00", "ends_local": "2026-12-24T09:00"}
    body = {**WISH, "alternatives": [WISH["alternatives"][0], day_off]}
    answer = await api.post("visits", body, headers={"Accept-Language": "de"})
    assert "Weihnachtsferien" in answer.json()["detail"] and "schulfrei" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {**WISH, "alternatives": WISH["alternatives"][:1]},
        {**WISH, "alternatives": WISH["alternatives"] + WISH["alternatives"][:1]},
        {**WISH, "group": {"name": "8a\nBcc: x", "pupils": 27}},
        {**WISH, "group": {"name": "8a", "pupils": 0}},
        {**WISH, "contact": {"name": "x", "email": "no address"}},
        {**WISH, "state": "confirmed"},
        {**WISH, "alternatives": [{"starts_local": "2026-11-09T08:00Z", "ends_local": "2026-11-09T09:00Z"}] * 2},
    ],
)
async def test_what_is_not_a_wish_is_refused(api, body):
    assert (await api.post("visits", body)).status_code == 422


async def test_blocked_days_are_kept_told_and_freed(api):
    who = await new_ambassador(api, "Dora")
    days = {"days": [MONDAY], "weekdays": [3], "reason": "Berufsschule"}
    blocked = (await api.post(f"ambassadors/{who['id']}/blocked-days", days)).json()
    assert blocked["blocked_days"] == [{"day": MONDAY, "reason": "Berufsschule"}]
    assert blocked["blocked_weekdays"] == [{"weekday": 3, "reason": "Berufsschule"}]
    when = {"starts_local": f"{MONDAY}T08:00", "ends_local": f"{MONDAY}T09:00"}
    found = (await api.get("ambassadors/free", **when, visit_id=(await ask(api))["id"])).json()["items"]
    mine = next(item for item in found if item["ambassador_id"] == who["id"])
    assert (mine["free"], mine["rule"], mine["distance_km"] < 6) == (False, "ambassador-is-blocked", True)
    assert "Berufsschule" in mine["why_not"] and [item["free"] for item in found] == [True, True, True, False]
    freed = (await api.post(f"ambassadors/{who['id']}/unblocked-days", {"days": [MONDAY]})).json()
    assert freed["blocked_days"] == [] and len(freed["blocked_weekdays"]) == 1
    assert (await api.post(f"ambassadors/{who['id']}/blocked-days", {"reason": "x"})).status_code == 422
    assert (await api.get(f"ambassadors/{who['id']}")).json() == freed


async def test_ambassadors_are_listed_in_pages_and_entered_once(api):
    who = await new_ambassador(api, "Dora")
    seen, after = [], None
    while True:
        page = (await api.get("ambassadors", limit=2, **({"after": after} if after else {}))).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(seen) == sorted(["a", "b", "c", who["id"]])
    body = {"name": "Dora", "email": "DORA.botschaft@betrieb.example", "company_id": "other"}
    assert (await api.post("ambassadors", body)).json()["type"].endswith("already-an-ambassador")


async def test_a_key_without_the_scope_changes_nothing(api):
    issued = (await api.post("api-keys", {"name": "reader", "scopes": ["outreach:read"]})).json()
    headers = {"Authorization": f"Bearer {issued['key']}"}
    assert (await api.post("visits", WISH, headers=headers)).status_code == 403
    assert (await api.post("visits/none/cancel", {}, headers={"Authorization": "Bearer wrong"})).status_code == 401
    assert (await api.client.get("/outreach/api/v1/visits", headers=headers)).status_code == 200
