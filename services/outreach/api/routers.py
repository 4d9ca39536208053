"""All routes of the API."""

from services.outreach.api import api_keys, campaigns, companies, people, reports, schools

ROUTERS = [part.router for part in (schools, companies, people, campaigns, api_keys, reports)]
