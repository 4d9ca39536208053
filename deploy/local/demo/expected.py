"""The demo's own book-keeping: what it expects to find, noted as it goes, without looking at the product's code."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
Reminders = dict[datetime, list[tuple[str, tuple[str, ...]]]]


@dataclass
class Confirmed:
    """A confirmed registration or visit (local wall time), whose reminders are to come; noted at an instant."""

    starts_local: datetime
    noted_at: datetime

    def reminders(self, days: tuple[int, ...]) -> list[datetime]:
        """The instants at 8:00 local time so many days before that were still ahead when this was noted."""
        wall = [datetime.combine(self.starts_local.date() - timedelta(days=before), time(8), ZONE) for before in days]
        return [moment.astimezone(UTC) for moment in wall if moment > self.noted_at]


@dataclass
class Expected:
    """Mails by (kind, recipient's role), and what is confirmed."""

    mails: Counter[tuple[str, str]] = field(default_factory=Counter)
    confirmed: dict[str, Confirmed] = field(default_factory=dict)
    visits: dict[str, Confirmed] = field(default_factory=dict)

    def mail(self, kind: str, *roles: str) -> None:
        """One mail of `kind` to each of `roles`."""
        self.mails.update((kind, role) for role in roles)

    def reminders(self) -> Reminders:
        """For each instant the reminders due then, as (kind, roles)."""
        due: Reminders = defaultdict(list)
        for entry in self.confirmed.values():
            for moment in entry.reminders((14, 2)):
                due[moment].append(("slot_reminder", ("teacher", "company")))
        for entry in self.visits.values():
            for moment in entry.reminders((2,)):
                due[moment].append(("visit_reminder", ("teacher", "ambassador")))
        return due
