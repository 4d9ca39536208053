"""Page: the search over mails."""

from datetime import datetime
from urllib.parse import quote

from fastapi import Request

from services.notify.domain import Delivery
from services.notify.usecases.find import find_mails
from services.notify.web.parts import local
from shared.auth import Identity
from shared.search import Hit, Hits, hits
from shared.ui.language import Language, timestamp, translate
from shared.web.search import search_router


async def _find(request: Request, person: Identity, q: str, now: datetime, language: Language) -> list[Hits]:
    found = await find_mails(request.app.state.context, person, q)
    return [hits("Mails", [_hit(request, delivery, language) for delivery in found])]


def _hit(request: Request, delivery: Delivery, language: Language) -> Hit:
    moment = timestamp(local(request)(delivery.sent_at or delivery.due_at), language)
    about = (translate(delivery.state, language), delivery.to.email, moment)
    return Hit(f"/notify/deliveries/{quote(delivery.key)}", delivery.subject or delivery.kind, about)


router = search_router(_find, Identity.must_coordinate)
