"""Lists of outreach as files, and their import: nothing changes by an unchanged file, and every line is told about."""

import csv
import dataclasses
import io
import re
import zlib
from datetime import timedelta
from pathlib import Path

import pytest

from services.outreach.domain.ambassadors import EnterAmbassador
from services.outreach.domain.api_keys import IssueApiKey
from services.outreach.domain.companies import EnterCompany
from services.outreach.domain.feedback import SendFeedback
from services.outreach.domain.people import EnterPerson
from services.outreach.usecases.ambassadors import enter_ambassador
from services.outreach.usecases.api_keys import issue_api_key
from services.outreach.usecases.companies import enter_company
from services.outreach.usecases.erasure import erase_due
from services.outreach.usecases.feedback import send_feedback
from services.outreach.usecases.people import enter_person
from services.outreach.usecases.schools import import_schools
from shared import region
from shared.auth import hash_of_key
from shared.ids import random_id
from tests.support.outreach import COORDINATOR, NOW, campaign_body

pytestmark = pytest.mark.processes_only

REGISTER = (Path(region.__file__).parent / "data" / "schuldaten.csv").read_bytes()
EXPORTS = [
    "companies", "people", "ambassadors", "schools?district=05958", "visits", "campaigns",
]  # fmt: skip
IMPORTS = ["companies", "people", "ambassadors", "schools"]


@pytest.fixture
async def filled(store):
    """A company with its contact, an ambassador, and the schools of the region."""
    await import_schools(store, COORDINATOR, REGISTER, None, dry_run=False, now=NOW, request_id="register")
    contact = {"name": "Max Beispiel", "email": "max.beispiel@firma.example", "phone": "+49 2931 000"}
    given = {"name": "=Beispiel & Söhne", "postal_code": "59821", "town": "Arnsberg", "contact": contact}
    company = await enter_company(store, COORDINATOR, EnterCompany.model_validate(given), now=NOW, request_id="c")
    someone = {"name": "Ayse Azubi", "email": "ayse@firma.example", "company_id": company.id, "fields": ["M"]}
    field = next(iter(region.career_fields()))
    command = EnterAmbassador.model_validate({**someone, "fields": [field]})
    await enter_ambassador(store, COORDINATOR, command, now=NOW, request_id="a")
    roles = [{"kind": "company", "organisation_id": company.id}, {"kind": "teacher", "organisation_id": "100022"}]
    person = EnterPerson.model_validate({"name": "Toni", "email": "toni@schule.example", "roles": roles[:1]})
    await enter_person(store, COORDINATOR, person, now=NOW, request_id="p")
    return company


async def upload(browser, kind, data, name="list.csv"):
    """Upload a file; the page that says what it would do."""
    await browser.get(f"/outreach/import/{kind}")
    answer = await browser.send(f"/outreach/import/{kind}", files={"file": (name, data, "text/csv")})
    assert answer.status_code == 303, answer.text
    return await browser.get(answer.headers["location"])


async def confirm(browser):
    path = browser.page.request.url.path
    assert (await browser.send(path)).status_code == 303
    return await browser.get(path)


def counts(page):
    """(new, changed, unchanged, faults) of a page."""
    values = re.findall(r"<dd>(.*?)</dd>", page.text)
    return tuple(int(value) for value in values[2:6])


