"""No more reminders: by a mail program's one click (RFC 8058) and on a page, and never of any other mail."""

from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import httpx
import pytest

from services.notify.samples import sample_deliveries
from services.notify.suppression import address_hash
from services.notify.usecases.writing import write_mail
from shared.schemas import events
from tests.integration.notify.test_pupil_pages import OLDER, ORIGIN, SECRET, Site
from tests.integration.notify.test_pupil_pages import site as site
from tests.support.notify_builders import NOW, STARTS, registration, said

pytestmark = pytest.mark.processes_only
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def reminded(site: Site, days: int = 14) -> EmailMessage:
    """The teacher's reminder so many days before; a mail program reads it."""
    site.world.clock.set(NOW + (STARTS.replace(tzinfo=NOW.tzinfo) - NOW) - timedelta(days=days))
    await site.world.send_all()
    return next(mail for mail in reversed(site.world.server.mails) if "tessa" in str(mail["To"]))


def link_in(mail: EmailMessage) -> str:
    """The address of the one click, exactly as a mail program takes it from the head."""
    head = mail.as_bytes(policy=mail.policy.clone(refold_source="none")).decode().split("\n\n")[0]
    lines = head.splitlines()
    (field,) = [line for line in lines if line.startswith("List-Unsubscribe:")]
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    address = field.removeprefix("List-Unsubscribe: <").removesuffix(">")
    assert address.startswith(f"{ORIGIN}/notify/unsubscribe/")
    return address


def mail_program(site: Site) -> httpx.AsyncClient:
    """It sends neither cookies nor an origin, and follows no redirect."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(site.app))  # type: ignore[arg-type]


async def test_one_click_ends_the_reminders_of_this_person_and_no_other_mail(site: Site) -> None:
    link = link_in(await reminded(site))
    async with mail_program(site) as program:
        answers = [await program.post(link, data=ONE_CLICK) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    (stop,) = await site.world.db.reminder_stops.find().to_list(None)
    assert stop["_id"] == address_hash("tessa@schule.example", SECRET) and "tessa" not in str(stop)
    site.world.server.mails.clear()
    site.world.clock.forward(timedelta(days=12))
    await site.world.send_all()
    cancelled = said(events.RegistrationCancelled, registration("cancelled", 2, cancelled_by="school"))
    await site.world.hear(cancelled)
    await site.world.send_all()
    to_teacher = [mail["Subject"].split(":")[0] for mail in site.world.server.mails if "tessa" in str(mail["To"])]
    assert to_teacher == ["Abgesagt"], "the reminder is left out, the cancellation is not"
    assert any("konrad" in str(mail["To"]) and "Erinnerung" in mail["Subject"] for mail in site.world.server.mails)
    rows = await site.world.deliveries(kind="slot_reminder", recipient_role="teacher", state="cancelled")
    assert {row["reason"] for row in rows} == {"unsubscribed"}


async def test_looking_at_the_link_changes_nothing_and_the_button_does_and_can_be_taken_back(
    site: Site,
) -> None:
    path = link_in(await reminded(site)).removeprefix(ORIGIN)
    before = await site.fingerprint()
    async with site.http() as http:
        for method in ("GET", "HEAD", "GET"):
            assert (await http.request(method, path)).status_code in (200, 405), method
        assert await site.fingerprint() == before
        assert "Keine Erinnerungen mehr?" in (await http.get(path)).text
        stopped = await http.post(path, data={"reminders": "stop"})
        assert (stopped.status_code, stopped.headers["location"]) == (303, path)
        assert "Es kommen keine Erinnerungen mehr" in (await http.get(path)).text
        await http.post(path, data={"reminders": "again"})
        assert "Keine Erinnerungen mehr?" in (await http.get(path)).text
    assert await site.world.db.reminder_stops.count_documents({}) == 0


async def test_a_forged_or_foreign_secret_or_a_form_from_elsewhere_stops_nothing(site: Site) -> None:
    link = link_in(await reminded(site))
    tokens = site.world.context.tokens
    confirmation = await site.world.delivery("registration_confirmed:reg1:1:teacher")
    transactional = tokens.unsubscribe_link(confirmation["message_id"])
    async with mail_program(site) as program:
        for wrong in (link[:-3] + "abc", f"{ORIGIN}/notify/unsubscribe/none", transactional):
            assert (await program.post(wrong, data=ONE_CLICK)).status_code == 404, wrong
        assert (await program.post(link, data={"reminders": "stop"})).status_code in (403, 422)
        assert (await program.post(link)).status_code in (403, 422)
    assert await site.world.db.reminder_stops.count_documents({}) == 0


async def test_a_pupil_s_one_click_withdraws_and_erases(site: Site) -> None:
    async with site.http() as http:
        await http.post(f"/notify/class/{site.secret}", data=OLDER)
        await site.world.send_all()
        (confirm,) = [link for link in site.links() if "/confirm/" in link]
        await http.post(confirm)
    site.world.clock.set(NOW + (STARTS.replace(tzinfo=NOW.tzinfo) - NOW) - timedelta(days=1))
    await site.world.send_all()
    reminder = next(mail for mail in site.world.server.mails if mail["List-Unsubscribe"] and "lena" in str(mail["To"]))
    async with mail_program(site) as program:
        assert (await program.post(link_in(reminder), data=ONE_CLICK)).status_code == 200
        assert (await program.post(link_in(reminder), data=ONE_CLICK)).status_code == 404, "nothing is known any more"
    assert await site.world.db.participants.count_documents({}) == 0
    assert await site.world.db.reminder_stops.count_documents({}) == 0


async def test_only_reminders_can_be_unsubscribed_from(site: Site) -> None:
    offered, told = set(), set()
    for delivery in sample_deliveries("de", STARTS, NOW):
        _, mail = await write_mail(site.world.context, delivery, now=NOW)
        offered |= {delivery.kind} if b"List-Unsubscribe:" in mail else set()
        parts = [
            part.get_content()
            for part in BytesParser(policy=default).parsebytes(mail).walk()
            if part.get_content_maintype() == "text"
        ]
        told |= {(delivery.kind, "/notify/unsubscribe/" in text) for text in parts[:2]}
    assert {kind for kind, is_told in told if is_told} == offered
    assert not any((kind, False) in told for kind in offered), "in the text and in the picture of it alike"
    assert offered == {"slot_reminder", "visit_reminder", "pupil_reminder", "reminder_digest"}
