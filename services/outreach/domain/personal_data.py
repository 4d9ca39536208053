"""What is kept of people: which data in which collections of which service, what for, by what right, and until when.

The privacy page shows this table, and a test compares it with the collections that have a date of erasure.
"""

from dataclasses import dataclass

PUBLIC_TASK = "Public task (Art. 6(1)(e) GDPR)"
CONSENT = "Consent (Art. 6(1)(a) GDPR)"
SECURITY = "Legitimate interest in a safe service (Art. 6(1)(f) GDPR)"


IMPORTED = (
    "Imported lists: their lines with what they name of people",
    "Showing mistakes line by line before anything is written", PUBLIC_TASK, "24 hours after the upload",
)  # fmt: skip
BETWEEN = (
    "Messages between the parts of this system: names and addresses as far as the next part needs them",
    "Carrying registrations, visits and mails from one part to the next", PUBLIC_TASK,
    "7 days; of what could not be handled after 90 days, the record of what was thrown away after a year",
)  # fmt: skip
REPEATED = (
    "Answers to what was sent: as they were shown",
    "Doing nothing twice when something is sent twice", SECURITY,
    "24 hours",
)  # fmt: skip
ALL_SERVICES = ("outreach", "events", "notify")


@dataclass(frozen=True)
class Kept:
    """One kind of personal data. `until` may hold {days}: the value of the setting `days`."""

    service: str
    collections: tuple[str, ...]
    what: str
    purpose: str
    basis: str
    until: str
    days: str = ""


KEPT = (
    *(Kept(service, ("outbox", "set_aside", "discarded"), *BETWEEN) for service in ALL_SERVICES),
    *(Kept(service, ("idempotency",), *REPEATED) for service in ALL_SERVICES),
    Kept(
        "outreach", ("people", "ambassadors", "bookings"),
        "Teachers, company contacts, ambassadors and staff: name, e-mail address, telephone, language, roles; "
        "of ambassadors also days on which they cannot come",
        "Signing in, and acting for one's school, company or agency", PUBLIC_TASK,
        "{days} days after the last sign-in", "keep_people_days",
    ),
    Kept(
        "outreach", ("sign_ins", "counters"),
        "Signing in: who asked for a mail (only as a check sum for the address and the machine)",
        "Signing in without a password, and keeping out those who guess", SECURITY,
        "15 minutes; counters one day",
    ),
    Kept(
        "outreach", ("invitations",),
        "Invitations: name and e-mail address of whoever is asked to join a school or company, and of an ambassador "
        "also the postal code at home when the company gave it",
        "Sending the invitation", PUBLIC_TASK,
        "with the answer, or after 14 days",
    ),
    Kept(
        "outreach", ("visits",),
        "School visits: name, e-mail address and telephone of the school's contact",
        "Arranging the visit", PUBLIC_TASK,
        "{days} days after the end of the campaign", "keep_visit_contacts_days",
    ),
    Kept(
        "outreach", ("feedback",),
        "Feedback: the text; name and e-mail address only if given",
        "Answering, and mending what is wrong", PUBLIC_TASK,
        "6 months after it came",
    ),
    Kept(
        "outreach", ("table_imports", "table_import_lines", "uploads"), *IMPORTED,
    ),
    Kept(
        "events", ("table_imports", "table_import_lines"), *IMPORTED,
    ),
    Kept(
        "events", ("registrations",),
        "Registrations: name, e-mail address and telephone of the teacher, special needs of the group",
        "Carrying out the company tour", PUBLIC_TASK,
        "{days} days after the date", "contact_kept_days",
    ),
    Kept(
        "events", ("offers",),
        "Offers: name, e-mail address and telephone of the company's contact",
        "Carrying out the company tour", PUBLIC_TASK,
        "{days} days after the end of the campaign", "contact_kept_days",
    ),
    Kept(
        "notify", ("deliveries",),
        "Mails: address, subject, text and the mail server's answer",
        "Delivering mails, and finding out why one did not arrive", PUBLIC_TASK,
        "{days} days after the date or the mail; sign-in mails after 7 days", "retention_days",
    ),
    Kept(
        "notify", ("class_links", "participants"),
        "Pupils who want to be reminded: first name, e-mail address, language, whether under 16, "
        "and whether they come when they say so; of those under 16 also a parent's e-mail address",
        "Asking for consent, and reminding of the company tour", CONSENT,
        "{days} days after the date; at once when somebody withdraws; without every consent, 7 days after the question",
        "pupil_retention_days",
    ),
    Kept(
        "notify", ("consents",),
        "Consents of pupils and parents: what was asked, the answer, and when; no name and no address",
        "Proving the consent", CONSENT,
        "without a date; when a pupil's data goes, nothing in it leads to the pupil any more",
    ),
    Kept(
        "notify", ("counters",),
        "Counting how often somebody is written to: only a check sum of the address or the class link",
        "Keeping out those who would have others flooded with mails", SECURITY,
        "two days; of reminders nine days",
    ),
    Kept(
        "notify", ("suppressions",),
        "Suppressed addresses: a check sum of the address that mails did not reach, and the mail server's answer",
        "Not writing again to an address that does not exist", PUBLIC_TASK,
        "{days} days after the mail that did not arrive, at the latest; 90 days after the lock was lifted",
        "retention_days",
    ),
    Kept(
        "notify", ("reminder_stops",),
        "Who wants no more reminders: only a check sum of the address",
        "Sending no unwanted reminders", PUBLIC_TASK,
        "one year after it was said; at once when it is taken back",
    ),
    Kept(
        "notify", ("former_addresses",),
        "Addresses that somebody has left or that were erased: only a check sum of the address, with a secret key",
        "Writing no more to whoever was erased, and to the present address of whoever has changed it", PUBLIC_TASK,
        "one year after the change or erasure",
    ),
    Kept(
        "notify", ("webhook_calls",),
        "What other programs were told: numbers of registrations, dates and visits, without names, and their answers",
        "Telling programs of schools and partners, and finding out why it did not work", PUBLIC_TASK,
        "30 days after the message",
    ),
    Kept(
        "notify", ("registrations", "visits", "offers", "slots"),
        "Copies of registrations, visits, offers and dates with their contacts",
        "Reminders and calendar entries", PUBLIC_TASK,
        "{days} days after the date", "retention_days",
    ),
)  # fmt: skip
