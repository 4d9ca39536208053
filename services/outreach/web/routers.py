"""All pages."""

from services.outreach.web import (
    ambassadors,
    api_keys,
    campaigns,
    companies,
    imports,
    people,
    schools,
    search,
    sign_in,
    visits,
)

ROUTERS = [
    part.router
    for part in (sign_in, campaigns, schools, imports, companies, people, api_keys, visits, ambassadors, search)
]
