"""All pages."""

from services.outreach.web import api_keys, campaigns, companies, imports, messages, people, schools, sign_in

ROUTERS = [part.router for part in (sign_in, campaigns, schools, imports, companies, people, api_keys, messages)]
