"""Pupils and a parent on a phone without JavaScript: from the class link to the reminder's page, and out again."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Class, OpenPage
from tests.browser.test_pages_behave import CHECK


async def fill_in(page: Page, name: str, email: str, age: str, parent: str = "") -> None:
    await page.get_by_label("Vorname").fill(name)
    await page.get_by_label("Deine Mail-Adresse").fill(email)
    await page.get_by_label(age, exact=True).check()
    await page.get_by_label("Mail-Adresse deiner Mutter").fill(parent)
    await page.get_by_role("button", name="Erinnert mich").click()


async def test_a_pupil_of_16_is_reminded_cannot_come_and_withdraws(school_class: Class, page_of: OpenPage) -> None:
    phone, lena = await page_of(), school_class.address("lena")
    await phone.goto(f"/notify/class/{school_class.secret}")
    await expect(phone.get_by_text("Beim Besuch bist du in jedem Fall dabei, auch ohne Mail-Adresse.")).to_be_visible()
    await fill_in(phone, "Lena", "", "16 oder älter")
    await expect(phone.get_by_role("alert")).to_contain_text("Deine Mail-Adresse")
    await expect(phone.get_by_label("Vorname")).to_have_value("Lena")
    await fill_in(phone, "Lena", lena, "16 oder älter")
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Jetzt schau in dein Postfach")

    await phone.goto(await school_class.link(lena, "confirm"))
    await phone.get_by_role("button", name="Ja, erinnert mich").click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Wir erinnern dich, Lena")
    await phone.get_by_role("button", name="Ich kann nicht kommen").click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Du kannst nicht kommen")

    teacher = await page_of("teacher", width=1280)
    await teacher.goto(f"/notify/class-links/{school_class.id}")
    await expect(teacher.get_by_role("row", name="Lena")).to_contain_text("kann nicht kommen")
    assert "post.example" not in await teacher.content()

    await phone.get_by_role("button", name="Ich kann doch kommen").click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Du bist dabei, Lena")
    await phone.get_by_role("button", name="Keine Erinnerungen mehr").click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Alles ist gelöscht")
    assert await school_class.db.participants.count_documents({"registration_id": school_class.id}) == 0


async def test_a_pupil_under_16_is_reminded_after_the_parents_yes(school_class: Class, page_of: OpenPage) -> None:
    phone, emil, mama = await page_of(), school_class.address("emil"), school_class.address("mama")
    await phone.goto(f"/notify/class/{school_class.secret}")
    await fill_in(phone, "Emil", emil, "unter 16", mama)
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Jetzt fragen wir deine Eltern")

    parent = await page_of()
    await parent.goto(await school_class.link(mama, "parent"))
    await expect(parent.get_by_role("heading", level=1)).to_have_text("Darf Emil erinnert werden?")
    assert await parent.locator("main button").count() == 2
    assert school_class.mails.count(to=emil) == 0, "nobody writes to the child before the answer"
    await parent.get_by_role("button", name="Ja, einverstanden").click()
    await expect(parent.get_by_role("heading", level=1)).to_have_text("Sie haben Ja gesagt")

    await phone.goto(await school_class.link(emil, "confirm"))
    await phone.get_by_role("button", name="Ja, erinnert mich").click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Wir erinnern dich, Emil")
    rows = school_class.db.deliveries.find({"kind": "pupil_reminder", "recipient": emil, "waiting": True})
    assert len(await rows.to_list(None)) == 2


async def test_a_parents_no_ends_it_at_once(school_class: Class, page_of: OpenPage) -> None:
    phone, mama = await page_of(), school_class.address("mama")
    await phone.goto(f"/notify/class/{school_class.secret}")
    await fill_in(phone, "Emil", school_class.address("emil"), "unter 16", mama)
    parent = await page_of()
    await parent.goto(await school_class.link(mama, "parent"))
    await parent.get_by_role("button", name="Nein, bitte nicht").click()
    await expect(parent.get_by_role("heading", level=1)).to_have_text("Alles ist gelöscht")
    await expect(parent.get_by_text("Danke für Ihre Antwort.")).to_be_visible()
    assert await school_class.db.participants.count_documents({"registration_id": school_class.id}) == 0
    assert school_class.mails.count(to=school_class.address("emil")) == 0


@pytest.mark.parametrize("language", ["de", "en"])
async def test_the_pages_fit_a_small_phone(school_class: Class, page_of: OpenPage, language: str) -> None:
    own = f"/notify/class-links/{school_class.id}"
    pages = [("teacher", own + end) for end in ("", "/sheet", "/renew", "/close")]
    pages += [("", f"/notify/class/{school_class.secret}"), ("", "/notify/mine/gone"), ("", "/notify/erased")]
    for person, path in pages:
        page = await page_of(person, language=language, width=320, scripts=True)
        await page.goto(path)
        assert await page.evaluate(CHECK.read_text()) == [], (path, language)
        await page.context.close()
