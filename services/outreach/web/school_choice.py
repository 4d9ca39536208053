"""Finding one school among hundreds, for any page of any service: it leads on to `next` with `?school_id=`."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Query, Response

from services.outreach.usecases import schools
from services.outreach.web.desk import TheDesk
from shared.errors import Invalid

router = APIRouter()
SERVICES = ("/outreach/", "/events/", "/notify/")


@router.get("/schools/choose")
async def choose(
    desk: TheDesk,
    next: Annotated[str, Query(max_length=500)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Type a word or two, press search, choose. Only pages of this system can be `next`."""
    found = await schools.find_schools(desk.store, desk.person, q)
    parts = urlsplit(next)
    if not next.startswith(SERVICES) or "\\" in next or parts.netloc or parts.scheme:
        raise Invalid
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != "school_id"]
    leads_to = f"{parts.path}?{urlencode([*kept, ('school_id', '')])}"
    return desk.show("schools_choose.html", found=found, values={"q": q}, next=next, leads_to=leads_to)