def table(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def packed(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", IMPORTS)
async def test_a_file_that_was_exported_unchanged_changes_nothing(kind, form, filled, running, coordinator, sign_in):
    browser = await sign_in(coordinator)
    exported = await browser.get(f"/outreach/{kind}.{form}")
    assert exported.status_code == 200
    page = await upload(browser, kind, exported.content, f"list.{form}")
    if "being checked" in page.text:
        await running.app.state.imports.work()
        page = await browser.get(page.request.url.path)
    new, changed, unchanged, faults = counts(page)
    assert (new, changed, faults) == (0, 0, 0), page.text
    assert unchanged > 0


async def test_an_import_that_fails_is_stopped_and_says_so(filled, running, store, coordinator, sign_in):
    browser = await sign_in(coordinator)
    bad = await upload(browser, "companies", (await browser.get("/outreach/companies.csv")).content)
    broken = {"content": zlib.compress(b"\xff\xfe\x00"), "state": "checking", "at": 0}
    await store.db.table_imports.update_many({}, {"$set": broken})
    assert [await running.app.state.imports.work() for _ in range(2)] == [1, 0]
    page = (await browser.get(bad.request.url.path)).text
    assert "was stopped" in page and "could not be worked through" in page


async def test_new_and_changed_lines_come_in_and_wrong_ones_are_named(filled, store, coordinator, sign_in):
    browser = await sign_in(coordinator)
    rows = table((await browser.get("/outreach/companies.csv")).content)
    rows[0]["Street [street]"] = "Neue Straße 7"
    fresh = dict.fromkeys(rows[0], "")
    rows.append({**fresh, "Name [name]": "Neu GmbH", "Postal code [postal_code]": "57072", "Town [town]": "Siegen"})
    rows.append({**fresh, "Name [name]": "Ohne Ort", "Postal code [postal_code]": "5707", "Active [active]": "maybe"})
    rows.append({**fresh, "Id [id]": "unknown", "Name [name]": "x"})
    page = await upload(browser, "companies", packed(rows))
    assert counts(page) == (1, 1, 0, 2)
    assert await store.db.companies.count_documents({}) == 1
    faults = table((await browser.client.get(page.request.url.path + "/errors.csv")).content)
    assert [(row["Line"], row["Column"], row["Value"]) for row in faults] == [
        ("4", "Active", "maybe"), ("4", "Postal code", "5707"), ("4", "Town", ""), ("5", "Id", "unknown"),
    ]  # fmt: skip
    assert all(row["What is wrong"] and row["Way out"] for row in faults)
    done = await confirm(browser)
    assert counts(done) == (1, 1, 0, 2)
    assert await store.db.companies.count_documents({}) == 2
    assert await store.db.companies.count_documents({"street": "Neue Straße 7"}) == 1
    again = await upload(browser, "companies", packed(rows))
    assert counts(again) == (0, 0, 2, 2)


async def test_people_get_and_lose_roles_and_keep_their_address_unique(filled, store, coordinator, sign_in):
    browser = await sign_in(coordinator)
    rows = {row["E-mail address [email]"]: row for row in table((await browser.get("/outreach/people.csv")).content)}
    roles = next(name for name in rows["toni@schule.example"] if name.endswith("[roles]"))
    rows["toni@schule.example"] |= {roles: "teacher:100022", "Name [name]": "Toni Muster"}
    rows["max.beispiel@firma.example"]["E-mail address [email]"] = "TONI@schule.example"
    rows["ayse@firma.example"][roles] = "teacher:999999"
    page = await upload(browser, "people", packed(list(rows.values())))
    assert counts(page)[1:] == (2, 1, 1), page.text
    done = await confirm(browser)
    assert counts(done)[1:] == (1, 1, 2)
    toni = await store.db.people.find_one({"email": "toni@schule.example"})
    assert (toni["name"], [role["kind"] for role in toni["roles"]]) == ("Toni Muster", ["teacher"])
    assert "Somebody else has this e-mail address already" in done.text


async def test_a_line_that_was_changed_since_the_export_is_refused(filled, store, coordinator, sign_in):
    browser = await sign_in(coordinator)
    rows = table((await browser.get("/outreach/companies.csv")).content)
    await store.db.companies.update_one({}, {"$set": {"town": "Sundern"}, "$inc": {"version": 1}})
    rows[0]["Street [street]"] = "Neue Straße 7"
    page = await upload(browser, "companies", packed(rows))
    assert counts(page) == (0, 0, 0, 1)
    assert "changed since the file was exported" in page.text


async def test_an_import_that_was_cut_off_goes_on_and_doubles_nothing(filled, running, coordinator, sign_in):
    browser, store = await sign_in(coordinator), running.store
    lines = "".join(f"Firma {number};59821;Arnsberg\n" for number in range(260))
    page = await upload(browser, "companies", ("name;postal_code;town\n" + lines).encode())
    imports = running.app.state.imports
    assert "being checked" in page.text and 'http-equiv="refresh"' in page.text
    await imports.work()
    assert counts(await browser.get(page.request.url.path)) == (260, 0, 0, 0)
    await browser.send(page.request.url.path)
    importer, done = imports.importers["companies"], 0

    async def dies_on_the_way(*arguments):
        nonlocal done
        done += 1
        if done == 120:
            raise KeyboardInterrupt
        await importer.write(*arguments)

    imports.importers["companies"] = dataclasses.replace(importer, write=dies_on_the_way)
    try:
        with pytest.raises(KeyboardInterrupt):
            await imports.work()
    finally:
        imports.importers["companies"] = importer
    half = await browser.get(page.request.url.path)
    assert "being imported" in half.text and "100 of 260 lines" in half.text
    await imports.work()
    assert counts(await browser.get(page.request.url.path)) == (260, 0, 0, 0)
    assert await store.db.companies.count_documents({"name": {"$regex": "^Firma"}}) == 260


async def test_a_file_is_erased_after_a_day_with_what_was_said_of_it(filled, store, clock, coordinator, sign_in):
    browser = await sign_in(coordinator)
    page = await upload(browser, "companies", b"name;postal_code;town\nGeheim;1;x\n")
    assert await store.db.table_import_lines.count_documents({}) == 1
    clock.forward(timedelta(hours=25))
    await erase_due(store, now=clock.now())
    assert await store.db.table_imports.count_documents({}) == 0
    assert await store.db.table_import_lines.count_documents({}) == 0
    assert (await store.db.erasure_receipts.find_one({"what": "table_imports"}))["count"] == 1
    assert (await browser.get(page.request.url.path)).status_code == 404


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("path", EXPORTS)
async def test_every_list_can_be_exported_in_both_languages(path, form, filled, coordinator, sign_in):
    browser = await sign_in(coordinator)
    name, _, query = path.partition("?")
    for language in ("de", "en"):
        browser.client.cookies.set("perspektive_language", language)
        answer = await browser.get(f"/outreach/{name}.{form}?{query}")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        assert "2026-11-02" in answer.headers["content-disposition"]


async def test_an_export_has_the_filters_of_its_list(filled, coordinator, sign_in):
    browser = await sign_in(coordinator)
    rows = table((await browser.get("/outreach/schools.csv?district=05958&q=arnsberg")).content)
    assert 0 < len(rows) < 60
    assert {row["District [district_ags]"] for row in rows} == {"Hochsauerlandkreis"}


async def test_the_report_is_a_file_too(api, coordinator, sign_in):
    campaign = (await api.post("campaigns", campaign_body())).json()
    browser = await sign_in(coordinator)
    rows = table((await browser.get(f"/outreach/campaigns/{campaign['id']}/report.csv")).content)
    assert rows[0]["Part [part]"] == "Whole campaign"
    assert {row["Part [part]"] for row in rows} == {"Whole campaign", "District"}


async def test_feedback_and_api_keys_are_files_without_the_keys(api, store, coordinator, sign_in):
    told = SendFeedback(text="Der Kontrast ist gering.", email="eva@schule.example")
    await send_feedback(store, told, client="c", language="de", now=NOW, request_id="told")
    await issue_api_key(
        store, COORDINATOR, IssueApiKey(name="Programm", scopes=["notify:read"]), "s3cret-key", now=NOW, request_id="k"
    )
    browser = await sign_in(coordinator)
    (row,) = table((await browser.get("/outreach/feedback.csv")).content)
    assert (row["Feedback [text]"], row["Done [done]"]) == ("Der Kontrast ist gering.", "no")
    assert table((await browser.get("/outreach/feedback.csv?done=true")).content) == []
    answer = await browser.get("/outreach/api-keys.csv")
    assert "Programm" in answer.text and "s3cret" not in answer.text and hash_of_key("s3cret-key") not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "companies.csv",
        "people.xlsx",
        "feedback.csv",
        "api-keys.csv",
        "schools.csv",
        "import/companies",
        "import/people",
    ],
)
async def test_nobody_but_coordinators_gets_these_lists(path, filled, store, browser, sign_in):
    answer = await browser.get(f"/outreach/{path}")
    assert answer.status_code == 303 and "sign-in" in answer.headers["location"]
    role = {"kind": "company", "organisation_id": filled.id}
    command = EnterPerson.model_validate({"name": "Eva", "email": "eva@firma.example", "roles": [role]})
    person = await enter_person(store, COORDINATOR, command, now=NOW, request_id=random_id())
    await sign_in(person.id)
    assert (await browser.get(f"/outreach/{path}")).status_code == 403


