"""What several pages of this service share."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from services.notify.answers import meaning_of
from services.notify.domain import Delivery
from services.notify.preview import preview_of
from services.notify.suppression import masked
from services.notify.usecases import stuck
from services.notify.usecases.context import Context
from shared.auth import Identity
from shared.web.edge import POLICY

PER_PAGE = 30
WITH_FRAME = {"Content-Security-Policy": f"{POLICY}; frame-src 'self'"}


def zone_of(request: Request) -> str:
    """The region's zone."""
    return request.app.state.settings.zone


def local(request: Request) -> Callable[[datetime], datetime]:
    """Instants as the region's clocks show them."""
    zone = ZoneInfo(zone_of(request))
    return lambda moment: moment.astimezone(zone)


async def common(
    request: Request, context: Context, person: Identity, counts: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """For every page: the region's time, what an answer means, and the numbers beside the sections. `counts`: how many
    mails are stuck by kind, where that is known already."""
    if counts is None:
        counts = await stuck.count_stuck(context, person)
    return {
        "local": local(request),
        "meaning": meaning,
        "masked": masked,
        "stuck_count": sum(counts.values()),
        "stopped_webhooks": await context.store.webhooks.count_stopped(),
    }


def meaning(delivery: Delivery) -> str:
    """Why a mail is where it is, as a code of answers.py."""
    answer = delivery.attempts[-1].answer if delivery.attempts else ""
    return meaning_of(answer, delivery.reason)


def framed(html: str) -> Response:
    """A mail's HTML, for the inside of a sandboxed frame."""
    preview = preview_of(html)
    return Response(preview.html, media_type="text/html", headers={"Content-Security-Policy": preview.policy})


def number_of(text: object, digits: int = 8) -> int | None:
    """The whole number that a form field holds; None for anything else, and for more than so many digits."""
    typed = str(text)
    return int(typed) if typed.isdecimal() and len(typed) <= digits else None
