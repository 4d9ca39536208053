"""The search over this service: mails by recipient and subject."""

from services.notify.domain import Delivery
from services.notify.usecases.context import Context
from shared.auth import Identity
from shared.search import SHOWN


async def find_mails(context: Context, identity: Identity, q: str) -> list[Delivery]:
    """Mails whose recipient or subject has words that begin so, the newest first: one more than are shown."""
    identity.must_coordinate()
    return (await context.store.log.search(q))[: SHOWN + 1]
