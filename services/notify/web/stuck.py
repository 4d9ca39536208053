"""Pages: mails that need somebody, with what fixes each."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.notify.edge import Now, TheContext, ThePages
from services.notify.usecases import stuck
from services.notify.web.parts import PER_PAGE, common
from shared.web.callers import Person
from shared.web.pages import form_request_id, posted, see_other

router = APIRouter()
Filter = Annotated[str, Query(max_length=100)]
Number = Annotated[int, Query(ge=0, le=1000)]


@router.get("/stuck")
async def show_stuck(
    request: Request,
    context: TheContext,
    pages: ThePages,
    person: Person,
    kind: Filter = "",
    after: Filter = "",
    sent: Number | None = None,
    left: Number = 0,
    settled: Number | None = None,
) -> Response:
    """What is stuck, the newest first."""
    counts = await stuck.count_stuck(context, person)
    found, cursor = await stuck.list_stuck(context, person, kind, limit=PER_PAGE, after=after or None)
    older = urlencode({**({"kind": kind} if kind else {}), "after": cursor}) if cursor else None
    return pages.show(
        request,
        "stuck.html",
        deliveries=found,
        counts=counts,
        kinds=stuck.KINDS,
        kind=kind,
        older=f"/notify/stuck?{older}" if older else None,
        done={"sent": sent, "left": left, "settled": settled},
        **await common(request, context, person, counts),
    )


@router.get("/stuck/count")
async def show_count(request: Request, context: TheContext, pages: ThePages, person: Person) -> Response:
    """One line for other pages to take in; empty when nothing is stuck."""
    return pages.show(request, "stuck_count.html", count=sum((await stuck.count_stuck(context, person)).values()))


@router.post("/stuck")
async def act_on_stuck(request: Request, context: TheContext, pages: ThePages, person: Person, now: Now) -> Response:
    """First what the chosen button will do; with `sure` it is done."""
    form = await posted(request)
    keys = [str(key) for key in form.getlist("chosen")][: stuck.MOST]
    action = "settle" if form.get("action") == "settle" else "resend"
    chosen = await stuck.choose_deliveries(context, person, keys)
    if not chosen:
        return see_other("/notify/stuck")
    if form.get("sure") != "yes":
        return pages.show(
            request, "stuck_sure.html", deliveries=chosen, action=action, within="/notify/stuck",
            **await common(request, context, person),
        )  # fmt: skip
    if action == "settle":
        return see_other(f"/notify/stuck?settled={await stuck.settle_many(context, person, keys, now=now)}")
    resent = await stuck.resend_many(context, person, keys, now=now, request_id=form_request_id(person, form))
    return see_other(f"/notify/stuck?sent={resent.worked}&left={resent.left}")
