"""All routes of the API."""

from services.outreach.api import ambassadors, api_keys, campaigns, companies, people, reports, schools, visits

_PARTS = (schools, companies, people, campaigns, api_keys, visits, ambassadors, reports)
ROUTERS = [part.router for part in _PARTS]
