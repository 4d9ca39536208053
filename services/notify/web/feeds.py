"""Calendar feeds: the page on which people make their addresses, and what calendar programs fetch there."""

from fastapi import APIRouter, Request, Response

from services.notify.edge import Now, TheContext, ThePages
from services.notify.usecases import feeds
from services.notify.web.parts import number_of
from shared.web.callers import Person
from shared.web.pages import posted, see_other

router = APIRouter()
PAGE = "/notify/calendars"


@router.get("/calendar/{secret}.ics")
async def read_feed(secret: str, request: Request, context: TheContext, now: Now) -> Response:
    """A feed, for whoever has its address."""
    found = await feeds.read_feed(context, secret, now=now)
    headers = {"ETag": found.etag, "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex, nofollow"}
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if found.etag.removeprefix("W/") in known:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="perspektive.ics"'
    return Response(found.ics, media_type="text/calendar; charset=utf-8", headers=headers)


@router.get("/calendars")
async def show_feeds(
    request: Request, context: TheContext, pages: ThePages, person: Person, done: str = ""
) -> Response:
    """The own calendar addresses: there, or still to be made."""
    return pages.show(request, "calendars.html", addresses=await feeds.list_feeds(context, person), done=done[:20])


@router.post("/calendars/{scope}")
async def renew_feed(scope: str, request: Request, context: TheContext, person: Person, now: Now) -> Response:
    """Make an address, or a new one in place of the old."""
    number = number_of((await posted(request)).get("version", "")) or 0
    await feeds.renew_feed(context, person, scope, number, now=now)
    return see_other(f"{PAGE}?done={'renewed' if number else 'made'}")


@router.get("/calendars/{scope}/renew")
async def ask_to_renew(scope: str, request: Request, context: TheContext, pages: ThePages, person: Person) -> Response:
    """What a new address causes, and the button for it."""
    address = await feeds.show_feed(context, person, scope)
    return pages.show(request, "calendar_sure.html", address=address, action="renew")


@router.get("/calendars/{scope}/revoke")
async def ask_to_revoke(scope: str, request: Request, context: TheContext, pages: ThePages, person: Person) -> Response:
    """What revoking causes, and the button for it."""
    address = await feeds.show_feed(context, person, scope)
    return pages.show(request, "calendar_sure.html", address=address, action="revoke")


@router.post("/calendars/{scope}/revoke")
async def revoke_feed(scope: str, request: Request, context: TheContext, person: Person) -> Response:
    """Make the address lead nowhere."""
    await posted(request)
    await feeds.revoke_feed(context, person, scope)
    return see_other(f"{PAGE}?done=revoked")
