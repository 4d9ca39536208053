"""What the coordinator's own words may name in which mail, and what they must name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.notify.domain import FOR_PUPILS
from services.notify.words import Values


@dataclass(frozen=True)
class Field:
    """Something that a text may name: what it is, and how it is found."""

    meaning: str
    read: Callable[[Values], object]


def _read(*path: str) -> Callable[[Values], object]:
    def read(values: Values) -> object:
        found = values[path[0]]
        for name in path[1:]:
            found = getattr(found, name)
        return found

    return read


_DATE = {
    "day": Field("Day, with its weekday", _read("day")),
    "short_day": Field("Day, in figures", _read("short_day")),
    "time": Field("From when until when", _read("time")),
}
_TOUR = {
    "company": Field("Name of the company", _read("company")),
    "offer": Field("Title of the offer", _read("offer", "title")),
    "address": Field("Where it is", _read("address")),
    "school": Field("Name of the school", _read("school")),
    "group": Field("Name of the class", _read("group", "name")),
    **_DATE,
}
_CLASS = {
    "grade": Field("Grade of the class", _read("group", "grade")),
    "pupils": Field("Number of pupils", _read("group", "pupils")),
    "adults": Field("Number of accompanying adults", _read("group", "adults")),
}
_VISIT = {
    "school": Field("Name of the school", _read("visit", "school_name")),
    "address": Field("Address of the school", _read("visit", "school_address")),
    "group": Field("Name of the class", _read("visit", "group_name")),
    "grade": Field("Grade of the class", _read("visit", "grade")),
    "pupils": Field("Number of pupils", _read("visit", "pupils")),
    "field": Field("Field of work", _read("field")),
    **_DATE,
}
_OFFER = {
    "offer": Field("Title of the offer", _read("offer", "title")),
    "company": Field("Name of the company", _read("company")),
    "field": Field("Field of work", _read("field")),
    "address": Field("Where it is", _read("address")),
}
_WHO = {
    "de": {"school": "die Schule", "company": "das Unternehmen", "coordinator": "die Koordination"},
    "en": {"school": "the school", "company": "the company", "coordinator": "the coordinator"},
}
_CHANGED = {
    "de": {"place": "der Ort", "requirements": "was zu beachten ist"},
    "en": {"place": "the place", "requirements": "what to keep in mind"},
}
_AND = {"de": " und ", "en": " and "}


def _previous(name: str) -> Callable[[Values], object]:
    return lambda values: (values["previous"] or {}).get(name, "")


def _in_days(values: Values) -> str:
    """`heute`, `morgen`, `in 3 Tagen`."""
    days, german = values["days"], values["language"] == "de"
    if days in (0, 1):
        return (("heute", "morgen") if german else ("today", "tomorrow"))[days]
    return f"in {days} Tagen" if german else f"in {days} days"


def _begun_in_days(values: Values) -> str:
    told = _in_days(values)
    return told[:1].upper() + told[1:]


_REASON = Field("Reason given; may be empty", _read("reason"))
_UNTIL = Field("Until when; may be empty", _read("deadline"))
_SHORT_UNTIL = Field("Until when, in figures; may be empty", _read("short_deadline"))
_FREE = Field("Address of the page with open dates", lambda values: f"{values['public_url']}/events/")
_BEFORE = {
    "previous_day": Field("Former day; may be empty", _previous("day")),
    "previous_time": Field("Former time; may be empty", _previous("time")),
}
_IN_DAYS = {
    "in_days": Field("Today, tomorrow or in how many days", _in_days),
    "In_days": Field("The same, at the beginning of a sentence", _begun_in_days),
}
_SPECIAL: Mapping[str, Mapping[str, Field]] = {
    "registration_declined": {"reason": _REASON, "free_places": _FREE},
    "offered_places_expired": {"free_places": _FREE},
    "registration_cancelled": {
        "reason": _REASON,
        "free_places": _FREE,
        "cancelled_by": Field(
            "Who called it off", lambda v: _WHO[v["language"]].get(v["registration"].cancelled_by or "", "")
        ),
    },
    "registration_resized": {
        "previous_pupils": Field("Former number of pupils; may be empty", _read("registration", "previous_pupils")),
    },
    "places_offered": {"deadline": _UNTIL, "short_deadline": _SHORT_UNTIL},
    "confirmation_asked": {"deadline": _UNTIL},
    "registration_released": {"free_places": _FREE},
    "slot_moved": {"reason": _REASON, **_BEFORE},
    "offer_changed": {
        "reason": _REASON,
        "changed": Field(
            "What has changed",
            lambda v: _AND[v["language"]].join(_CHANGED[v["language"]].get(name, name) for name in v["changed"]),
        ),
    },
    "offer_sent_back": {"reason": _REASON},
    "slot_reminder": _IN_DAYS,
    "pupil_reminder": _IN_DAYS,
    "visit_reminder": _IN_DAYS,
    "visit_proposed": {"deadline": _UNTIL},
    "visit_date_proposed": {"deadline": _UNTIL, "reason": _REASON},
    "visit_moved": {"reason": _REASON, **_BEFORE},
    "visit_cancelled": {"reason": _REASON},
    "visit_member_left": {"reason": _REASON},
    "visit_proposal_withdrawn": {"reason": _REASON},
}  # fmt: skip
# Who replaces a part must say what its reader needs of it. Facts, button, link and calendar entry cannot be removed.
REQUIRED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "registration_declined": ("before", ("reason",)),
    "registration_cancelled": ("before", ("reason", "cancelled_by")),
    "places_offered": ("before", ("deadline",)),
    "confirmation_asked": ("before", ("deadline",)),
    "slot_moved": ("before", ("previous_day", "reason")),
    "offer_changed": ("before", ("changed", "reason")),
    "offer_sent_back": ("before", ("reason",)),
    "visit_proposed": ("after", ("deadline",)),
    "visit_date_proposed": ("after", ("deadline",)),
    "visit_moved": ("before", ("previous_day", "reason")),
    "visit_cancelled": ("before", ("reason",)),
}
_DAYS = "\x03"
_PLAIN = (
    "company", "school", "address", "day", "short_day", "time", "field", "deadline", "short_deadline", "reason",
    "first_name",
)  # fmt: skip
_WITHIN = {
    "group": {"name": "group", "grade": "grade", "pupils": "pupils", "adults": "adults"},
    "offer": {"title": "offer"},
    "registration": {"previous_pupils": "previous_pupils"},
    "visit": {
        "school_name": "school", "school_address": "address", "group_name": "group", "grade": "grade",
        "pupils": "pupils",
    },
}  # fmt: skip
# Mails whose standard words are others in other cases; own words stand in all of them.
BY_CASE = frozenset({
    "registration_cancelled", "registration_resized", "slot_moved", "offer_changed", "visit_proposal_declined",
    "visit_proposal_expired", "slot_reminder", "pupil_reminder", "visit_reminder",
})  # fmt: skip
MAY_BE_EMPTY = ("reason", "deadline", "previous_day", "previous_time", "previous_pupils", "cancelled_by", "day", "time")


def fields_of(kind: str, role: str, part: str = "before") -> dict[str, Field]:
    """What a text of this kind of mail to `role` may name, by its name.

    A subject never names a pupil: it stands in the mail log.
    """
    if kind in FOR_PUPILS:
        first_name = {"first_name": Field("First name of the pupil", _read("first_name"))}
        return {**_TOUR, **_SPECIAL.get(kind, {}), **(first_name if part != "subject" else {})}
    if kind.startswith("visit_"):
        reason = {"reason": _REASON} if kind == "visit_proposal_declined" and role != "ambassador" else {}
        return {**_VISIT, **_SPECIAL.get(kind, {}), **reason}
    if kind in ("offer_published", "offer_sent_back"):
        return {**_OFFER, **_SPECIAL.get(kind, {})}
    return {**_TOUR, **_CLASS, **_SPECIAL.get(kind, {})}


def required_of(kind: str) -> tuple[str, ...]:
    """The fields that this kind of mail must name when their part is replaced."""
    return REQUIRED.get(kind, ("", ()))[1]


def with_placeholders(values: Values) -> Values:
    """The values with the fields' names in place of what they say: the standard words to start from."""
    shown: Values = {name: f"{{{{ {name} }}}}" for name in _PLAIN if values.get(name)}
    if values.get("previous"):
        shown["previous"] = {"day": "{{ previous_day }}", "time": "{{ previous_time }}"}
    if values["days"]:
        shown["days"] = _DAYS
    for name, attributes in _WITHIN.items():
        if name in values:
            kept = {attribute for attribute in attributes if getattr(values[name], attribute) is not None}
            update = {attribute: f"{{{{ {attributes[attribute]} }}}}" for attribute in kept}
            shown[name] = values[name].model_copy(update=update)
    return {**values, **shown}


def as_start(text: str) -> str:
    """Words written `with_placeholders` as somebody may change them: what may be empty stands under its condition."""
    for word, name in (("in", "in_days"), ("In", "In_days")):
        text = re.sub(rf"\b{word} {_DAYS} (Tagen|days)", f"{{{{ {name} }}}}", text)
    blocks = text.split("\n\n")
    return "\n\n".join(
        f"{{% if reason %}}{block}{{% endif %}}" if "{{ reason }}" in block else block for block in blocks
    )
