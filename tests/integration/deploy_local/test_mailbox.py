"""The mailbox of the embedded start, over its real SMTP and HTTP sides."""

import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP, SMTPRecipientsRefused
from urllib.parse import urlsplit

import pytest

from tests.support.servers import MailServer, running_mail_server
from tests.support.waiting import wait_until


def mail(
    to: str = "anna@school.example", subject: str = "Betriebserkundung bestätigt", text: str = "Bis bald."
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "perspektive@agency.example", to, subject
    message["Message-ID"] = f"<{subject.encode().hex()}@agency.example>"
    message.set_content(text)
    message.add_alternative("<html><head></head><body><script>1</script>Schön</body></html>", subtype="html")
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    message.add_alternative(calendar, subtype="calendar", params={"method": "REQUEST"})
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    address = urlsplit(server.smtp_url)
    with SMTP(address.hostname or "", address.port or 0, timeout=10) as client:
        client.send_message(message)


def page(server: MailServer, path: str, **headers: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(urllib.request.Request(server.http_url + path, headers=headers), timeout=10) as answer:
        return answer.read().decode(), dict(answer.headers)


def test_an_accepted_mail_can_be_read_part_by_part(mail_server: MailServer) -> None:
    send(mail_server, mail())
    (found,) = mail_server.mails(to="ANNA@school", subject="erkundung")
    assert found["recipients"] == ["anna@school.example"]
    assert found["subject"] == "Betriebserkundung bestätigt"
    assert found["text"].strip() == "Bis bald."
    assert "Schön" in found["html"]
    assert found["calendar_method"] == "REQUEST" and "METHOD:REQUEST" in found["calendar"]
    assert ["From", "perspektive@agency.example"] in found["headers"]


def test_the_list_shows_the_newest_first_and_searches_by_address(mail_server: MailServer) -> None:
    for to in ("anna@school.example", "ben@company.example", "anna@school.example"):
        send(mail_server, mail(to=to, subject=f"Nr. {mail_server.count() + 1}"))
    everything, _ = page(mail_server, "/")
    assert everything.index("Nr. 3") < everything.index("Nr. 2") < everything.index("Nr. 1")
    annas, _ = page(mail_server, "/?to=anna%40school")
    assert "Nr. 3" in annas and "Nr. 1" in annas and "Nr. 2" not in annas


def test_a_mail_delivered_twice_counts_once_among_the_unique_ones(mail_server: MailServer) -> None:
    send(mail_server, mail())
    send(mail_server, mail())
    assert mail_server.get("/api/count") == {"total": 2, "unique": 1}


def test_the_api_pages_through_all_mails_in_order(mail_server: MailServer) -> None:
    for number in range(5):
        send(mail_server, mail(subject=f"Nr. {number}"))
    first = mail_server.get("/api/mails", limit=3)
    rest = mail_server.get("/api/mails", limit=3, after=first["next"])
    assert [each["subject"] for each in first["items"] + rest["items"]] == [f"Nr. {number}" for number in range(5)]
    assert rest["next"] is None


def test_the_designed_version_runs_no_script_and_opens_links_in_new_tabs(mail_server: MailServer) -> None:
    send(mail_server, mail())
    html, headers = page(mail_server, f"/mails/{mail_server.mails()[0]['id']}/html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "allow-scripts" not in policy
    assert '<head><base target="_blank">' in html


def test_links_in_a_text_can_be_followed_and_markup_stays_text(mail_server: MailServer) -> None:
    send(mail_server, mail(text="<b>fett</b> http://127.0.0.1:8000/x?a=1&b=2."))
    html, _ = page(mail_server, f"/mails/{mail_server.mails()[0]['id']}")
    assert '<a href="http://127.0.0.1:8000/x?a=1&amp;b=2" rel="noreferrer">' in html
    assert "&lt;b&gt;fett&lt;/b&gt;" in html


def test_the_page_is_german_unless_the_browser_asks_for_english(mail_server: MailServer) -> None:
    assert "Keine Mails." in page(mail_server, "/")[0]
    assert "No mails." in page(mail_server, "/", **{"Accept-Language": "en-GB,en;q=0.9,de;q=0.5"})[0]


def test_a_recipient_can_ask_to_be_refused(mail_server: MailServer) -> None:
    with pytest.raises(SMTPRecipientsRefused) as refusal:
        send(mail_server, mail(to="anna+550@school.example"))
    assert refusal.value.recipients["anna+550@school.example"][0] == 550
    assert mail_server.count() == 0


def test_another_site_cannot_read_mails_under_a_name_of_its_own(mail_server: MailServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        page(mail_server, "/api/mails", Host="evil.example")
    assert refusal.value.code == 400


@pytest.fixture
def mailbox_of_its_own(tmp_path: Path) -> Iterator[MailServer]:
    with running_mail_server(tmp_path) as server:
        yield server


def test_every_accepted_mail_survives_a_kill(mailbox_of_its_own: MailServer) -> None:
    for number in range(1, 4):
        send(mailbox_of_its_own, mail(subject=f"Nr. {number}"))
        os.kill(mailbox_of_its_own.child.pid, signal.SIGKILL)
        wait_until(mailbox_of_its_own.child.has_ended)
        mailbox_of_its_own.child.start()
        assert mailbox_of_its_own.count() == number


def test_connections_made_while_the_mailbox_is_down_wait_for_it(mailbox_of_its_own: MailServer) -> None:
    os.kill(mailbox_of_its_own.child.pid, signal.SIGKILL)
    wait_until(mailbox_of_its_own.child.has_ended)
    address = urlsplit(mailbox_of_its_own.smtp_url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        mailbox_of_its_own.child.start()
        assert connection.recv(100).startswith(b"220 ")
