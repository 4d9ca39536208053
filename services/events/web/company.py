"""A company's home: what needs an answer, who comes when, and the offers."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from services.events.api.parts import Now, TheStore
from services.events.usecases import company, offer_checks
from services.events.web.deciding import ask_first, decide_chosen, must_be_asked
from services.events.web.parts import ThePages, typed, wall
from shared.auth import Identity
from shared.web.callers import Person
from shared.web.pages import asked_after, posted, see_other

router = APIRouter()
DONE = ("approved", "declined")
OFFERS_AT_HOME = 3


@router.get("/company")
async def show_home(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The page with which a company's day begins."""
    done = request.query_params.get("done", "")
    return await _home(request, pages, store, now, person, done=done if done in DONE else "")


@router.post("/company/decide")
async def decide(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Approve or decline registrations for whatever dates."""
    form = await posted(request)
    if must_be_asked(form):
        return await ask_first(request, pages, store, person, form, "/events/company")
    decided = await decide_chosen(request, store, person, form, now)
    if "reason" in decided.errors:
        return await ask_first(request, pages, store, person, form, "/events/company", decided.errors)
    if decided.errors or decided.none_chosen:
        return await _home(
            request, pages, store, now, person, 422, errors=decided.errors, none_chosen=decided.none_chosen,
            values=typed(form), decided=decided.done,
        )  # fmt: skip
    return see_other(f"/events/company?done={'declined' if decided.declined else 'approved'}")


@router.get("/company/visitors")
async def show_visitors(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Who comes when, over all dates; to be printed as well."""
    past = request.query_params.get("past") == "yes"
    found = await company.find_visitors(store, person, now=now, after=asked_after(request), past=past)
    more = urlencode({"after": found.next, **({"past": "yes"} if past else {})}) if found.next else ""
    return pages.show(
        request, "visitors.html", dates=found.items, past=past, more=f"/events/company/visitors?{more}" if more else "",
        printed=wall(now, store.zone), today=wall(now, store.zone).date(),
    )  # fmt: skip


@router.get("/offers")
async def show_offers(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """The own offers with their next dates."""
    withdrawn = request.query_params.get("withdrawn") == "yes"
    found = await company.find_offers_with_slots(
        store, person, now=now, after=asked_after(request), withdrawn=withdrawn
    )
    more = urlencode({"after": found.next, **({"withdrawn": "yes"} if withdrawn else {})}) if found.next else ""
    return pages.show(
        request, "offers.html", offers=found.items, withdrawn=withdrawn, more=f"/events/offers?{more}" if more else "",
        waiting=await offer_checks.count_waiting_offers(store, person) if person.coordinates else 0,
        continued="after" in request.query_params,
    )  # fmt: skip


async def _home(
    request: Request, pages: Any, store: Any, now: Any, person: Identity, status: int = 200, **more: Any
) -> Response:
    home = await company.show_home(store, person, now=now)
    offers = await company.find_offers_with_slots(store, person, now=now, limit=OFFERS_AT_HOME)
    common = {"done": "", "none_chosen": False, "values": {}, "errors": {}, "decided": 0, **more}
    return pages.show(
        request, "company.html", status, home=home, offers=offers.items, more_offers=offers.next is not None,
        today=wall(now, store.zone).date(), **common,
    )  # fmt: skip
