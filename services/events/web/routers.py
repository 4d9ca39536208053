"""All pages."""

from services.events.web import (
    booking,
    check_in,
    company,
    manage,
    offer_check,
    offers,
    places,
    registrations,
    repeat,
    self_found,
    series,
)

ROUTERS = [  # an address with a word of its own before one that takes any word there
    part.router
    for part in (
        places, booking, registrations, company, offer_check, series, repeat, offers, check_in, manage, self_found,
    )
]  # fmt: skip
