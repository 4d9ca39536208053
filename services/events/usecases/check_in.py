"""Checking a group in on the day: by the code in its QR picture."""

from services.events.domain import errors
from services.events.domain.check_in import is_check_in_code
from services.events.store.store import Store
from services.events.usecases.registrations import show_registration
from services.events.usecases.results import RegistrationView
from shared.auth import Identity
from shared.errors import NotAllowed


async def may_check_in(store: Store, identity: Identity | None, registration_id: str) -> bool:
    """Whether this is a contact of the company that the group visits, or the coordinator."""
    if identity is None:
        return False
    registration = await store.registration(registration_id)
    company_id = registration.company_id if registration else ""
    return identity.coordinates or (registration is not None and identity.has("company", company_id))


async def show_group(
    store: Store, identity: Identity, registration_id: str, code: str, secret_key: str
) -> RegistrationView:
    """The group that shows the code. NotAllowed for everybody but its host, CheckInCodeWrong."""
    if not await may_check_in(store, identity, registration_id):
        raise NotAllowed
    if not is_check_in_code(code, registration_id, secret_key):
        raise errors.CheckInCodeWrong
    return await show_registration(store, identity, registration_id)
