"""The search page that every service has. What is looked for is typed into a form and stands in no address."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter, Request, Response

from shared.identity import Identity
from shared.search import Hits
from shared.ui.language import Language, translate
from shared.web.callers import Person
from shared.web.pages import language_of, posted

Find = Callable[[Request, Identity, str, datetime, Language], Awaitable[list[Hits]]]
LONGEST = 200


def search_router(find: Find, may: Callable[[Identity], None]) -> APIRouter:
    """`/search` of a service: `find` looks, `may` refuses those for whom there is nothing to find."""
    router = APIRouter()

    @router.get("/search")
    async def show_search(request: Request, person: Person) -> Response:
        """An empty form."""
        may(person)
        return _page(request, "search.html", "", None)

    @router.post("/search")
    async def search(request: Request, person: Person) -> Response:
        """What was found; to htmx, which takes it into another service's page, only that."""
        may(person)
        form = await posted(request)
        q = " ".join(str(form.get("q", ""))[:LONGEST].split())
        found = await find(request, person, q, request.app.state.clock.now(), language_of(request)) if q else []
        within = request.headers.get("hx-request") == "true"
        return _page(request, "search_hits.html" if within else "search.html", q, found)

    return router


def _page(request: Request, template: str, q: str, found: list[Hits] | None) -> Response:
    state, language = request.app.state, language_of(request)
    shown = None
    if found is not None:
        shown = [replace(group, heading=translate(group.heading, language)) for group in found if group.hits]
    return state.pages.show(request, template, found=shown, values={"q": q})
