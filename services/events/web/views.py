"""The same choices in other views: on the region's map, and in a month's calendar. Filters stay in the address."""

from calendar import Calendar
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request

from services.events.store.store import Store
from services.events.usecases import glance
from services.events.usecases.inputs import SlotFilter
from shared.region import municipalities
from shared.region_map import Circle, circles, outlines
from shared.school_calendar import CalendarUnknown, DayOff, day_off
from shared.ui.language import translate, translations
from shared.web.pages import language_of

Given = Mapping[str, str]
MOST_MONTHS_AHEAD = 24


async def see_map(
    request: Request, store: Store, wanted: SlotFilter, given: Given, first: date, now: datetime
) -> dict[str, Any]:
    """The region with a circle at each municipality that has dates, and the rows of the same table."""
    sums = await glance.count_by_municipality(store, wanted, now=now)
    known = municipalities()
    named = sorted((known[ags] for ags in sums if ags in known), key=lambda each: each.name)
    rows = [(each, sums[each.ags], _list(given, municipality=each.ags)) for each in named]
    return {
        "outlines": outlines(), "marks": _marks(request, sums, given), "rows": rows, "outside": sums.get(""),
        "everything": _list(given),
    }  # fmt: skip


async def see_month(
    request: Request, store: Store, wanted: SlotFilter, given: Given, first: date, now: datetime
) -> dict[str, Any]:
    """One month as a grid of weeks; without a wish the month of the first date that fits."""
    today = now.astimezone(ZoneInfo(store.zone)).date()
    start, end = glance.month_of(_month_asked(request, today) or first)
    days = await glance.count_by_day(store, wanted, start, end, now=now)
    weeks = [
        [_cell(day, days.get(day), given) if day.month == start.month else None for day in week]
        for week in Calendar().monthdatescalendar(start.year, start.month)
    ]
    before, after = start - timedelta(days=1), end + timedelta(days=1)
    return {
        "start": start, "weeks": weeks, "today": today, "in_all": sum(each.dates for each in days.values()),
        "previous": _month(given, before) if before >= today.replace(day=1) else "",
        "following": _month(given, after) if after <= today + timedelta(days=31 * MOST_MONTHS_AHEAD) else "",
    }  # fmt: skip


View = Callable[[Request, Store, SlotFilter, Given, date, datetime], Awaitable[dict[str, Any]]]
VIEWS: dict[str, View] = {"map": see_map, "calendar": see_month}


def view_links(request: Request, given: Given) -> list[tuple[str, str, str]]:
    """(view, words, address) of each view, the filters kept."""
    language = language_of(request)
    rest = {name: value for name, value in given.items() if name != "view"}
    words = {"list": "List", "map": "Map", "calendar": "Calendar"}
    return [
        (view, translate(text, language), _address({**({} if view == "list" else {"view": view}), **rest}))
        for view, text in words.items()
    ]


def _marks(request: Request, sums: Mapping[str, glance.Sum], given: Given) -> list[tuple[Circle, str, str]]:
    language = language_of(request)
    marks = []
    for circle in circles({ags: each.dates for ags, each in sums.items()}):
        name = municipalities()[circle.ags].name
        template = translations(language).ngettext("{name}: {count} date", "{name}: {count} dates", circle.count)
        marks.append((circle, template.format(name=name, count=circle.count), _list(given, municipality=circle.ags)))
    return marks


def _cell(day: date, held: glance.OfDay | None, given: Given) -> dict[str, Any]:
    address = _list(given, **{"from": day.isoformat(), "to": day.isoformat()})
    return {"day": day, "held": held, "address": address, "off": _off(day)}


def _off(day: date) -> DayOff | None:
    try:
        return day_off(day)
    except CalendarUnknown:
        return None


def _month_asked(request: Request, today: date) -> date | None:
    try:
        asked = date.fromisoformat(f"{request.query_params.get('month', '')}-01")
    except ValueError:
        return None
    last = today + timedelta(days=31 * MOST_MONTHS_AHEAD)
    return asked if today.replace(day=1) <= asked <= last else None


def _list(given: Given, **more: str) -> str:
    return _address({name: value for name, value in {**given, **more}.items() if name != "view"})


def _month(given: Given, day: date) -> str:
    return _address({**given, "month": f"{day:%Y-%m}"})


def _address(query: Given) -> str:
    return f"/events/?{urlencode(query)}" if query else "/events/"
