import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.outreach.usecases.schools import close_schools, import_schools, list_schools
from shared import region
from tests.support.outreach import COORDINATOR, NOW

ROOT = Path(region.__file__).parents[1]

DATA = Path(region.__file__).parent / "data"
REGISTER = (DATA / "schuldaten.csv").read_bytes()
WHOLE_STATE_ROWS = 5_637


async def take(store, data=REGISTER, dry_run=False, request_id="request", pupils=None, now=NOW):
    return await import_schools(store, COORDINATOR, data, pupils, dry_run=dry_run, now=now, request_id=request_id)


async def said(store):
    return [
        row["wire"] async for row in store.db.outbox.find({"subject": "outreach.SchoolChanged.v1"}).sort("order", 1)
    ]


async def test_a_dry_run_says_what_would_be_and_writes_nothing(store):
    done = await take(store, dry_run=True)
    assert (done.created, done.changed, done.unchanged, len(done.set_aside), done.rows) == (482, 0, 0, 18, 500)
    assert await store.db.schools.count_documents({}) == 0
    assert await said(store) == []


async def test_an_import_writes_each_school_with_its_pupils_and_one_message(store):
    await take(store)
    school = await store.db.schools.find_one({"_id": "100022"})
    assert (school["pupils"], school["district_ags"], school["open"], school["version"]) == (790, "05958", True, 1)
    messages = await said(store)
    assert len(messages) == 482
    assert len({message["data"]["school_id"] for message in messages}) == 482


async def test_importing_the_same_file_again_changes_nothing_and_says_nothing(store):
    await take(store)
    again = await take(store, request_id="again")
    assert (again.created, again.changed, again.unchanged) == (0, 0, 482)
    assert len(await said(store)) == 482


async def test_only_the_school_that_differs_is_written_again_and_keeps_its_movable_days(store):
    await take(store)
    await store.db.schools.update_one({"_id": "100022"}, {"$set": {"movable_days": ["2027-02-08"]}})
    changed = await take(store, REGISTER.replace("Schützenstr. 12".encode(), b"Neue Str. 1"), request_id="again")
    assert (changed.created, changed.changed, changed.unchanged) == (0, 1, 481)
    assert changed.changes == (("100022", "Sekundarschule Medebach-Winterberg", ("street",)),)
    school = await store.db.schools.find_one({"_id": "100022"})
    assert (school["street"], school["version"], school["movable_days"]) == ("Neue Str. 1", 2, ["2027-02-08"])
    newest = (await said(store))[-1]
    assert (newest["aggregateversion"], newest["data"]["street"]) == (2, "Neue Str. 1")
    assert newest["data"]["movable_days"] == ["2027-02-08"]


async def test_broken_lines_are_reported_and_the_good_ones_are_in(store):
    lines = REGISTER.decode().splitlines()
    lines[2] = lines[2].replace('"EPSG:25832";"', '"EPSG:25832";"x', 1)
    lines[30] = lines[30].rsplit(";", 3)[0]
    done = await take(store, "\n".join(lines).encode())
    assert [error.line for error in done.errors] == [3, 31]
    assert (done.created, done.rows) == (480, 500)
    assert await store.db.schools.count_documents({}) == 480


async def test_an_import_that_was_cut_short_is_finished_by_its_retry(store):
    good = "\n".join(REGISTER.decode().splitlines()[:102]).encode()
    await take(store, good, request_id="request")
    done = await take(store, request_id="request")
    assert (done.created, done.unchanged) == (382, 100)
    assert len({message["id"] for message in await said(store)}) == 482


async def test_two_imports_at_the_same_time_enter_each_school_once(store):
    outcomes = await asyncio.gather(take(store, request_id="one"), take(store, request_id="two"))
    assert sum(outcome.created for outcome in outcomes) == 482
    assert len(await said(store)) == 482


async def test_another_file_of_pupil_numbers_is_joined(store):
    await take(store, pupils=b"schulnummer,schueler_2025_26\n100022,805\n")
    assert (await store.db.schools.find_one({"_id": "100022"}))["pupils"] == 805


