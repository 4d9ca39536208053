"""What the states of all services begin with."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from shared.mongo import Database, database
from tests.support.estate import Estate
from tests.support.front_door import NOW

THEN = NOW - timedelta(days=25)  # a Thursday after the summer holidays
ZONE = "Europe/Berlin"


def database_of(estate: Estate, service: str) -> AbstractAsyncContextManager[Database]:
    """One service's database of the running system."""
    return database(estate.mongodb_url, f"{estate.door.prefix}_{service}")


def campaign_facts(name: str) -> dict[str, Any]:
    """A campaign that has been running since summer."""
    return {
        "name": name, "starts_on": str((NOW - timedelta(days=70)).date()),
        "ends_on": str((NOW + timedelta(days=200)).date()), "districts": ["05958", "05962", "05966", "05970", "05974"],
        "kinds": ["tour", "visit"], "offers_from": NOW - timedelta(days=90), "booking_from": NOW - timedelta(days=80),
        "closes_at": NOW + timedelta(days=190),
    }  # fmt: skip


def hours(day: str, starts: str = "09:00", ends: str = "10:30") -> dict[str, datetime]:
    """A date as people give it."""
    return {
        "starts_local": datetime.fromisoformat(f"{day}T{starts}"),
        "ends_local": datetime.fromisoformat(f"{day}T{ends}"),
    }
