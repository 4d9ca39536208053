"""All pages."""

from services.outreach.web import (
    account,
    ambassadors,
    api_keys,
    campaigns,
    colleagues,
    companies,
    imports,
    people,
    schools,
    sign_in,
    visits,
)

ROUTERS = [
    part.router
    for part in (
        sign_in,
        account,
        colleagues,
        campaigns,
        schools,
        imports,
        companies,
        people,
        api_keys,
        visits,
        ambassadors,
    )
]
