"""All pages."""

from services.events.web import booking, manage, offers, places, registrations, search, self_found

ROUTERS = [part.router for part in (places, booking, registrations, offers, manage, self_found, search)]
