"""Each kind of mail in German and English: subject, facts, structure."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar

from services.notify import mails, words
from services.notify.domain import WITH_TOKEN, Delivery, Recipient
from services.notify.rendering import MAILS, AddressInvalid
from services.notify.samples import member
from tests.support.notify_builders import NOW
from tests.support.notify_letters import all_deliveries
from tests.support.notify_world import part, writer

TWO_DAYS_BEFORE = datetime(2026, 11, 29, 7, 0, tzinfo=UTC)
EVERY = [delivery for language in ("de", "en") for delivery in all_deliveries(language)]
SUBJECTS = Path(__file__).with_name("subjects.txt")


def name(delivery: Delivery) -> str:
    return f"{delivery.kind}-{delivery.to.tag}-{delivery.to.language}"


def parsed(delivery: Delivery) -> EmailMessage:
    return email.message_from_bytes(writer().mail(delivery, NOW), policy=email.policy.default)  # type: ignore[arg-type,return-value]


def test_every_kind_is_there_in_both_languages() -> None:
    assert {(delivery.kind, delivery.to.language) for delivery in EVERY} == {
        (kind, language) for kind in mails.KINDS for language in ("de", "en")
    }
    files = {"subject.txt.de", "subject.txt.en", "body.txt.de", "body.txt.en", "body.html.de", "body.html.en"}
    for kind in mails.KINDS:
        assert {path.name for path in (MAILS / kind).iterdir()} == files


def test_the_subjects_are_those_that_were_agreed_on() -> None:
    lines = [f"{name(delivery)}: {writer().content(delivery, NOW).subject}" for delivery in EVERY]
    assert lines == SUBJECTS.read_text().splitlines()


@pytest.mark.parametrize("delivery", EVERY, ids=name)
def test_a_mail_says_what_where_when_and_where_to_go(delivery: Delivery) -> None:
    content = writer().content(delivery, TWO_DAYS_BEFORE)
    for body in (content.text, content.html):
        assert "{{" not in body and "{%" not in body and "None" not in body
        assert "https://perspektive.example/" in body
        if delivery.kind in {*WITH_TOKEN, "address_suppressed", "webhook_paused", "offer_published", "offer_sent_back"}:
            continue
        assert ("Dienstag, 1. Dezember 2026" if delivery.to.language == "de" else "Tuesday, 1 December 2026") in body
        assert ("9:00 bis" if delivery.to.language == "de" else "9:00 to") in body
        assert "8a" in body and ("Siegen" in body or "Schulweg 3, 57462 Olpe" in body)
    assert "\n\n\n" not in content.text and max(map(len, content.subject.split("\n"))) < 150


@pytest.mark.parametrize("delivery", EVERY, ids=name)
def test_a_mail_follows_nobody(delivery: Delivery) -> None:
    html = writer().content(delivery, NOW).html
    assert not re.search(r"<img|<script|<link|url\(|@import|background=", html, re.IGNORECASE)
    assert html.startswith("<!doctype html>") and f'lang="{delivery.to.language}"' in html


@pytest.mark.parametrize("delivery", EVERY, ids=name)
def test_a_mail_has_the_structure_and_headers_it_must_have(delivery: Delivery) -> None:
    mail = parsed(delivery)
    types = [each.get_content_type() for each in mail.walk()]
    if delivery.calendar:
        assert types == [
            "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics",
        ]  # fmt: skip
    else:
        assert types == ["multipart/alternative", "text/plain", "text/html"]
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Message-ID"] == delivery.message_id
    assert mail["Date"].datetime == NOW
    assert all(ord(character) < 128 for character in writer().mail(delivery, NOW).decode("ascii"))
    assert all(len(line) <= 998 for line in writer().mail(delivery, NOW).split(b"\r\n"))


@pytest.mark.parametrize("delivery", [each for each in EVERY if each.calendar], ids=name)
def test_the_calendar_method_is_the_same_everywhere(delivery: Delivery) -> None:
    mail = parsed(delivery)
    inline, attached = part(mail, "text/calendar"), part(mail, "application/ics")
    assert inline["Content-Type"].params["charset"] == "utf-8"
    assert attached.get_filename() == "invite.ics"
    calendars = [Calendar.from_ical(each.get_payload(decode=True)) for each in (inline, attached)]
    methods = {str(calendar["METHOD"]) for calendar in calendars}
    methods |= {str(each["Content-Type"].params["method"]) for each in (inline, attached)}
    assert delivery.calendar and methods == {delivery.calendar.method}
    assert all(len(calendar.walk("VTIMEZONE")) == 1 for calendar in calendars)


def test_a_reminder_says_what_to_bring_how_to_get_there_and_whom_to_call() -> None:
    reminder = next(d for d in EVERY if d.kind == "slot_reminder" and d.to.role == "teacher" and d.to.language == "de")
    content = writer().content(reminder, TWO_DAYS_BEFORE)
    for body in (content.text, content.html):
        assert "In 2 Tagen" in body or body is content.text
        for fact in ("Feste, geschlossene Schuhe", "Mindestalter 14 Jahre", "Bus R16 bis Tor 1", "0271 98765"):
            assert fact in body


def test_a_company_reads_how_many_come_and_what_they_need() -> None:
    confirmed = next(d for d in EVERY if d.kind == "registration_confirmed" and d.to.role == "company")
    text = writer().content(confirmed, NOW).text
    assert "24 Schülerinnen und Schüler" in text and "Ein Rollstuhl" in text and "02761 1234" in text


def test_changed_facts_are_named_with_the_companys_message() -> None:
    changed = next(d for d in EVERY if d.kind == "offer_changed" and d.to.language == "de")
    content = writer().content(changed, NOW)
    for body in (content.text, content.html):
        for said in ("Werk 2, Beispielweg 1", "Feste, geschlossene Schuhe", "Wir sind umgezogen."):
            assert said in body, said


def test_what_the_coordinator_asks_for_stands_in_the_companys_mail() -> None:
    back = next(d for d in EVERY if d.kind == "offer_sent_back" and d.to.language == "en")
    content = writer().content(back, NOW)
    assert "Reason given: Bitte nennen Sie die Bushaltestelle." in content.text
    assert "/events/offers/" in content.html


def test_a_cancelled_date_no_longer_tells_what_to_bring() -> None:
    cancelled = next(d for d in EVERY if d.kind == "registration_cancelled")
    assert "Schuhe" not in writer().content(cancelled, NOW).text


def test_the_mail_log_shows_neither_the_link_nor_the_code_of_a_sign_in() -> None:
    sign_in = next(d for d in EVERY if d.kind == "sign_in")
    shown = writer().content(sign_in, NOW, secrets=False)
    for body in (shown.text, shown.html):
        assert "token-1" not in body and "482913" not in body


def test_names_with_markup_stay_text() -> None:
    declined = next(d for d in EVERY if d.kind == "registration_declined" and d.to.language == "de")
    facts = {"registration": {**(declined.facts or {})["registration"], "reason": "<script>alert(1)</script>"}}
    html = writer().content(replace(declined, facts=facts), NOW).html
    assert "<script>" not in html and "&lt;script&gt;" in html


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nBcc: x@y.example", "@schule.example", "a b@schule.example"])
def test_an_address_that_is_none_is_refused_before_anything_is_said(address: str) -> None:
    delivery = replace(EVERY[1], to=Recipient("teacher", "Tessa", address, "de"))
    with pytest.raises(AddressInvalid):
        writer().mail(delivery, NOW)


def test_names_are_told_as_a_person_would_say_them() -> None:
    ada, berta, erased = (member(n).model_copy(update={"name": name}) for n, name in enumerate(("Ada", "Berta", "")))
    assert words.named([ada], "und") == "Ada"
    assert words.named([ada, berta], "und", "Ihnen") == "Ihnen, Ada und Berta"
    assert words.named([erased, berta], "und") == "Berta"
    assert words.named([erased], "und") == ""
