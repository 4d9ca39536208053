"""python -m services.outreach.first_coordinator <e-mail address> <name>: for a system that nobody can sign in to yet."""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta

from services.outreach.settings import Settings
from services.outreach.store import collections
from services.outreach.store.core import Store
from services.outreach.usecases.bootstrap import ensure_coordinator
from services.outreach.usecases.sign_in import make_sign_in_link
from shared.mongo import database


def main() -> None:
    """Enter the coordinator named on the command line and print a link that signs her in once, within the hour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("email")
    parser.add_argument("name")
    arguments = parser.parse_args()
    print(asyncio.run(_link(arguments.email, arguments.name)))


async def _link(email: str, name: str) -> str:
    settings = Settings()  # type: ignore[call-arg]
    now = datetime.now(UTC)
    async with database(settings.mongodb_url, f"{settings.database_prefix}_outreach") as db:
        store = Store(db, keep_people=timedelta(days=settings.keep_people_days))
        await collections.prepare(store)
        person_id = await ensure_coordinator(store, email, name, now)
        return settings.public_url + await make_sign_in_link(store, person_id, timedelta(hours=1), now)


if __name__ == "__main__":
    main()
