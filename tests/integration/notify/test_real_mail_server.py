"""Against Postfix and Dovecot of Debian's packages: TLS, login, a real bounce, and what a real IMAP client gets."""

import email
import email.policy
import imaplib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage

import icalendar
import pytest

from services.notify.bounce_mailbox import Mailbox, mailbox_of, read_mailbox
from services.notify.rendering import Writer
from services.notify.sender import Sender
from services.notify.smtp.failures import TryAgain
from services.notify.smtp.mailer import Mailer
from services.notify.smtp.relays import relays_of
from services.notify.smtp.transaction import Mail
from services.notify.suppression import address_hash
from services.notify.usecases.bouncing import hear_bounce
from shared.schemas import events
from tests.support.notify_builders import TEACHER, registration, said
from tests.support.notify_world import SECRET, World, part
from tests.support.postfix_dovecot import MailHost, running_mail_host, why_not
from tests.support.waiting import until

pytestmark = pytest.mark.processes_only
BOUNCES = "bounces@perspektive.example"


@pytest.fixture(scope="module")
def host() -> Iterator[MailHost]:
    """The running mail server; with CI=true its lack is a failure."""
    if reason := why_not():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with running_mail_host() as running:
        yield running


@pytest.fixture
def sending(world: World, host: MailHost) -> World:
    """The service, with the real server as its relay."""
    writer = Writer(
        "https://perspektive.example", "Perspektive <mail@perspektive.example>", "perspektive.example",
        "Europe/Berlin", BOUNCES,
    )  # fmt: skip
    context = replace(world.context, writer=writer)
    mailer = Mailer(relays_of(host.smtp_url), 20)
    return replace(world, context=context, mailer=mailer, sender=Sender(context, mailer, world.clock, 4))  # type: ignore[arg-type]


@contextmanager
def inbox_of(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    """A mail program that is signed in."""
    client = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=mailbox.tls_context(), timeout=20)
    client.login(mailbox.user, mailbox.password)
    client.select(mailbox.folder)
    yield client
    client.logout()


def mails_in(mailbox: Mailbox) -> list[EmailMessage]:
    with inbox_of(mailbox) as client:
        numbers = client.search(None, "ALL")[1][0].split()
        raw = [client.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers]  # type: ignore[index]
    return [email.message_from_bytes(each, policy=email.policy.default) for each in raw]  # type: ignore[misc]


async def test_a_calendar_entry_s_whole_life_reaches_a_real_mailbox(sending: World, host: MailHost) -> None:
    mailbox = mailbox_of(host.imap_url("tessa@schule.example"))
    contact = TEACHER.model_copy(update={"email": "tessa@schule.example"})
    await sending.hear(said(events.RegistrationConfirmed, registration("confirmed", 1, contact=contact)))
    await sending.hear(said(events.RegistrationResized, registration("confirmed", 2, contact=contact)))
    await sending.hear(
        said(events.RegistrationCancelled, registration("cancelled", 3, contact=contact, cancelled_by="school"))
    )
    await sending.send_all()
    await until(lambda: len(mails_in(mailbox)) == 3, 60)
    entries = []
    for mail in mails_in(mailbox):
        calendar = part(mail, "text/calendar")
        entry = icalendar.Calendar.from_ical(calendar.get_content())
        event = entry.walk("VEVENT")[0]
        assert calendar.get_param("method") == str(entry["METHOD"])
        assert mail["Return-Path"] == f"<{BOUNCES}>"
        entries.append((str(entry["METHOD"]), int(event["SEQUENCE"]), str(event["UID"])))
    uid = "registration-reg1-teacher@perspektive.example"
    assert sorted(entries, key=lambda each: each[1]) == [
        ("REQUEST", 0, uid), ("REQUEST", 1, uid), ("CANCEL", 2, uid),
    ]  # fmt: skip


async def test_a_real_bounce_comes_back_is_read_by_imap_and_suppresses(sending: World, host: MailHost) -> None:
    nobody = TEACHER.model_copy(update={"email": "niemand@schule.example"})
    await sending.hear(said(events.RegistrationWaitlisted, registration("waitlisted", contact=nobody)))
    await sending.send_all()
    key = "registration_waitlisted:reg1:1:teacher"
    assert (await sending.delivery(key))["state"] == "sent", host.logs()
    mailbox = mailbox_of(host.imap_url(BOUNCES))
    await until(lambda: bool(mails_in(mailbox)), 60)

    async def hear(content: bytes) -> str:
        return await hear_bounce(sending.context, content, now=sending.clock.now())

    assert await read_mailbox(mailbox, hear) == 1
    row = await sending.delivery(key)
    assert (row["state"], row["attempts"][-1]["outcome"]) == ("refused", "bounced")
    assert row["attempts"][-1]["answer"].startswith("550 5.1.1 <<address>> User doesn't exist")
    suppressed = await sending.db.suppressions.find_one({"_id": address_hash("niemand@schule.example", SECRET)})
    assert suppressed and suppressed["reason"] == "bounced"
    assert mails_in(mailbox) == [], "what was noted is not kept: it names a person"


async def test_what_is_no_bounce_of_ours_stays_in_the_mailbox_and_is_read_once(sending: World, host: MailHost) -> None:
    mailbox = mailbox_of(host.imap_url(BOUNCES))
    letter = b"From: a@schule.example\r\nSubject: Frage\r\n\r\nGuten Tag.\r\n"
    await sending.mailer.send(Mail("mail@perspektive.example", BOUNCES, letter))
    await until(lambda: bool(mails_in(mailbox)), 60)

    async def hear(content: bytes) -> str:
        return await hear_bounce(sending.context, content, now=sending.clock.now())

    assert [await read_mailbox(mailbox, hear) for _ in range(2)] == [1, 0]
    assert [mail["Subject"] for mail in mails_in(mailbox)] == ["Frage"]


async def test_a_wrong_password_or_an_unknown_authority_is_no_fault_of_the_mail(host: MailHost) -> None:
    mail = Mail("mail@perspektive.example", "tessa@schule.example", b"Subject: x\r\n\r\nx\r\n")
    for url, said_ in ((host.smtp_url.replace("geheim", "falsch"), "535"), (host.smtp_url.split("&ca=")[0], "certif")):
        with pytest.raises(TryAgain, match=said_):
            await Mailer(relays_of(url), 20).send(mail)


async def test_a_real_server_takes_addresses_beyond_ascii_and_keeps_every_letter(host: MailHost) -> None:
    content = "From: mail@perspektive.example\r\nTo: tessa@schule.example\r\nSubject: Grüße\r\n\r\näöü ß\r\n".encode()
    answer = await Mailer(relays_of(host.smtp_url), 20).send(
        Mail("mail@perspektive.example", "tessa@schule.example", content)
    )
    assert answer.startswith("250 2.0.0")
    mailbox = mailbox_of(host.imap_url("tessa@schule.example"))
    await until(lambda: any(mail["Subject"] == "Grüße" for mail in mails_in(mailbox)), 60)
