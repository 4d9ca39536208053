"""The main menu, the same in all three services: what a person's roles can do."""

from dataclasses import dataclass

from shared.identity import Identity
from shared.ui.language import translate

Entry = tuple[str, str]  # (address, English text)

PLACES: Entry = ("/events/", "Find a place")
SIGN_IN: Entry = ("/outreach/sign-in", "Sign in")
TEACHER: list[Entry] = [
    PLACES, ("/events/registrations", "Registrations"), ("/outreach/visits", "School visits"),
]  # fmt: skip
COMPANY: list[Entry] = [("/events/offers", "Offers"), ("/outreach/visits", "School visits")]
AMBASSADOR: list[Entry] = [("/outreach/my-visits", "My visits")]
COORDINATOR: list[Entry] = [
    ("/outreach/", "Campaigns"), ("/events/offers", "Offers"), ("/events/registrations", "Registrations"),
    ("/outreach/visits", "School visits"),
]  # fmt: skip
PEOPLE_AND_PLACES: list[Entry] = [
    PLACES, ("/outreach/schools", "Schools"), ("/outreach/companies", "Companies"),
    ("/outreach/ambassadors", "Ambassadors"), ("/outreach/people", "People and roles"),
]  # fmt: skip
MAILS: list[Entry] = [("/notify/", "Mail log"), ("/outreach/messages", "Messages set aside")]
UPKEEP: list[Entry] = [("/outreach/imports", "Import of schools"), ("/outreach/api-keys", "API keys")]


@dataclass(frozen=True)
class Menu:
    """`main` is always seen; `more` (heading → entries) opens on demand."""

    main: list[Entry]
    more: dict[str, list[Entry]]

    @property
    def addresses(self) -> list[str]:
        """Where its entries lead."""
        return [address for entries in (self.main, *self.more.values()) for address, _ in entries]


def menu(person: Identity | None, language: str) -> Menu:
    """What `person` sees, in `language`."""
    main, more = _entries(person)
    return Menu(_translated(main, language), {translate(k, language): _translated(v, language) for k, v in more})


def _entries(person: Identity | None) -> tuple[list[Entry], list[tuple[str, list[Entry]]]]:
    if person is None:
        return [PLACES, SIGN_IN], []
    if person.coordinates:
        return COORDINATOR, [("People and places", PEOPLE_AND_PLACES), ("Mails", MAILS), ("Upkeep", UPKEEP)]
    main: list[Entry] = []
    for role, entries in (("teacher", TEACHER), ("company", COMPANY), ("ambassador", AMBASSADOR), ("operator", MAILS)):
        if person.has(role):  # type: ignore[arg-type]
            main += [entry for entry in entries if entry not in main]
    return main or [PLACES], []


def _translated(entries: list[Entry], language: str) -> list[Entry]:
    return [(address, translate(text, language)) for address, text in entries]


def section(path: str, addresses: list[str]) -> str:
    """The address of the entry to which the page `path` belongs: the longest that it lies below; empty for none."""
    return max((each for each in addresses if path.startswith(each)), key=len, default="")
