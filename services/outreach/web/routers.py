"""All pages."""

from services.outreach.web import (
    account,
    ambassador_list,
    ambassadors,
    api_keys,
    campaigns,
    colleagues,
    companies,
    coverage,
    feedback,
    imports,
    oidc,
    people,
    public,
    school_choice,
    schools,
    search,
    sign_in,
    tables,
    visit_page,
    visits,
)

# The lists' files first: /people.csv is no person.
PAGES = (
    tables, sign_in, oidc, account, colleagues, campaigns, school_choice, schools, imports, companies, people, api_keys,
    visits, visit_page, ambassadors, ambassador_list, search, public, feedback, coverage,
)  # fmt: skip
ROUTERS = [part.router for part in PAGES]
