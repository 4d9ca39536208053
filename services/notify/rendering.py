"""A delivery as a mail: subject, text and HTML from its folder below mails/, and the calendar part."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.notify import words
from services.notify.calendar import Entry, ics
from services.notify.domain import WITH_TOKEN, Delivery, Recipient, clean
from services.notify.mime import assemble
from services.notify.smtp.relays import ascii_domain
from services.notify.worded import Worded
from services.notify.wording import Parts
from services.notify.wording_fields import as_start, with_placeholders
from shared.answer_links import AnswerLinks

MAILS = Path(__file__).parent / "mails"
SECRET = "••••••"
PARTS = ("subject.txt", "body.txt", "body.html")


class AddressInvalid(Exception):
    """The recipient's address cannot be written to."""


@dataclass(frozen=True)
class Content:
    """What a person reads of a mail."""

    subject: str
    text: str
    html: str


class Writer:
    """Writes mails. `mail_from` may carry a name; `zone` is the region's, `domain` that of identifiers, and bounces
    come back to `bounce_address`. `links` are those by which teachers answer; without them mails have none."""

    def __init__(
        self, public_url: str, mail_from: str, domain: str, zone: str, bounce_address: str = "",
        links: AnswerLinks | None = None,
    ) -> None:  # fmt: skip
        self.domain = domain
        self.zone = zone
        self._public_url = public_url.rstrip("/")
        self._links = links
        name, self.sender = parseaddr(mail_from)
        self.bounce_address = bounce_address or self.sender
        self._sender_name = name or "Perspektive"
        self._from = Address(clean(self._sender_name), addr_spec=self.sender)
        self._environment = Environment(
            loader=FileSystemLoader(MAILS),
            autoescape=lambda template: ".html" in (template or ""),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # else each mail asks the disk a dozen times whether a template has changed
        )
        self._environment.filters["named"] = words.named
        self._worded = Worded(self._environment)

    def subject(self, kind: str, to: Recipient, facts: dict[str, Any]) -> str:
        """The subject line."""
        values = self._values(facts, to)
        return self._render(kind, "subject.txt", to, {**values, "calendar": "", "days": 0})

    def content(
        self, delivery: Delivery, now: datetime, secrets: bool = True, wording: Parts | None = None,
        unsubscribe: str = "",
    ) -> Content:  # fmt: skip
        """Subject, text and HTML, with the parts of `wording` in place of the standard ones, and with the address where
        such mails are ended, if any; without `secrets` what lets people in is masked (for the mail log). The errors of
        `Worded.write` when the wording cannot be used."""
        values = self.values(delivery, now) | {"unsubscribe": unsubscribe}
        if not secrets:
            _mask(values, delivery)
        return self._content(delivery, values, wording)

    def _content(self, delivery: Delivery, values: words.Values, wording: Parts | None = None) -> Content:
        if wording is None or wording.standard:
            parts = [self._render(delivery.kind, part, delivery.to, values) for part in PARTS]
            return Content(*parts)
        subject, text, html = self._worded.write(delivery.kind, delivery.to, wording, values)
        return Content(clean(subject) or self._render(delivery.kind, "subject.txt", delivery.to, values), text, html)

    def standard_parts(self, delivery: Delivery, now: datetime) -> Parts:
        """The standard words of what can be changed, with the fields' names in place of what they say."""
        kind, values = delivery.kind, with_placeholders(self.values(delivery, now) | {"calendar": ""})
        pieces, subject = self._worded.standard(kind, values), self._render(kind, "subject.txt", delivery.to, values)
        return Parts(*map(as_start, (subject, self._worded.heading(kind, values), pieces.before, pieces.after)))

    def mail(self, delivery: Delivery, now: datetime, content: Content | None = None, unsubscribe: str = "") -> bytes:
        """The whole mail, ready for SMTP, with the standard content when none is given, and with the address at which
        one click ends such mails (RFC 8058), if any; AddressInvalid when nobody can be written to at this address."""
        values, calendar = self.values(delivery, now), delivery.calendar
        content = content or self._content(delivery, values | {"unsubscribe": unsubscribe})
        headers = {
            "From": self._from,
            "To": _address(delivery.to),
            "Subject": content.subject,
            "Date": format_datetime(now.astimezone(UTC)),
            "Message-ID": delivery.message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": delivery.to.language,
        }
        entry = (calendar.method, ics(calendar, self._entry(delivery.to, values), now)) if calendar else None
        policy = SMTP if delivery.to.email.isascii() else SMTPUTF8
        return _one_click(unsubscribe) + assemble(headers, content.text, content.html, entry, policy)

    def envelope_id(self, delivery: Delivery) -> str:
        """What a bounce of this mail names it by (ENVID, RFC 3461): the Message-ID's local part."""
        return delivery.message_id.strip("<>").partition("@")[0]

    def calendar_text(self, delivery: Delivery, now: datetime) -> str:
        """The calendar part; an empty text for a mail without one."""
        values = self._values(delivery.facts or {}, delivery.to)
        return ics(delivery.calendar, self._entry(delivery.to, values), now) if delivery.calendar else ""

    def _entry(self, to: Recipient, values: words.Values) -> Entry:
        title, description, location = words.summary(values, to)
        date_ = values["visit"].chosen if "visit" in values else values["registration"].slot
        return Entry(
            summary=clean(title),
            description=description,
            location=clean(location),
            url=values["link"],
            starts_local=date_.starts_local,
            ends_local=date_.ends_local,
            zone=date_.zone,
            organizer=(clean(self._sender_name), self.sender),
            attendee=(clean(to.name), to.email),
        )

    def _values(self, facts: dict[str, Any], to: Recipient, kind: str = "") -> words.Values:
        """For mails of `kind`; by its name alone the links by which teachers answer are written."""
        if "reminders" in facts:
            return self._several(facts["reminders"], to, kind)
        if to.role in ("pupil", "parent"):
            return words.pupil_values(facts, to, self._public_url, self.zone)
        if "registration" in facts:
            values = words.registration_values(facts, to, self._public_url, self.zone)
            links = self._links if kind in words.WITH_ANSWERS else None
            return values | words.answer_values(values["registration"], to, links)
        if "visit" in facts:
            return words.visit_values(facts, to, self._public_url, self.zone)
        if "offer" in facts:
            return words.offer_values(facts, to, self._public_url)
        if "organisation" in facts:
            return words.invitation_values(facts, to, self._public_url, self.zone)
        if "suppression" in facts:
            return words.suppression_values(facts, self._public_url)
        if "webhook" in facts:
            return words.webhook_values(facts, self._public_url)
        return words.sign_in_values(facts, to, self._public_url, self.zone)

    def _several(self, reminders: list[dict[str, Any]], to: Recipient, kind: str) -> words.Values:
        """For a mail with several dates: of each its heading, its link and what its own mail would say of it."""
        dates = [self._one_of_several(self._values(facts, to, kind), to) for facts in reminders]
        pages = {"company": "/events/offers", "ambassador": "/outreach/my-visits"}
        return {"dates": dates, "link": self._public_url + pages.get(to.role, "/events/registrations")}

    def _one_of_several(self, values: words.Values, to: Recipient) -> words.Values:
        name = "visit" if "visit" in values else "tour"
        known = {"language": to.language, "role": to.role, **values}
        html, text = (
            self._environment.get_template(f"common/{name}.{part}.{to.language}").render(known)
            for part in ("html", "txt")
        )
        values.setdefault("cannot_come", "")
        return {**values, "title": words.summary(values, to)[0], "html": Markup(html), "text": text.strip()}

    def values(self, delivery: Delivery, now: datetime) -> words.Values:
        """What the templates of this mail can name."""
        values = self._values(delivery.facts or {}, delivery.to, delivery.kind)
        date_ = values["visit"].chosen if "visit" in values else None
        date_ = values["registration"].slot if "registration" in values else date_
        days = words.days_until(date_.starts_local, date_.zone, now) if date_ else 0
        method = delivery.calendar.method if delivery.calendar else ""
        return {**_common(delivery.to), **values, "calendar": method, "days": days}

    def _render(self, kind: str, part: str, to: Recipient, values: words.Values) -> str:
        template = self._environment.get_template(f"{kind}/{part}.{to.language}")
        text = template.render({**_common(to), **values})
        return clean(text) if part == "subject.txt" else _without_gaps(text).strip() + "\n"


