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
    tables,
    visits,
)

# The lists' files first: /people.csv is no person.
PAGES = (
    tables, sign_in, oidc, account, colleagues, campaigns, schools, imports, companies, people, api_keys, visits,
    ambassadors,
)  # fmt: skip
ROUTERS = [part.router for part in PAGES]
