"""Pages for teachers: the class link with its QR code, the sheet for the classroom, who wants reminders."""

import segno
from fastapi import APIRouter, Request, Response

from services.notify.edge import Now, TheContext, ThePages
from services.notify.usecases import class_links
from services.notify.usecases.class_links import ClassList
from services.notify.web.parts import number_of
from shared.web.callers import Person
from shared.web.pages import posted, see_other

router = APIRouter(prefix="/class-links/{registration_id}")


@router.get("")
async def show(
    registration_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now,
    done: str = "",
) -> Response:  # fmt: skip
    """The link, its QR code and the list."""
    found = await class_links.show_class_list(context, person, registration_id, now=now)
    return _page(request, pages, "class_link.html", found, done=done)


@router.get("/sheet")
async def sheet(
    registration_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """The sheet to print for the classroom."""
    found = await class_links.show_class_list(context, person, registration_id, now=now)
    if not found.address:
        return see_other(_address(registration_id))
    return _page(request, pages, "class_sheet.html", found)


@router.get("/renew")
async def ask_to_renew(
    registration_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """The second step before the link becomes another one."""
    found = await class_links.show_class_list(context, person, registration_id, now=now)
    return _page(request, pages, "class_link_renew.html", found)


@router.post("/renew")
async def renew(registration_id: str, request: Request, context: TheContext, person: Person, now: Now) -> Response:
    """Another link; the one before leads nowhere."""
    form = await posted(request)
    number = number_of(form.get("version", "")) or 0
    await class_links.renew_class_link(context, person, registration_id, number, now=now)
    return see_other(f"{_address(registration_id)}?done=renewed")


@router.get("/close")
async def ask_to_close(
    registration_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """The second step before nobody can ask any more."""
    found = await class_links.show_class_list(context, person, registration_id, now=now)
    return _page(request, pages, "class_link_close.html", found)


@router.post("/close")
async def close(registration_id: str, request: Request, context: TheContext, person: Person, now: Now) -> Response:
    """Nobody can ask any more."""
    await posted(request)
    await class_links.close_class_link(context, person, registration_id, now=now)
    return see_other(f"{_address(registration_id)}?done=closed")


@router.get("/participants/{participant_id}/remove")
async def ask_to_remove(
    registration_id: str, participant_id: str, request: Request, context: TheContext, pages: ThePages, person: Person,
    now: Now,
) -> Response:  # fmt: skip
    """The second step before an entry is erased."""
    entry = await class_links.show_entry(context, person, registration_id, participant_id, now=now)
    return pages.show(request, "class_entry_remove.html", listed=entry, back=_address(registration_id))


@router.post("/participants/{participant_id}/remove")
async def remove(
    registration_id: str, participant_id: str, request: Request, context: TheContext, person: Person, now: Now
) -> Response:
    """Erase an entry."""
    await posted(request)
    await class_links.remove_entry(context, person, registration_id, participant_id, now=now)
    return see_other(f"{_address(registration_id)}?done=removed")


def _address(registration_id: str) -> str:
    return f"/notify/class-links/{registration_id}"


def _page(request: Request, pages: ThePages, template: str, found: ClassList, **values: str) -> Response:
    facts = found.visit.facts
    return pages.show(
        request,
        template,
        found=found,
        visit=found.visit,
        slot=facts.slot,
        offer=facts.slot.offer,
        group=facts.group,
        qr=_qr(found.address) if found.address else "",
        own_page=_address(facts.registration_id),
        within="/events/registrations",
        **values,
    )


def _qr(address: str) -> str:
    """The QR code as SVG: black on white in every colour scheme, with its quiet zone."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(omitsize=True, svgclass="qr", lineclass="", light="#fff", border=4)
