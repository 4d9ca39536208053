"""All pages."""

from services.events.web import (
    booking,
    calendar,
    coverage,
    find,
    home,
    manage,
    offers,
    paper,
    places,
    registrations,
    search,
    self_found,
    tables,
)

# The lists' files first: /offers.csv is no offer.
PARTS = (
    tables,
    home,
    find,
    places,
    booking,
    registrations,
    paper,
    calendar,
    offers,
    manage,
    self_found,
    search,
    coverage,
)
ROUTERS = [part.router for part in PARTS]
