"""The main pages, and as whom they are opened."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page as a person opens it; `form` is sent where there is one. {names} in `path` are ids."""

    who: str
    name: str
    path: str
    form: Mapping[str, str] | None = None


PAGES = [
    Page("anyone", "start", "/outreach/start"),
    Page("anyone", "offers", "/events/"),
    Page("anyone", "offers, filtered", "/events/?grade=8&free_places=25&field=M"),
    Page("anyone", "offers near, filtered", "/events/?near_school={school}&max_km=25"),
    Page("anyone", "map", "/events/?view=map"),
    Page("anyone", "calendar", "/events/?view=calendar"),
    Page("anyone", "slot", "/events/slots/{slot}"),
    Page("anyone", "compare", "/events/compare?slot={slot}&slot={slot2}&slot={slot3}"),
    Page("teacher", "home", "/events/home"),
    Page("teacher", "find by date", "/events/find"),
    Page("teacher", "find nearest", "/events/find?sort=distance&grade=8&free_places=25"),
    Page("teacher", "register form", "/events/slots/{slot}/register"),
    Page("teacher", "registration", "/events/registrations/{registration}"),
    Page("teacher", "registrations", "/events/registrations"),
    Page("company", "home", "/events/company"),
    Page("company", "offers", "/events/offers"),
    Page("company", "manage a slot", "/events/slots/{own_slot}/manage"),
    Page("company", "visitors", "/events/company/visitors"),
    Page("ambassador", "my visits", "/outreach/my-visits"),
    Page("coordinator", "home", "/outreach/"),
    Page("coordinator", "schools", "/outreach/schools"),
    Page("coordinator", "companies", "/outreach/companies"),
    Page("coordinator", "people", "/outreach/people"),
    Page("coordinator", "visits", "/outreach/visits"),
    Page("coordinator", "one visit", "/outreach/visits/{visit}"),
    Page("coordinator", "need and supply", "/events/coverage"),
    Page("coordinator", "schools reached", "/outreach/coverage"),
    Page("coordinator", "campaign with report", "/outreach/campaigns/{campaign}"),
    Page("coordinator", "search outreach", "/outreach/search", {"q": "Lehrkraft 77"}),
    Page("coordinator", "search events", "/events/search", {"q": "Stahl"}),
    Page("coordinator", "search notify", "/notify/search", {"q": "lehrkraft77"}),
    Page("coordinator", "registrations", "/events/registrations"),
    Page("coordinator", "offers", "/events/offers"),
    Page("coordinator", "mail log", "/notify/"),
    Page("coordinator", "one mail", "/notify/deliveries/{delivery}"),
    Page("coordinator", "stuck mails", "/notify/stuck"),
    Page("coordinator", "upcoming mails", "/notify/upcoming"),
    Page("coordinator", "suppressions", "/notify/suppressions"),
]


def with_ids(path: str, ids: Mapping[str, str]) -> str:
    """The address with the ids in it."""
    return path.format_map(ids)
