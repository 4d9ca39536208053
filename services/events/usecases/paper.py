"""What a school takes along on the day: only for a class that has its places."""

from services.events.domain import errors
from services.events.domain.check_in import check_in_code
from services.events.store.store import Store
from services.events.usecases.registrations import show_registration
from services.events.usecases.results import RegistrationView
from shared.auth import Identity


async def show_confirmed(store: Store, identity: Identity, registration_id: str) -> RegistrationView:
    """A registration that is confirmed or over, for its school and the coordinator; NotConfirmed for another one."""
    found = await show_registration(store, identity, registration_id)
    identity.must_act_for_school(found.school_id)
    if found.state not in ("confirmed", "attended"):
        raise errors.NotConfirmed
    return found


def check_in_address(registration_id: str, public_url: str, secret_key: str) -> str:
    """What the group's QR picture holds: where the company ticks that the group has come."""
    return f"{public_url}/events/check-in/{registration_id}/{check_in_code(registration_id, secret_key)}"
