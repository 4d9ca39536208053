"""All pages."""

from services.outreach.web import (
    ambassador_list,
    ambassadors,
    api_keys,
    campaigns,
    companies,
    imports,
    people,
    school_choice,
    schools,
    sign_in,
    visit_page,
    visits,
)

ROUTERS = [
    part.router
    for part in (
        sign_in,
        campaigns,
        school_choice,
        schools,
        imports,
        companies,
        people,
        api_keys,
        visits,
        visit_page,
        ambassadors,
        ambassador_list,
    )
]
