"""How urgent mails are: of those that are due the most urgent are sent first."""

from datetime import timedelta

SIGN_IN, TRANSITION, REMINDER, BULK = range(4)
LONGEST_PAUSE = {
    SIGN_IN: timedelta(seconds=30),
    TRANSITION: timedelta(minutes=15),
    REMINDER: timedelta(minutes=30),
    BULK: timedelta(hours=1),
}
REMINDERS = frozenset({"slot_reminder", "visit_reminder", "pupil_reminder"})
TO_MANY = frozenset({"offer_changed", "contact_changed", "address_suppressed", "webhook_paused"})


def urgency_of(kind: str) -> int:
    """Somebody sits and waits for the mail to sign in. What became of a registration or visit goes before reminders,
    and those before news that goes to all classes of an offer or to all coordinators."""
    if kind == "sign_in":
        return SIGN_IN
    if kind in REMINDERS:
        return REMINDER
    return BULK if kind in TO_MANY else TRANSITION
