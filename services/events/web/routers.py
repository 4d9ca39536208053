"""All pages."""

from services.events.web import booking, coverage, manage, offers, places, registrations, self_found

ROUTERS = [part.router for part in (places, booking, registrations, offers, manage, self_found, coverage)]