async def test_a_company_exports_its_own_ambassadors_and_imports_none(filled, store, browser, sign_in):
    role = {"kind": "company", "organisation_id": filled.id}
    other = {"kind": "company", "organisation_id": "other"}
    await store.db.companies.insert_one({**(await store.db.companies.find_one({})), "_id": "other"})
    for number, (mine, names) in enumerate(((role, ["Ayse Azubi"]), (other, []))):
        command = EnterPerson.model_validate({"name": "Eva", "email": f"eva{number}@firma.example", "roles": [mine]})
        person = await enter_person(store, COORDINATOR, command, now=NOW, request_id=random_id())
        browser = await sign_in(person.id)
        rows = table((await browser.get("/outreach/ambassadors.csv")).content)
        assert [row["Name [name]"] for row in rows] == names
        assert (await browser.get("/outreach/import/ambassadors")).status_code == 403
        files = {"file": ("x.csv", b"name\n", "text/csv")}
        form = {"csrf": "", "request_id": "x"}
        assert (await browser.client.post("/outreach/import/ambassadors", data=form, files=files)).status_code == 403
        assert (await browser.client.post("/outreach/import/ambassadors/1", data=form)).status_code == 403
        assert (await browser.get("/outreach/import/ambassadors/1/errors.csv")).status_code == 403


