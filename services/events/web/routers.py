"""All pages."""

from services.events.web import booking, calendar, find, home, manage, offers, paper, places, registrations, self_found

PARTS = (home, find, places, booking, registrations, paper, calendar, offers, manage, self_found)
ROUTERS = [part.router for part in PARTS]
