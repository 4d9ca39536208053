"""Notifications as mail servers write them, about a mail with a given Message-ID."""

from email.message import EmailMessage
from textwrap import dedent

ADDRESS = "tessa@schule.example"


def notification(
    message_id: str, diagnosis: str = "smtp; 550 5.1.1 No such user", status: str = "5.1.1", action: str = "failed",
    envelope_id: str = "", address: str = ADDRESS, own_id: str = "<n1@mx.example>",
) -> bytes:  # fmt: skip
    """A delivery status notification (RFC 3464)."""
    envelope = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    returned = f"Message-ID: {message_id}\n" if message_id else ""
    text = f"""\
From: MAILER-DAEMON@mx.example
To: mail@perspektive.example
Subject: Undelivered Mail Returned to Sender
Message-ID: {own_id}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system at host mx.example.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
{envelope}
Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnosis}

--b
Content-Type: text/rfc822-headers

From: mail@perspektive.example
{returned}Subject: Warteliste

--b--
"""
    return text.encode()


def complaint(message_id: str, kind: str = "abuse") -> bytes:
    """A complaint by way of the mail provider (RFC 5965)."""
    return dedent(f"""\
        From: feedback@provider.example
        To: mail@perspektive.example
        Subject: complaint
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="b"

        --b
        Content-Type: text/plain

        This is a complaint.

        --b
        Content-Type: message/feedback-report

        Feedback-Type: {kind}
        User-Agent: Provider/1.0
        Version: 1

        --b
        Content-Type: message/rfc822

        From: mail@perspektive.example
        Message-ID: {message_id}
        Subject: Warteliste

        Guten Tag
        --b--
        """).encode()


def in_words(message_id: str, address: str = ADDRESS) -> bytes:
    """As qmail writes it, by no standard."""
    return dedent(f"""\
        From: MAILER-DAEMON@qmail.example
        To: mail@perspektive.example
        Subject: failure notice

        Hi. This is the qmail-send program at qmail.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <{address}>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.

        Return-Path: <mail@perspektive.example>
        Message-ID: {message_id}
        Subject: Warteliste
        """).encode()


def holiday(message_id: str) -> bytes:
    """Nothing came back: somebody is away."""
    message = EmailMessage()
    message["From"], message["Subject"] = ADDRESS, "Abwesend: Warteliste"
    message["In-Reply-To"] = message_id
    message["Auto-Submitted"] = "auto-replied"
    message.set_content("Ich bin bis Montag nicht im Haus. 550 Kinder warten.")
    return message.as_bytes()
