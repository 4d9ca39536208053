"""The mail put together by hand is the mail that the standard library's message objects would have been."""

import email
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, default
from email.utils import parseaddr

from hypothesis import example, given
from hypothesis import strategies as st

from services.notify.mime import assemble

SURROGATES = ("Cs",)
NOT_IN_TEXT = "\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # the parser of the test splits lines at some of them
TEXTS = st.text(st.characters(exclude_categories=SURROGATES, exclude_characters=NOT_IN_TEXT), max_size=300)
LINES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=150).map(
    lambda text: " ".join(text.split())
)
NAMES = LINES.filter(lambda name: "=?" not in name)


def by_the_library(headers, text, html, calendar, policy) -> EmailMessage:
    message = EmailMessage(policy=policy)
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    if calendar:
        method, entry = calendar
        params = {"method": method, "charset": "utf-8"}
        content = entry.encode()
        message.add_alternative(content, maintype="text", subtype="calendar", params=params)
        file = {"maintype": "application", "subtype": "ics", "filename": "invite.ics"}
        message.add_attachment(content, params=params, **file)
    return message


def seen(message: EmailMessage) -> list[object]:
    """What a mail program makes of it: headers, kinds of parts with their parameters, contents."""
    found: list[object] = [(name, str(value)) for name, value in message.items() if "-" not in name]
    for part in message.walk():
        params = {**part["content-type"].params}
        params.pop("boundary", "")
        found.append((part.get_content_type(), params, part.get_content_disposition(), part.get_filename()))
        if not part.is_multipart():
            found.append(b"\n".join(part.get_payload(decode=True).splitlines()).rstrip(b"\n"))
    return found


@given(NAMES, NAMES, TEXTS, TEXTS, st.none() | TEXTS, st.booleans())
@example("Bestätigt: 8a", "Müller, Jörg", "ü" * 200, ".\nFrom \n..", "BEGIN:VCALENDAR\r\nx", False)
@example("x" * 300, "", "= \t\n=", "--=_boundary", None, True)
def test_a_mail_program_reads_the_same_as_from_the_standard_library(subject, name, text, html, entry, utf8):
    policy = SMTPUTF8 if utf8 else SMTP
    to = Address(name, "tässa" if utf8 else "tessa", "schule.example")
    headers = {"From": Address("Region", "r", "region.example"), "To": to, "Subject": subject}
    calendar = ("REQUEST", entry) if entry is not None else None
    raw = assemble(headers, text, html, calendar, policy)
    expected = email.message_from_bytes(
        by_the_library(headers, text, html, calendar, policy).as_bytes(), policy=default
    )
    assert seen(email.message_from_bytes(raw, policy=default)) == seen(expected)


@given(LINES, LINES, st.sampled_from(["=?utf-8?q?x?=", "=?", "=?utf-8?b?DQpCY2M6IHhAeC5leGFtcGxl?="]), st.booleans())
def test_what_only_looks_encoded_is_read_as_it_was_typed(before, after, word, utf8):
    typed = f"{before} {word} {after}".strip()
    headers = {"To": Address(typed, "tessa", "schule.example"), "Subject": typed}
    raw = assemble(headers, "", "", None, SMTPUTF8 if utf8 else SMTP)
    read = email.message_from_bytes(raw)  # the newer parser puts a space between two encoded words of a name
    assert str(make_header(decode_header(read["Subject"]))) == typed
    assert str(make_header(decode_header(parseaddr(read["To"])[0]))) == typed
    assert read.keys() == ["To", "Subject", "MIME-Version", "Content-Type"]


@given(subject=LINES, text=TEXTS, entry=TEXTS)
def test_no_line_is_longer_than_a_mail_server_takes_and_every_line_ends_in_crlf(subject, text, entry):
    headers = {"To": Address("", "tessa", "schule.example"), "Subject": subject}
    raw = assemble(headers, text, text, ("CANCEL", entry), SMTP)
    lines = raw.split(b"\r\n")
    assert raw.isascii() and all(len(line) <= 78 and b"\n" not in line and b"\r" not in line for line in lines)
