"""What a teacher prints: the day's sheet, the attendance list, and the class's QR picture for the check-in."""

import segno
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from services.events.api.parts import Now, TheStore
from services.events.usecases.paper import check_in_address, show_confirmed
from services.events.web.parts import ThePages, wall
from shared.web.callers import Person

router = APIRouter()
SPARE_ROWS = 2


@router.get("/registrations/{registration_id}/day-sheet")
async def day_sheet(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Where, when, how to get there, what is required, whom to call, and the QR picture: on one page."""
    found = await show_confirmed(store, person, registration_id)
    return _paper(request, pages, "class_day_sheet.html", found, now)


@router.get("/registrations/{registration_id}/attendance-list")
async def attendance_list(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """Numbered rows for names written by hand: the system knows none."""
    found = await show_confirmed(store, person, registration_id)
    return _paper(request, pages, "attendance_list.html", found, now, rows=found.group.pupils + SPARE_ROWS)


@router.get("/registrations/{registration_id}/qr")
async def qr(
    registration_id: str, request: Request, pages: ThePages, store: TheStore, now: Now, person: Person
) -> Response:
    """The picture alone, large: on a phone or on paper."""
    found = await show_confirmed(store, person, registration_id)
    return _paper(request, pages, "class_qr.html", found, now)


def _paper(request: Request, pages: ThePages, template: str, found: object, now: Now, **more: object) -> Response:
    slot = found.slot  # type: ignore[attr-defined]
    state = request.app.state
    address = check_in_address(found.id, state.public_url, state.secret_key)  # type: ignore[attr-defined]
    return pages.show(
        request, template, registration=found, slot=slot, picture=picture_of(address), address=address,
        printed=wall(now, slot.zone), **more,
    )  # fmt: skip


def picture_of(text: str) -> Markup:
    """A QR picture as an SVG element, drawn from figures alone: nothing of `text` stands in it as text."""
    return Markup(segno.make(text, error="m", micro=False).svg_inline(omitsize=True))
