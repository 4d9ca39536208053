"""Finding a school or company by a part of its name: for coordinators, who know all of them."""

from services.outreach.store import organisations as stored
from services.outreach.store.core import Store
from services.outreach.store.organisations import Organisation
from shared.errors import Invalid
from shared.identity import Identity

IN_ORGANISATIONS = ("teacher", "company", "ambassador")
MOST = 20


async def search_organisations(store: Store, identity: Identity, kind: str, q: str) -> list[Organisation]:
    """Up to 20 open schools (for the role teacher) or active companies (company, ambassador) that fit `q`, by name."""
    identity.must_coordinate()
    if kind not in IN_ORGANISATIONS:
        raise Invalid
    return await stored.search(store, kind, q, MOST)  # type: ignore[arg-type]
