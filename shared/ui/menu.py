"""The main menu, the same in all three services: what a person's roles can do."""

from shared.auth import Identity
from shared.ui.language import translate


def menu(person: Identity | None, language: str) -> list[tuple[str, str]]:
    """(address, text) of each entry for `person`, in `language`."""
    entries = [("/events/", "Find a place")]
    if person is None:
        entries.append(("/outreach/sign-in", "Sign in"))
    else:
        if person.has("teacher") or person.coordinates:
            entries += [("/events/registrations", "Registrations"), ("/outreach/visits", "School visits")]
        if person.has("company") or person.coordinates:
            entries.append(("/events/offers", "Offers"))
        if person.has("company") and not (person.has("teacher") or person.coordinates):
            entries.append(("/outreach/visits", "School visits"))
        if person.has("ambassador"):
            entries.append(("/outreach/my-visits", "My visits"))
        if person.coordinates:
            entries += [("/outreach/", "Campaigns"), ("/outreach/schools", "Schools")]
        if person.coordinates or person.has("operator"):
            entries += [("/notify/", "Mails"), ("/events/messages", "Messages")]
    return [(address, translate(text, language)) for address, text in entries]


def section(path: str, addresses: list[str]) -> str:
    """The address of the entry to which the page `path` belongs: the longest that it lies below; empty for none."""
    return max((each for each in addresses if path.startswith(each)), key=len, default="")
