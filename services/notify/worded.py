"""A mail in the coordinator's own words: what was changed replaces its part of the standard mail, in text and HTML.

Greeting, facts, notes on the calendar entry, button, link and footer are always those of the templates below mails/.
"""

import re
from dataclasses import dataclass
from typing import Any

from jinja2 import BaseLoader, Environment, FunctionLoader
from jinja2.loaders import TemplateNotFound
from markupsafe import Markup

from services.notify.domain import Recipient
from services.notify.wording import Parts, written
from services.notify.words import Values

_FACTS, _FOOT = "\x01", "\x02"
_STATE = {
    "de": {
        "confirmed": "Ihre Plätze bleiben bestätigt.", "requested": "Ihre Anfrage ist noch nicht bestätigt.",
        "offered": "Die angebotenen Plätze bleiben für Sie frei.",
        "waitlisted": "Ihre Klasse bleibt auf der Warteliste.",
    },
    "en": {
        "confirmed": "Your places stay confirmed.", "requested": "Your request is not yet confirmed.",
        "offered": "The places on offer stay free for you.", "waitlisted": "Your class stays on the waiting list.",
    },
}  # fmt: skip
_TELLS_STATE = ("slot_moved", "registration_resized", "offer_changed")
_CALENDAR = {
    "de": {
        "REQUEST": "Der Kalendereintrag liegt bei. Verschiebt sich etwas, kommt er von selbst auf den neuen Stand.",
        "CANCEL": "Der Eintrag in Ihrem Kalender verschwindet mit dieser Mail.",
    },
    "en": {
        "REQUEST": "The calendar entry is attached. If anything moves, it will update itself.",
        "CANCEL": "The entry in your calendar disappears with this mail.",
    },
}


@dataclass(frozen=True)
class Standard:
    """The pieces of a standard mail's text. `before` and `after` are what can be changed."""

    greeting: str
    before: str
    facts: str
    after: str
    link: str
    foot: str


class Worded:
    """Writes mails of which parts were changed. `environment` is that of the standard mails."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._marked = environment.overlay(loader=_marking(environment.loader))

    def standard(self, kind: str, values: Values) -> Standard:
        """The standard text in its pieces."""
        body = self._marked.get_template(f"{kind}/body.txt.{values['language']}").render(values)
        body, _, foot = re.sub(r"\n{3,}", "\n\n", body).partition(_FOOT)
        before, facts, after = (*body.split(_FACTS), "", "")[:3]
        greeting, _, before = before.partition("\n\n")
        rest = (after if facts else before).strip()
        rest, _, link = rest.rpartition("\n\n")
        pieces = (greeting, before, facts, rest) if facts else (greeting, rest, "", "")
        return Standard(*(piece.strip() for piece in pieces), link.strip(), foot)

    def heading(self, kind: str, values: Values) -> str:
        """The standard heading of the HTML part, as plain text."""
        template = self._environment.get_template(f"{kind}/body.html.{values['language']}")
        return Markup("".join(template.blocks["title"](template.new_context(values)))).striptags()

    def write(self, kind: str, to: Recipient, parts: Parts, values: Values) -> tuple[str, str, str]:
        """(subject, text, HTML), the subject empty when it is the standard one; PartInvalid or TemplateError when the
        words cannot be used."""
        own = written(kind, to, parts, values)
        standard = self.standard(kind, values)
        notes = _notes(kind, to, own, values)
        text = [
            standard.greeting, own.before or standard.before, notes["before"], standard.facts,
            own.after or standard.after, notes["after"], standard.link,
        ]  # fmt: skip
        whole = "\n\n".join(piece for piece in text if piece) + f"\n\n{standard.foot}"
        html = self._environment.get_template("common/worded.html").render(
            values, kind=kind, heading=own.heading, greeting=standard.greeting if to.role == "pupil" else "",
            before=paragraphs(own.before, notes["before"]), after=paragraphs(own.after, notes["after"]),
        )  # fmt: skip
        return own.subject, re.sub(r"\n{3,}", "\n\n", whole).strip() + "\n", html.strip() + "\n"


def paragraphs(*texts: str) -> list[list[str]]:
    """The paragraphs of what was typed, each as its lines."""
    found = [block.strip().splitlines() for text in texts for block in re.split(r"\n\s*\n", text)]
    return [lines for lines in found if lines] if texts[0] else []


def _notes(kind: str, to: Recipient, own: Parts, values: Values) -> dict[str, str]:
    """What the replaced parts said of state and calendar, which is not for anybody to leave out."""
    language = values["language"]
    state = values["registration"].state if kind in _TELLS_STATE and to.role == "teacher" else ""
    return {
        "before": _STATE[language].get(state, "") if own.before else "",
        "after": _CALENDAR[language].get(values["calendar"], "") if own.after else "",
    }


def _marking(loader: BaseLoader | None) -> FunctionLoader:
    """The same templates, with marks around the facts and before the footer of text parts."""

    def load(name: str) -> Any:
        if loader is None:
            raise TemplateNotFound(name)
        source = loader.get_source(Environment(), name)[0]
        if name.startswith("common/foot.txt."):
            return _FOOT + source
        return f"{_FACTS}{source}{_FACTS}" if name.startswith("common/") else source

    return FunctionLoader(load)
