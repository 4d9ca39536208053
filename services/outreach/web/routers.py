"""All pages."""

from services.outreach.web import (
    ambassadors,
    api_keys,
    campaigns,
    companies,
    coverage,
    feedback,
    imports,
    people,
    public,
    schools,
    sign_in,
    visits,
)

ROUTERS = [
    part.router
    for part in (
        sign_in, campaigns, schools, imports, companies, people, api_keys, visits, ambassadors, public, feedback,
        coverage,
    )
]  # fmt: skip