async def test_a_school_is_noted_as_closed_the_day_after_its_last_one(store):
    await take(store)
    closing = await store.db.schools.find_one({"closes_on": {"$gt": NOW.date().isoformat()}})
    last_day = datetime.fromisoformat(closing["closes_on"]).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    midnight = last_day + timedelta(days=1)
    await close_schools(store, "Europe/Berlin", now=(midnight - timedelta(minutes=1)).astimezone(UTC))
    assert (await store.db.schools.find_one({"_id": closing["_id"]}))["open"]
    assert await close_schools(store, "Europe/Berlin", now=midnight.astimezone(UTC)), "in UTC it is still the last day"
    closed = await store.db.schools.find_one({"_id": closing["_id"]})
    assert not closed["open"]
    told = [m for m in await said(store) if m["data"]["school_id"] == closing["_id"]]
    assert told[-1]["data"]["open"] is False


async def test_schools_are_found_by_words_and_leafed_through_without_loss(store):
    await take(store)
    found, _ = await list_schools(store, COORDINATOR, q="SIEGEN gymnasium", school_type="20", limit=200)
    assert found
    assert all("siegen" in school.search and "gymnasium" in school.search for school in found)
    seen, after = [], None
    while True:
        part, after = await list_schools(store, COORDINATOR, limit=100, after=after)
        seen += [school.id for school in part]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 482


async def test_the_api_gives_line_by_line_reasons_in_the_asked_language(api):
    broken = REGISTER.replace(b'"EPSG:25832";"4', b'"EPSG:25832";"x4', 1)
    files = {"file": ("schuldaten.csv", broken, "text/csv")}
    answers = {}
    for language in ("de", "en"):
        answer = await api.post("imports/schools?dry_run=true", files=files, headers={"Accept-Language": language})
        assert answer.status_code == 200, answer.text
        answers[language] = answer.json()
    assert answers["de"]["counts"] == {"rows": 500, "schools": 481, "set_aside": 18, "errors": 1}
    error = answers["de"]["errors"][0]
    assert (error["line"], error["field"]) == (3, "UTMRechtswert")
    assert error["reason"] != answers["en"]["errors"][0]["reason"]
    assert answers["de"]["set_aside"][0]["reason"].startswith("Keine Schule")


async def test_the_api_takes_the_register_as_the_body_too(api):
    answer = await api.post(
        "imports/schools?dry_run=false", content=REGISTER, headers={"Content-Type": "text/csv; charset=utf-8"}
    )
    assert answer.json()["created"] == 482


async def test_a_file_that_is_no_register_is_a_problem_that_names_the_file(api):
    answer = await api.post(
        "imports/schools?dry_run=true", files={"file": ("x.csv", b"a;b\n1;2\n", "text/csv")},
        headers={"Accept-Language": "de"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/register-file-unreadable")
    assert "Kopfzeile fehlen Spalten" in answer.json()["detail"]


def whole_state() -> bytes:
    header, columns, *lines = REGISTER.decode().splitlines()
    rows = list(csv.reader(lines, delimiter=";"))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    for index in range(WHOLE_STATE_ROWS):
        writer.writerow([str(300_000 + index), *rows[index % len(rows)][1:]])
    return f"{header}\n{columns}\n{out.getvalue()}".encode()


@pytest.mark.processes_only
async def test_a_register_of_the_whole_state_is_in_with_less_than_200_mb(mongodb_url, tmp_path):
    path = tmp_path / "whole-state.csv"
    path.write_bytes(whole_state())
    command = [sys.executable, "-m", "benchmarks.school_import", "--file", str(path), "--database", "test_whole_state"]
    environment = {**os.environ, "MONGODB_URL": mongodb_url}
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["rows"] == WHOLE_STATE_ROWS
    assert measured["peak_mb"] < 200


@pytest.mark.parametrize("after", ["nonsense", "bnVsbA", "W10"])
async def test_a_cursor_that_was_not_given_out_is_refused(api, after):
    answer = await api.get("schools", after=after)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "after"
