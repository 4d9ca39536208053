"""Who comes when, as a file: one line per class. It can be exported only."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from services.events.store.store import Store
from services.events.usecases.company import Visitors, find_visitors
from services.events.usecases.results import RegistrationView
from services.events.usecases.tables.registrations import STATES
from shared.auth import Identity
from shared.tables.columns import Column, Row, Table
from shared.tables.paging import every_page

PER_PAGE = 200
TABLE = Table(
    "visitors",
    "Who comes when",
    (
        Column("starts_local", "Begins", "wall", width=17),
        Column("ends_local", "Ends", "wall", width=17),
        Column("company_name", "Company", width=28),
        Column("title", "Title", width=34),
        Column("place", "Place: name", width=28),
        Column("town", "Town"),
        Column("school_name", "School", width=36),
        Column("group_name", "Class or course", width=16),
        Column("grade", "Grade", "whole", width=8),
        Column("pupils", "Pupils", "whole", width=9),
        Column("adults", "Accompanying adults", "whole", width=9),
        Column("needs", "Needs", width=30),
        Column("state", "State", "choice", options=STATES, width=16),
        Column("contact_name", "Contact: name", width=26),
        Column("contact_email", "Contact: e-mail address", width=32),
        Column("contact_phone", "Contact: phone"),
    ),
)


async def export_visitors(
    store: Store, identity: Identity, *, now: datetime, past: bool
) -> AsyncIterator[Sequence[Row]]:
    """The classes that hold places on dates of the own companies, as the page lists them; the contact is the
    teacher's. NotAllowed for whoever has no company."""

    async def page(after: str | None) -> tuple[list[Visitors], str | None]:
        found = await find_visitors(store, identity, now=now, after=after, past=past, limit=PER_PAGE)
        return found.items, found.next

    async for dates in every_page(page):
        yield [_row(date, registration) for date in dates for registration in date.groups]


def _row(date: Visitors, registration: RegistrationView) -> Row:
    slot, group, contact = date.slot, registration.group, registration.contact
    return {
        "starts_local": slot.starts_local, "ends_local": slot.ends_local, "company_name": slot.offer.company_name,
        "title": slot.offer.title, "place": slot.offer.place.name, "town": slot.offer.place.town,
        "school_name": registration.school_name, "group_name": group.name, "grade": group.grade,
        "pupils": group.pupils, "adults": group.adults, "needs": group.needs, "state": registration.state,
        "contact_name": contact.name, "contact_email": contact.email, "contact_phone": contact.phone,
    }  # fmt: skip
