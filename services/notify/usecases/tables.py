"""The mail log and the suppressed addresses as files; they can be exported only. Addresses of pupils and parents never
leave the service."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.notify.domain import Delivery
from services.notify.suppression import Suppression
from services.notify.usecases import coming, mail_log, stuck, suppressing
from services.notify.usecases.context import Context
from shared.auth import Identity
from shared.tables.columns import Column, Row, Table, labelled
from shared.tables.paging import PER_PAGE, every_page

SHOWN_ROLES = ("teacher", "company", "ambassador", "coordinator", "person")
STATES = labelled(
    planned="planned", sending="being sent", sent="sent", deferred="delayed", refused="refused",
    suppressed="suppressed", cancelled="cancelled",
)  # fmt: skip
ROLES = labelled(
    teacher="School", company="Company", ambassador="Ambassador", coordinator="Coordinator", person="Person",
    pupil="Pupil", parent="Parent",
)  # fmt: skip
KINDS = labelled(
    sign_in="Sign-in", invitation="Invitation", registration_requested="Registration requested",
    registration_confirmed="Registration confirmed", registration_declined="Registration declined",
    registration_waitlisted="On the waiting list", places_offered="Places offered",
    offered_places_expired="Offered places expired", registration_cancelled="Registration cancelled",
    confirmation_asked="Please confirm again", registration_released="Not confirmed again",
    registration_resized="Group size changed", slot_moved="Date moved", slot_reminder="Reminder of a tour",
    reminder_digest="Reminder of several dates",
    visit_requested="Visit requested", visit_proposed="Visit proposed",
    visit_proposal_declined="Proposed visit declined", visit_confirmed="Visit confirmed",
    visit_moved="Visit moved", visit_cancelled="Visit cancelled", visit_member_left="Out of a team for a visit",
    visit_team_smaller="A smaller team comes",
    visit_reminder="Reminder of a visit",
    visit_date_proposed="Date proposed to the school", visit_proposal_withdrawn="Proposed visit withdrawn",
    visit_proposal_expired="Proposed visit expired", offer_changed="Offer changed",
    contact_changed="Contact of the company changed",
    offer_published="Offer published", offer_sent_back="Offer sent back",
    address_suppressed="An address refuses mails", webhook_paused="A program is not told any more",
    parent_question="Question to a parent",
    pupil_confirmation="Question to a pupil", pupil_welcome="Receipt for a pupil",
    pupil_reminder="Reminder for a pupil",
)  # fmt: skip
COLUMNS = (
    Column("key", "Key", width=40),
    Column("kind", "Kind", "choice", options=KINDS, width=26),
    Column("state", "State", "choice", options=STATES, width=14),
    Column("to.role", "To whom", "choice", options=ROLES, width=14),
    Column("to.name", "Recipient’s name", width=26),
    Column("to.email", "Recipient’s mail address", width=32),
    Column("subject", "Subject", width=44),
    Column("about", "About", width=40),
    Column("due_at", "Due", "wall", width=17),
    Column("sent_at", "Sent", "wall", width=17),
    Column("attempt_count", "Number of attempts", "whole", width=10),
    Column("answer", "The mail server’s answer", width=50),
)
TABLE = Table("deliveries", "Mails", COLUMNS, "/notify/")
STUCK = Table("stuck-mails", "Stuck mails", COLUMNS)
COMING = Table("coming-mails", "Coming mails", COLUMNS)

REASONS = labelled(
    refused="refused a mail", bounced="a mail came back", complained="complained about a mail", by_hand="by hand"
)
SUPPRESSIONS = Table(
    "suppressions",
    "Suppressed addresses",
    (
        Column("id", "Key", width=40),
        Column("masked", "Mail address", width=30),
        Column("reason", "Reason", "choice", options=REASONS, width=26),
        Column("answer", "The mail server’s answer", width=50),
        Column("note", "Why", width=44),
        Column("since", "Since", "wall", width=17),
        Column("lifted_at", "Lifted", "wall", width=17),
        Column("erase_after", "Erased on", "wall", width=17),
    ),
    "/notify/suppressions",
)


async def export_suppressions(
    context: Context, identity: Identity, zone: str, *, lifted: bool
) -> AsyncIterator[Sequence[Row]]:
    """Suppressed addresses, or those that were `lifted`, the newest first, as far as their list shows them."""
    pages = every_page(
        lambda after: suppressing.list_suppressions(context, identity, active=not lifted, limit=PER_PAGE, after=after)
    )
    async for page in pages:
        yield [_suppression_row(each, zone) for each in page]


def _suppression_row(suppression: Suppression, zone: str) -> Row:
    plain = {name: getattr(suppression, name) for name in ("id", "masked", "reason", "answer", "note")}
    moments = ("since", "lifted_at", "erase_after")
    return {**plain, **{name: _wall(getattr(suppression, name), zone) for name in moments}}


async def export_deliveries(
    context: Context, identity: Identity, where: Mapping[str, str], zone: str
) -> AsyncIterator[Sequence[Row]]:
    """Deliveries by state, kind and about, the newest first."""
    pages = every_page(
        lambda after: mail_log.list_deliveries(context, identity, dict(where), limit=PER_PAGE, after=after)
    )
    async for page in pages:
        yield [_row(delivery, zone) for delivery in page]


async def export_stuck(context: Context, identity: Identity, kind: str, zone: str) -> AsyncIterator[Sequence[Row]]:
    """Stuck mails of a kind (all when empty), the newest first."""
    pages = every_page(lambda after: stuck.list_stuck(context, identity, kind, limit=PER_PAGE, after=after))
    async for page in pages:
        yield [_row(delivery, zone) for delivery in page]


async def export_coming(
    context: Context, identity: Identity, zone: str, *, now: datetime
) -> AsyncIterator[Sequence[Row]]:
    """What is planned, the soonest first."""
    pages = every_page(lambda after: coming.list_coming(context, identity, now=now, limit=PER_PAGE, after=after))
    async for page in pages:
        yield [_row(delivery, zone) for delivery in page]


def _row(delivery: Delivery, zone: str) -> Row:
    to, named = delivery.to, delivery.to.role in SHOWN_ROLES
    plain = {name: getattr(delivery, name) for name in ("key", "kind", "state", "about", "attempt_count")}
    answer = delivery.attempts[-1].answer if delivery.attempts and named else ""
    return {
        **plain, "to.role": to.role, "to.name": to.name if named else "", "to.email": to.email if named else "",
        "subject": delivery.subject if named else "", "due_at": _wall(delivery.due_at, zone),
        "sent_at": _wall(delivery.sent_at, zone), "answer": answer,
    }  # fmt: skip


def _wall(moment: datetime | None, zone: str) -> datetime | None:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0) if moment else None
