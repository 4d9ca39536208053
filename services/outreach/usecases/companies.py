"""Entering and changing companies."""

from datetime import datetime

from services.outreach.domain.companies import ChangeCompany, Company, CompanyNotFound, EnterCompany, location
from services.outreach.domain.people import EnterPerson, RoleGiven
from services.outreach.store.core import Store
from services.outreach.usecases.people import enter_within
from shared.auth import Identity
from shared.ids import derived_id
from shared.log import correlation_id
from shared.mongo import AlreadyThere, Session


async def enter_company(
    store: Store, identity: Identity, command: EnterCompany, *, now: datetime, request_id: str
) -> Company:
    """A new company; its contact becomes (or already is) a person with the role company."""
    identity.must_coordinate()
    company = Company(
        id=derived_id(request_id, "company"),
        last_request_id=request_id,
        **command.model_dump(exclude={"contact"}),
        **location(command.postal_code),
    )

    async def work(session: Session) -> Company:
        there = await store.get("companies", Company, company.id, session)
        if there:
            return there
        await store.insert("companies", company, [company.message(now, correlation_id.get())], session)
        return await _with_contact(store, session, company, command, now=now, request_id=request_id)

    for _ in range(2):
        try:
            return await store.transaction(work)
        except AlreadyThere:  # the same request, or the same address, in this very moment: it is found the next time
            continue
    return await store.transaction(work)


async def change_company(
    store: Store, identity: Identity, company_id: str, command: ChangeCompany, *, now: datetime, request_id: str
) -> Company:
    """The company with other facts. CompanyNotFound, ChangedMeanwhile."""
    identity.must_coordinate()
    company = await get_company(store, identity, company_id)
    if company.last_request_id == request_id:
        return company
    changed = company.with_facts(command, request_id)
    await store.save("companies", changed, [changed.message(now, correlation_id.get())])
    return changed


async def get_company(store: Store, identity: Identity, company_id: str) -> Company:
    """One company, for coordinators and its own people. CompanyNotFound."""
    identity.must_act_for_company(company_id)
    company = await store.get("companies", Company, company_id)
    if company is None:
        raise CompanyNotFound
    return company


async def list_companies(
    store: Store, identity: Identity, *, limit: int = 50, after: str | None = None
) -> tuple[list[Company], str | None]:
    """Companies by name."""
    identity.must_coordinate()
    return await store.page("companies", Company, {}, "name", limit, after)


async def _with_contact(
    store: Store, session: Session, company: Company, command: EnterCompany, *, now: datetime, request_id: str
) -> Company:
    if command.contact is None:
        return company
    role = RoleGiven(kind="company", organisation_id=company.id)
    person = await enter_within(
        store,
        session,
        EnterPerson(**command.contact.model_dump(), roles=[role]),
        now=now,
        request_id=request_id,
    )
    known = {"$set": {"contact_person_id": person.id}}  # not told to others: they know the person's role
    await store.db.companies.update_one({"_id": company.id}, known, session=session)
    return company.model_copy(update={"contact_person_id": person.id})
