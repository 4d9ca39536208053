"""The main menu, the same in all three services: what a person's roles can do."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.identity import Identity
from shared.schemas.outreach import Role
from shared.ui.language import translate

Entry = tuple[str, str]  # (address, English text)

PLACES: Entry = ("/events/", "Find a place")
SIGN_IN: Entry = ("/outreach/sign-in", "Sign in")
VISITS: Entry = ("/outreach/visits", "School visits")
ACCESS: Entry = ("/outreach/my-organisation", "Who has access")
MESSAGES: Entry = ("/outreach/messages", "Messages set aside")
ANYBODY: list[Entry] = [("/outreach/start", "What is this?"), PLACES, SIGN_IN]
TEACHER: list[Entry] = [
    ("/events/home", "Home"), ("/events/find", "Find a place"), ("/events/registrations", "Registrations"), VISITS,
]  # fmt: skip
COMPANY: list[Entry] = [
    ("/events/company", "My company"), ("/events/offers", "Offers"), ("/events/company/visitors", "Who comes"), VISITS,
]  # fmt: skip
AMBASSADOR: list[Entry] = [("/outreach/my-visits", "My visits")]
COORDINATOR: list[Entry] = [
    ("/outreach/", "Overview"), ("/events/offers", "Offers"), ("/events/registrations", "Registrations"), VISITS,
    ("/outreach/search", "Search"),
]  # fmt: skip
MAILS: list[Entry] = [
    ("/notify/", "Mail log"), ("/notify/stuck", "Stuck mails"), ("/notify/suppressions", "Suppressed addresses"),
    ("/notify/upcoming", "Coming mails"), ("/notify/templates", "Mail templates"),
    MESSAGES, ("/notify/wordings", "Own words"),
]  # fmt: skip
OPERATOR: list[Entry] = [MAILS[0], MAILS[1], MAILS[2], MAILS[5]]
MORE: dict[str, dict[str, list[Entry]]] = {
    "teacher": {"School": [("/events/self-found", "Self-found places"), ACCESS]},
    "company": {"Company": [("/outreach/ambassadors", "Ambassadors"), PLACES, ACCESS]},
    "coordinator": {
        "Campaign": [
            ("/events/offers/waiting", "Offers to check"), ("/events/coverage", "Need and supply"),
            ("/outreach/coverage", "Who got nothing"), PLACES, ("/events/self-found", "Self-found places"),
        ],
        "People and places": [
            ("/outreach/schools", "Schools"), ("/outreach/companies", "Companies"),
            ("/outreach/ambassadors", "Ambassadors"), ("/outreach/people", "People and roles"),
        ],
        "Mails": MAILS,
        "Upkeep": [
            ("/outreach/imports", "Import"), ("/outreach/feedback", "Feedback"), ("/outreach/api-keys", "API keys"),
            ("/notify/webhooks", "Webhooks"),
        ],
    },
}  # fmt: skip
HOMES = {
    "coordinator": COORDINATOR[0][0], "teacher": TEACHER[0][0], "company": COMPANY[0][0],
    "ambassador": AMBASSADOR[0][0], "operator": OPERATOR[0][0],
}  # fmt: skip


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


def home_of(roles: Sequence[Role]) -> str:
    """Where somebody with these roles begins."""
    kinds = {role.kind for role in roles}
    return next((address for kind, address in HOMES.items() if kind in kinds), PLACES[0])


def initials(name: str) -> str:
    """At most two letters for a person, as in "EM" for Erika Muster."""
    words = [word for word in name.split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def _entries(person: Identity | None) -> tuple[list[Entry], list[tuple[str, list[Entry]]]]:
    if person is None:
        return ANYBODY, []
    if person.coordinates:
        return COORDINATOR, list(MORE["coordinator"].items())
    main: list[Entry] = []
    more: list[tuple[str, list[Entry]]] = []
    for role, entries in (
        ("teacher", TEACHER), ("company", COMPANY), ("ambassador", AMBASSADOR), ("operator", OPERATOR),
    ):  # fmt: skip
        if person.has(role):  # type: ignore[arg-type]
            main += [entry for entry in entries if entry not in main]
            more += MORE.get(role, {}).items()
    return main or [PLACES], more


def _translated(entries: list[Entry], language: str) -> list[Entry]:
    return [(address, translate(text, language)) for address, text in entries]


def section(path: str, addresses: list[str]) -> str:
    """The address of the entry to which the page `path` belongs: the longest that it lies below; empty for none."""
    if path.split("/")[2:3] == ["messages"]:  # one entry for those of each service
        path = MESSAGES[0]
    return max((each for each in addresses if path.startswith(each)), key=len, default="")
