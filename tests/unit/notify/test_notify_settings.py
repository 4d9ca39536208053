"""Without a relay there is no start, and no real address is reached by accident."""

import os
import subprocess
import sys

import pytest

from services.notify.settings import CannotStart, read_settings
from services.notify.smtp.relays import relay_of

PLAIN = {
    "MONGODB_URL": "mongodb://127.0.0.1:1/",
    "NATS_URL": "nats://127.0.0.1:1",
    "SECRET_KEY": "a-secret-of-at-least-32-characters-for-tests",
}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "SMTP_URL is not set: name the mail relay"),
        ({"SMTP_URL": "mail.region.example"}, "SMTP_URL must look like smtp://"),
        ({"SMTP_URL": "smtp://mail.region.example"}, "Set MAIL_FROM"),
        ({"SMTP_URL": "smtp://127.0.0.1:25", "MAIL_FROM": "nobody"}, "MAIL_FROM must be a mail address"),
        ({"SMTP_URL": "smtp://127.0.0.1:25 smtp://mail.region.example"}, "Set MAIL_FROM"),
        ({"SMTP_URL": "smtp://127.0.0.1:25 mail.region.example"}, "SMTP_URL must look like smtp://"),
        ({"SMTP_URL": "smtp://127.0.0.1:25?limit=3"}, "SMTP_URL has the unknown option limit"),
        ({"SMTP_URL": "smtp://127.0.0.1:25?connections=0"}, "SMTP_URL: connections must be a whole number above 0"),
        ({"SMTP_URL": "smtp://127.0.0.1:25?for=schule.example"}, "SMTP_URL must name one relay without `for`"),
        ({"SMTP_URL": "smtp://127.0.0.1:25?ca=none.pem"}, "SMTP_URL: ca=none.pem is no file with a certificate"),
        ({"SMTP_URL": "smtp://127.0.0.1:25", "BOUNCE_ADDRESS": "nobody"}, "BOUNCE_ADDRESS must be a mail address"),
        ({"SMTP_URL": "smtp://127.0.0.1:25", "BOUNCE_MAILBOX": "mail.example"}, "BOUNCE_MAILBOX must look like imaps"),
    ],
)
def test_a_missing_or_wrong_setting_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str
) -> None:
    for name in ("SMTP_URL", "MAIL_FROM", "MAIL_DOMAIN", "BOUNCE_ADDRESS", "BOUNCE_MAILBOX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**PLAIN, **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart) as caught:
        read_settings()
    assert str(caught.value).startswith(sentence) and "\n" not in str(caught.value)


def test_the_process_ends_with_that_sentence() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SMTP_URL"} | PLAIN
    command = [sys.executable, "-m", "services.notify", "--port", "0"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().startswith("SMTP_URL is not set") and len(ended.stderr.strip().splitlines()) == 1


def test_the_mail_domain_is_the_sender_s_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"SMTP_URL": "smtp://127.0.0.1:25", "MAIL_FROM": "Agentur <mail@region.example>"}
    for name, value in {**PLAIN, **given}.items():
        monkeypatch.setenv(name, value)
    assert read_settings().mail_domain == "region.example"


def test_tls_is_left_out_on_this_machine_only() -> None:
    assert not relay_of("smtp://127.0.0.1:1025").starttls
    assert not relay_of("smtp://localhost:1025").starttls
    assert relay_of("smtp://mail.region.example:587").starttls
    secure = relay_of("smtps://us%40er:p%3Aw@mail.region.example")
    assert (secure.implicit_tls, secure.starttls, secure.port) == (True, False, 465)
    assert (secure.user, secure.password) == ("us@er", "p:w")
