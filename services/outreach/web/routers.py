"""All pages."""

from services.outreach.web import (
    ambassadors,
    api_keys,
    campaigns,
    companies,
    imports,
    people,
    schools,
    sign_in,
    tables,
    visits,
)

PAGES = (tables, sign_in, campaigns, schools, imports, companies, people, api_keys, visits, ambassadors)
ROUTERS = [part.router for part in PAGES]
