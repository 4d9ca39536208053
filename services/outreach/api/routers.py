"""All routes of the API."""

from services.outreach.api import ambassadors, api_keys, campaigns, companies, people, reports, schools, visits

ROUTERS = [part.router for part in (schools, companies, people, campaigns, api_keys, reports, visits, ambassadors)]
