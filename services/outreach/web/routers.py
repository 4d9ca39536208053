"""All pages."""

from services.outreach.web import (
    account,
    ambassadors,
    api_keys,
    campaigns,
    colleagues,
    companies,
    imports,
    oidc,
    people,
    schools,
    sign_in,
    visits,
)

ROUTERS = [
    part.router
    for part in (
        sign_in,
        oidc,
        account,
        colleagues,
        campaigns,
        schools,
        imports,
        oidc,
        companies,
        people,
        api_keys,
        visits,
        ambassadors,
    )
]
