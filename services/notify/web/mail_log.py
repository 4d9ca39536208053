"""Pages: the mail log and one mail's whole story."""

import asyncio
from datetime import date
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response

from services.notify.answers import meaning_of
from services.notify.domain import STATES, Delivery
from services.notify.edge import Now, TheContext, ThePages
from services.notify.mails import KINDS
from services.notify.usecases import mail_log, stuck
from services.notify.usecases.mail_log import LogFilter
from services.notify.web.parts import PER_PAGE, WITH_FRAME, common, framed, zone_of
from services.notify.web.pictures import Picture, stacked
from services.notify.wording import key_of
from shared.errors import NotFound, RuleBroken
from shared.set_aside import count_set_aside
from shared.ui.language import sentence
from shared.web.callers import Person
from shared.web.pages import errors_by_field, form_request_id, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter()
Filter = Annotated[str, Query(max_length=100)]
OF_A_DAY = ("sent", "planned", "sending", "deferred", "cancelled", "suppressed", "refused")


@router.get("/")
async def show_mail_log(
    request: Request,
    context: TheContext,
    pages: ThePages,
    person: Person,
    now: Now,
    state: Filter = "",
    kind: Filter = "",
    day: Filter = "",
    about: Filter = "",
    after: Filter = "",
) -> Response:
    """The log by state, kind and day, and the picture of the last two weeks."""
    given = {"state": state, "kind": kind, "day": day, "about": about}
    where = {name: value for name, value in given.items() if value}
    zone = zone_of(request)
    (found, cursor), picture, counts = await asyncio.gather(
        mail_log.find_deliveries(
            context, person, LogFilter(state, kind, about, _day(day)), zone=zone, limit=PER_PAGE, after=after or None
        ),
        _picture(context, person, now, zone, shown=not where),
        mail_log.count_by_state(context, person),
    )
    return pages.show(
        request,
        "mail_log.html",
        deliveries=found,
        older=f"/notify/?{urlencode({**where, 'after': cursor})}" if cursor else None,
        counts=counts,
        set_aside=await count_set_aside(context.store.db, person),
        picture=picture,
        states=STATES,
        kinds=KINDS,
        values=given,
        filtered=bool(where),
        **await common(request, context, person),
    )


async def _picture(context: TheContext, person: Person, now: Now, zone: str, *, shown: bool) -> Picture | None:
    if not shown:
        return None
    return stacked(*await mail_log.tally_days(context, person, now=now, zone=zone), OF_A_DAY)


@router.post("/find")
async def find_mails(request: Request, context: TheContext, pages: ThePages, person: Person) -> Response:
    """Mails by recipient or subject; the words stand in no address."""
    form = await posted(request)
    q = str(form.get("q", ""))[:200].strip()
    found = await mail_log.search_deliveries(context, person, q)
    return pages.show(
        request,
        "mails_found.html",
        deliveries=found,
        values={"q": q},
        within="/notify/",
        **await common(request, context, person),
    )


@router.get("/deliveries/{delivery_id}")
async def show_delivery(
    delivery_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """One mail's whole story."""
    return await _delivery_page(delivery_id, request, context, pages, person, now)


@router.get("/deliveries/{delivery_id}/preview")
async def preview_delivery(delivery_id: str, context: TheContext, person: Person, now: Now) -> Response:
    """What the mail looks like, for a frame."""
    delivery = await mail_log.show_delivery(context, person, delivery_id)
    content = await mail_log.show_content(context, person, delivery, now=now)
    if content is None:
        raise NotFound
    return framed(content.html)


@router.get("/deliveries/{delivery_id}/resend")
async def ask_to_resend(
    delivery_id: str, request: Request, context: TheContext, pages: ThePages, person: Person
) -> Response:
    """What sending it again causes, and the button for it."""
    delivery = await mail_log.show_delivery(context, person, delivery_id)
    return pages.show(request, "resend.html", delivery=delivery, **await common(request, context, person))


@router.post("/deliveries/{delivery_id}/resend")
async def resend_delivery(
    delivery_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Send it again."""
    form = await posted(request)
    again, request_id = form.get("even_if_sent") == "yes", form_request_id(person, form)
    try:
        await mail_log.resend_delivery(context, person, delivery_id, even_if_sent=again, now=now, request_id=request_id)
    except mail_log.DeliveryUnknown:
        raise
    except RuleBroken as error:
        return await _delivery_page(delivery_id, request, context, pages, person, now, error)
    return see_other(f"/notify/deliveries/{quote(delivery_id)}")


@router.post("/deliveries/{delivery_id}/correct")
async def correct_address(
    delivery_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    """Send it to another address."""
    form = await posted(request)
    email, request_id = str(form.get("email", ""))[:320], form_request_id(person, form)
    try:
        await stuck.correct_address(context, person, delivery_id, email, now=now, request_id=request_id)
    except mail_log.DeliveryUnknown:
        raise
    except RuleBroken as error:
        return await _delivery_page(delivery_id, request, context, pages, person, now, error, email)
    return see_other(f"/notify/deliveries/{quote(delivery_id)}")


async def _delivery_page(
    delivery_id: str,
    request: Request,
    context: TheContext,
    pages: ThePages,
    person: Person,
    now: Now,
    error: RuleBroken | None = None,
    email: str = "",
) -> Response:
    delivery = await mail_log.show_delivery(context, person, delivery_id)
    language = language_of(request)
    answer = pages.show(
        request,
        "delivery.html",
        status_of(error) if error else 200,
        delivery=delivery,
        content=await mail_log.show_content(context, person, delivery, now=now),
        others=await mail_log.list_together(context, person, delivery),
        person_id=await mail_log.find_recipient(context, person, delivery),
        words_page=_words_page(delivery),
        correctable=stuck.can_be_corrected(delivery),
        meaning_of=meaning_of,
        problem=sentence(error, language) if error and error.field is None else "",
        errors=errors_by_field(error, language) if error and error.field else {},
        values={"email": email},
        **await common(request, context, person),
    )
    answer.headers.update(WITH_FRAME)
    return answer


def _words_page(delivery: Delivery) -> str:
    """Where the words of a mail can be changed; empty when nothing is left of it."""
    key = key_of(delivery)
    return f"/notify/wordings/{key.campaign_id}/{key.kind}/{key.role}/{key.language}" if key else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
