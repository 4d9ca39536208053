"""The coordinator's page of offers that wait to be published."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.events.api.parts import Now, TheStore
from services.events.domain.errors import NothingChosen
from services.events.usecases import offer_checks
from services.events.usecases.inputs import WithReason
from services.events.web.parts import FORM_ERRORS, ThePages, typed
from shared.auth import Identity
from shared.ids import derived_id
from shared.region import career_fields
from shared.ui.language import sentence
from shared.web.callers import Person
from shared.web.pages import asked_after, errors_by_field, form_request_id, language_of, posted, see_other, validated

router = APIRouter()


@router.get("/offers/waiting")
async def show(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """The offers, those that wait longest first."""
    return await _page(request, pages, store, person)


@router.get("/offers/waiting/count")
async def show_count(request: Request, pages: ThePages, store: TheStore, person: Person) -> Response:
    """A line with their number, and one with that of changed ones, for other pages to take in; empty without any."""
    count = await offer_checks.count_waiting_offers(store, person)
    changed = await offer_checks.count_changed_offers(store, person)
    return pages.show(request, "offers_waiting_count.html", count=count, changed=changed)


@router.post("/offers/waiting")
async def decide(request: Request, pages: ThePages, store: TheStore, now: Now, person: Person) -> Response:
    """Publish those that are ticked, send one back with a reason, or note that the changes of one were seen."""
    person.must_coordinate()
    form = await posted(request)
    if form.get("seen"):
        return await _acknowledge(request, pages, store, person, form)
    back = str(form.get("send_back", ""))
    chosen = [back] if back else [str(each) for each in form.getlist("offer")]
    errors = {} if chosen else {"": sentence(NothingChosen(), language_of(request))}
    for offer_id in chosen:
        request_id = derived_id(form_request_id(person, form), offer_id)
        try:
            await _decide(store, person, offer_id, form, bool(back), now, request_id)
        except FORM_ERRORS as error:
            reasons = errors_by_field(error, language_of(request))
            errors |= {f"{name}.{offer_id}" if name else offer_id: reason for name, reason in reasons.items()}
    if errors:
        return await _page(request, pages, store, person, 422, errors=errors, values=typed(form))
    return see_other("/events/offers/waiting?" + urlencode({"sent_back" if back else "published": len(chosen)}))


async def _acknowledge(request: Request, pages: Any, store: Any, person: Identity, form: FormData) -> Response:
    offer_id, _, version = str(form["seen"]).rpartition(":")
    try:
        await offer_checks.acknowledge_changes(store, person, offer_id, int(version) if version.isdecimal() else 0)
    except FORM_ERRORS as error:
        errors = errors_by_field(error, language_of(request))
        return await _page(request, pages, store, person, 422, errors=errors)
    return see_other("/events/offers/waiting?seen=1")


async def _decide(
    store: Any, person: Identity, offer_id: str, form: FormData, back: bool, now: Any, request_id: str
) -> None:
    if not back:
        await offer_checks.publish_offer(store, person, offer_id, now=now, request_id=request_id)
        return
    command = validated(WithReason, {"reason": str(form.get(f"reason.{offer_id}", ""))})
    await offer_checks.send_offer_back(store, person, offer_id, command, now=now, request_id=request_id)


async def _page(request: Request, pages: Any, store: Any, person: Identity, status: int = 200, **more: Any) -> Response:
    found = await offer_checks.find_waiting_offers(store, person, asked_after(request))
    asked = request.query_params
    return pages.show(
        request, "offers_waiting.html", status, offers=found.items, fields=career_fields(language_of(request)),
        published=asked.get("published", "") if asked.get("published", "").isdecimal() else "",
        sent_back="sent_back" in asked, seen="seen" in asked,
        changed=await offer_checks.find_changed_offers(store, person),
        more=f"/events/offers/waiting?{urlencode({'after': found.next})}" if found.next else "", **more,
    )  # fmt: skip
