"""The teacher's home: what needs an answer first, then what is coming, then what was; and the answers it takes."""

from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.usecases import at_school
from services.events.usecases.results import RegistrationView
from services.events.web.parts import ThePages, deadline, wall
from shared.web.callers import Person
from shared.web.pages import posted, see_other

router = APIRouter()
BACK_HOME = "/events/home"


@router.get("/home")
async def show(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """One view for a teacher, grouped by school for somebody of several schools."""
    home = await at_school.show_home(store, person, now=now)
    return pages.show(
        request, "home.html", home=home, today=_today(now, store.zone), done=request.query_params.get("done", ""),
        deadlines={each.id: deadline(each) for each in home.offered},
        changed_on={each.registration.id: wall(each.at, store.zone) for each in home.changed},
        several=len(person.organisations("teacher")) > 1, coming=_by_school(home.coming), past=_by_school(home.past),
    )  # fmt: skip


@router.post("/registrations/{registration_id}/noted")
async def note(registration_id: str, request: Request, store: TheStore, now: Now, person: Person) -> Response:
    """Read what the company changed."""
    await posted(request)
    await at_school.note_changes(store, person, registration_id, now=now)
    return see_other(f"{BACK_HOME}?done=noted")


@router.post("/registrations/{registration_id}/acknowledge")
async def acknowledge(registration_id: str, request: Request, store: TheStore, person: Person) -> Response:
    """Read what the company requires."""
    await posted(request)
    await at_school.acknowledge_requirements(store, person, registration_id)
    return see_other(f"{BACK_HOME}?done=acknowledged")


def _today(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _by_school(found: list[RegistrationView]) -> list[tuple[str, list[RegistrationView]]]:
    """(name of the school, its registrations in the order given), by name."""
    ordered = sorted(found, key=lambda each: (each.school_name, each.school_id))
    return [(rows[0].school_name, rows) for rows in (list(of) for _, of in groupby(ordered, lambda r: r.school_id))]
