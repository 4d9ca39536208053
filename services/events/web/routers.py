"""All pages."""

from services.events.web import (
    booking,
    calendar,
    find,
    home,
    manage,
    offers,
    paper,
    places,
    registrations,
    self_found,
    tables,
)

# The lists' files first: /offers.csv is no offer.
PARTS = (tables, home, find, places, booking, registrations, paper, calendar, offers, manage, self_found)
ROUTERS = [part.router for part in PARTS]