def _without_gaps(text: str) -> str:
    """At most one empty line after another."""
    return re.sub(r"\n{3,}", "\n\n", text) if "\n\n\n" in text else text


def _one_click(address: str) -> bytes:
    """The fields of RFC 8058. EmailMessage would write a long address as encoded words, which no program follows."""
    post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    return f"List-Unsubscribe: <{address}>\r\n{post}\r\n".encode() if address else b""


def _common(to: Recipient) -> words.Values:
    return {"to": to, "name": clean(to.name), "role": to.role, "language": to.language, "unsubscribe": ""}


def _mask(values: words.Values, delivery: Delivery) -> None:
    """Hide what a reader of the mail log does not see."""
    for each in (values, *values.get("dates", ())):
        each |= {name: SECRET for name in _secret_of(delivery) if each.get(name)}


def _secret_of(delivery: Delivery) -> tuple[str, ...]:
    if delivery.to.role in ("pupil", "parent"):
        return ("link", "first_name")
    return ("link", "code") if delivery.kind in WITH_TOKEN else words.ANSWERS


def _address(to: Recipient) -> Address:
    local, _, domain = to.email.rpartition("@")
    try:
        if not re.fullmatch(r"[^\s\x00-\x1f\x7f@<>()\[\],;:\"\\]+", local) or not domain:
            raise ValueError("not an address")
        return Address(clean(to.name), local, ascii_domain(domain))
    except (ValueError, IndexError, UnicodeError) as error:
        raise AddressInvalid from error


def envelope_address(email: str) -> str:
    """The address as the SMTP server gets it: an internationalised domain in its ASCII form. AddressInvalid."""
    local, _, domain = email.rpartition("@")
    try:
        return f"{local}@{ascii_domain(domain)}"
    except UnicodeError as error:
        raise AddressInvalid from error
