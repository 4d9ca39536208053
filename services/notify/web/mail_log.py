"""Pages: the mail log and one mail's whole story."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from services.notify.domain import STATES
from services.notify.edge import Now, TheContext, ThePages
from services.notify.mails import KINDS
from services.notify.usecases import mail_log
from shared.errors import RuleBroken
from shared.set_aside import count_set_aside
from shared.ui.language import sentence
from shared.web.callers import Person
from shared.web.pages import form_request_id, language_of, posted, see_other
from shared.web.problems import status_of

router = APIRouter()
PER_PAGE = 50
Filter = Annotated[str, Query(max_length=320)]


@router.get("/")
async def show_mail_log(
    request: Request,
    context: TheContext,
    pages: ThePages,
    person: Person,
    state: Filter = "",
    kind: Filter = "",
    recipient: Filter = "",
    about: Filter = "",
    after: Filter = "",
) -> Response:
    given = {"state": state, "kind": kind, "recipient": recipient.strip(), "about": about}
    where = {name: value for name, value in given.items() if value}
    found, cursor = await mail_log.list_deliveries(context, person, where, limit=PER_PAGE, after=after or None)
    return pages.show(
        request,
        "mail_log.html",
        deliveries=found,
        older=f"/notify/?{urlencode({**where, 'after': cursor})}" if cursor else None,
        counts=await mail_log.count_by_state(context, person),
        set_aside=await count_set_aside(context.store.db, person),
        states=STATES,
        kinds=KINDS,
        values=given,
        filtered=bool(where),
        local=_local(request),
    )


@router.get("/deliveries/{delivery_id}")
async def show_delivery(
    delivery_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    return await _delivery_page(delivery_id, request, context, pages, person, now)


@router.post("/deliveries/{delivery_id}/resend")
async def resend_delivery(
    delivery_id: str, request: Request, context: TheContext, pages: ThePages, person: Person, now: Now
) -> Response:
    form = await posted(request)
    again, request_id = form.get("even_if_sent") == "yes", form_request_id(person, form)
    try:
        await mail_log.resend_delivery(context, person, delivery_id, even_if_sent=again, now=now, request_id=request_id)
    except mail_log.DeliveryUnknown:
        raise
    except RuleBroken as error:
        return await _delivery_page(delivery_id, request, context, pages, person, now, error)
    return see_other(f"/notify/deliveries/{quote(delivery_id)}")


async def _delivery_page(
    delivery_id: str,
    request: Request,
    context: TheContext,
    pages: ThePages,
    person: Person,
    now: Now,
    error: RuleBroken | None = None,
) -> Response:
    delivery = await mail_log.show_delivery(context, person, delivery_id)
    return pages.show(
        request,
        "delivery.html",
        status_of(error) if error else 200,
        delivery=delivery,
        content=await mail_log.show_content(context, person, delivery, now=now),
        problem=sentence(error, language_of(request)) if error else "",
        local=_local(request),
    )


def _local(request: Request) -> Callable[[datetime], datetime]:
    """Instants as the region's clocks show them."""
    zone = ZoneInfo(request.app.state.settings.zone)
    return lambda moment: moment.astimezone(zone)
