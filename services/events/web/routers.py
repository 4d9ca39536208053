"""All pages."""

from services.events.web import (
    answers,
    booking,
    calendar,
    check_in,
    company,
    coverage,
    find,
    home,
    manage,
    offer_check,
    offers,
    paper,
    places,
    registrations,
    repeat,
    search,
    self_found,
    series,
    tables,
)

# The lists' files first: /offers.csv is no offer. Then a word of its own before any word at the same place.
PARTS = (
    tables, home, answers, find, places, booking, registrations, paper, calendar, company, offer_check, series, repeat,
    offers, check_in, manage, self_found, search, coverage,
)  # fmt: skip
ROUTERS = [part.router for part in PARTS]
