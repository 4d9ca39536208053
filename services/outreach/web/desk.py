"""What the pages of visits work with: one object instead of the same six parameters in every route."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from services.outreach.edge import FORM_ERRORS, Now, ThePages, TheStore, Zone
from services.outreach.store.core import Store
from shared import region
from shared.auth import Identity
from shared.errors import RuleBroken
from shared.web.callers import Person
from shared.web.pages import Pages, form_request_id, language_of, posted, see_other, validated

FormError = RuleBroken | ValidationError
Again = Callable[[FormData, FormError], Awaitable[Response]]


@dataclass(frozen=True)
class Desk:
    """A request of a signed-in person, with all that answers it."""

    request: Request
    pages: Pages
    store: Store
    zone: str
    now: datetime
    person: Identity

    @property
    def language(self) -> str:
        """The person's."""
        return language_of(self.request)

    @property
    def today(self) -> date:
        """The day of the region's calendar."""
        return self.local(self.now).date()

    @property
    def fields(self) -> dict[str, str]:
        """The fields of work: code → name in the person's language."""
        return dict(region.career_fields(language_of(self.request)))

    def local(self, moment: datetime) -> datetime:
        """What clocks of the region show at `moment`."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page; templates find `local`, `now` and `today` in it."""
        common = {"local": self.local, "now": self.now, "today": self.today, "fields": self.fields}
        return self.pages.show(self.request, template, status, **{**common, **values})

    async def act(
        self,
        model: type[BaseModel],
        fields: Callable[[FormData], dict[str, Any]],
        use: Callable[[Any, str], Awaitable[object]],
        again: Again,
        then: str,
    ) -> Response:
        """One form: `use` gets the command and the request id; `again` shows the page with what is wrong."""
        form = await posted(self.request)
        try:
            await use(validated(model, fields(form)), form_request_id(self.person, form))
        except FORM_ERRORS as error:
            return await again(form, error)
        return see_other(then)


async def _desk(request: Request, pages: ThePages, store: TheStore, zone: Zone, now: Now, person: Person) -> Desk:
    return Desk(request, pages, store, zone, now, person)


TheDesk = Annotated[Desk, Depends(_desk)]
