"""Signing in with the mailed code on a phone, and acting as one of several roles, in both languages."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.store.core import Store
from services.outreach.usecases.people import enter_person
from shared.ids import random_id
from shared.mongo import Database, database
from tests.browser.conftest import OpenPage
from tests.support.front_door import COORDINATOR, NOW, FrontDoor, World

WORDS = {
    "de": {
        "address": "E-Mail-Adresse", "send": "Mail schicken", "code": "Code aus der Mail", "enter": "Einloggen",
        "wrong": "Dieser Code stimmt nicht", "role": "Rolle", "switch": "Wechseln", "teacher": "Lehrkraft",
    },
    "en": {
        "address": "E-mail address", "send": "Send the mail", "code": "Code from the mail", "enter": "Sign in",
        "wrong": "This code is not right", "role": "Role", "switch": "Switch", "teacher": "Teacher",
    },
}  # fmt: skip


@pytest.fixture
async def outreach(door: FrontDoor, mongodb_url: str) -> AsyncIterator[Database]:
    async with database(mongodb_url, f"{door.prefix}_outreach") as db:
        yield db


async def entered(db: Database, name: str) -> str:
    """A teacher of two schools; returns the address."""
    for number in (1, 2):
        school = {"_id": f"10000{number}", "name": f"Musterschule {number}", "town": "Siegen", "open": True}
        await db.schools.replace_one({"_id": school["_id"]}, school, upsert=True)
    roles = [RoleGiven(kind="teacher", organisation_id=f"10000{number}") for number in (1, 2)]
    email = f"{name}-{random_id()[:8]}@schule.example"
    command = EnterPerson(name="Toni Muster", email=email, roles=roles)
    await enter_person(Store(db), COORDINATOR, command, now=NOW, request_id=random_id())
    return email


@pytest.mark.parametrize("language", ["de", "en"])
async def test_a_teacher_signs_in_with_the_code_on_a_phone_and_chooses_a_school(
    world: World, door: FrontDoor, outreach: Database, page_of: OpenPage, language: str
) -> None:
    words, email = WORDS[language], await entered(outreach, language)
    page = await page_of(language=language)
    await page.goto("/outreach/account")
    await page.get_by_label(words["address"]).fill(email)
    await page.get_by_role("button", name=words["send"]).click()
    assert email not in page.url
    mail = await outreach.outbox.find_one({"wire.data.email": email, "subject": "outreach.SignInRequested.v1"})
    assert mail is not None
    code = mail["wire"]["data"]["code"]
    await page.get_by_label(words["code"]).fill("abcdef")
    await page.get_by_role("button", name=words["enter"]).click()
    await expect(page.get_by_role("alert")).to_contain_text(words["wrong"])
    await page.get_by_label(words["code"]).fill(code)
    await page.get_by_role("button", name=words["enter"]).click()
    await expect(page).to_have_url(f"{door.url}/outreach/account")
    await page.get_by_label(words["role"], exact=True).select_option(label=f"Musterschule 2 ({words['teacher']})")
    await page.get_by_role("button", name=words["switch"]).click()
    await page.goto("/outreach/my-organisation")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Musterschule 2")
    answer = await page.goto("/outreach/my-organisation/100001")
    assert answer is not None and answer.status == 403