async def test_the_faults_of_a_school_register_are_a_file_too(running, coordinator, sign_in):
    browser = await sign_in(coordinator)
    await browser.get("/outreach/imports")
    broken = REGISTER.replace(b'"EPSG:25832";"4', b'"EPSG:25832";"=x4', 1)
    answer = await browser.send("/outreach/imports", files={"file": ("schuldaten.csv", broken, "text/csv")})
    path = answer.headers["location"]
    assert f'href="{path}/errors.csv"' in (await browser.get(path)).text
    (fault,) = table((await browser.get(f"{path}/errors.csv")).content)
    assert (fault["Line"], fault["Column"], fault["Value"][:3]) == ("3", "UTMRechtswert", "'=x")
    assert fault["What is wrong"] and fault["Way out"]


async def test_people_who_were_searched_for_are_a_file_without_a_name_in_an_address(filled, coordinator, sign_in):
    browser = await sign_in(coordinator)
    await browser.get("/outreach/people")
    answer = await browser.send("/outreach/people.csv", {"q": "toni"})
    assert [row["Name [name]"] for row in table(answer.content)] == ["Toni"]
    assert len(table((await browser.client.get("/outreach/people.csv?q=toni")).content)) > 1
    foreign = await browser.client.post("/outreach/people.csv", data={"q": "toni", "csrf": "x"})
    assert foreign.status_code == 403
