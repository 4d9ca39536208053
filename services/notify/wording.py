"""The coordinator's own words in a mail of one campaign: what they may name, and what is refused when they are saved.

Only text with the fields below and simple conditions: no loops, calls, filters or attributes. So a text is written in
a time that its length bounds, and can read nothing but what the list of fields names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain import WITH_TOKEN, Delivery, Recipient
from services.notify.wording_fields import MAY_BE_EMPTY, REQUIRED, Field, fields_of
from services.notify.words import Values
from shared.errors import Conflict, Invalid, NotFound, RuleBroken

TEST = "wording_test"  # the kind of a mail by which somebody tries words out
PARTS = ("subject", "heading", "before", "after")
LONGEST = {"subject": 150, "heading": 120, "before": 2000, "after": 2000}
LONGEST_WRITTEN = 20_000
DEEPEST = 8
# What nobody changes: mails that let people in, that no campaign causes, by which people consent, or whose words are
# must name who does not come.
FIXED = frozenset({*WITH_TOKEN, "address_suppressed", "parent_question", "pupil_confirmation", "reminder_digest"}) | {
    "contact_changed", "webhook_paused", "visit_team_smaller",
}  # fmt: skip
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Compare, nodes.Operand, nodes.Const,
    nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
_COMPARED = ("eq", "ne")


class WordingUnknown(NotFound):
    """There is no such mail whose words could be changed."""


class WordingChangedMeanwhile(Conflict):
    """Somebody else changed these words at the same time. Please look at them again."""


class WordingUnchanged(Conflict):
    """These words are in use already."""


class PartInvalid(Invalid):
    """A part of the words cannot be used."""

    def __init__(self, part: str, **values: object) -> None:
        self.field = part
        super().__init__(**values)


class PartTooLong(PartInvalid):
    """This is longer than {most} characters."""


class PartUnreadable(PartInvalid):
    """Line {line}: this cannot be read. Does each brace have its partner, and each “if” its “endif”?"""


class FieldUnknown(PartInvalid):
    """Line {line}: this mail has no field “{name}”. The fields stand in the list below."""


class NotForWords(PartInvalid):
    """Line {line}: only fields and simple conditions can stand between braces."""


class WritesNothing(PartInvalid):
    """This stays empty in some cases, for example when no reason was given."""


class MustBeNamed(PartInvalid):
    """This mail must name “{name}”: its reader needs it."""


class OneLineOnly(PartInvalid):
    """This must be one line."""


@dataclass(frozen=True)
class WordingKey:
    """Which words: of a kind of mail to one role, in one language, in one campaign."""

    campaign_id: str
    kind: str
    role: str
    language: str

    @property
    def text(self) -> str:
        """The key as one text."""
        return ":".join((self.campaign_id, self.kind, self.role, self.language))


@dataclass(frozen=True)
class Parts:
    """What was typed; an empty part is the standard one. `before` and `after` stand around the facts."""

    subject: str = ""
    heading: str = ""
    before: str = ""
    after: str = ""

    @property
    def standard(self) -> bool:
        """Whether nothing was changed."""
        return not any(getattr(self, part) for part in PARTS)


@dataclass(frozen=True)
class Wording:
    """One version of the words. `by` is the person's id, `taken_from` the earlier version that was taken back."""

    key: WordingKey
    version: int
    parts: Parts
    saved_at: datetime
    by: str
    request_id: str = ""
    taken_from: int | None = None


def key_of(delivery: Delivery) -> WordingKey | None:
    """Whose words a mail has; None when they are always the standard ones."""
    facts = delivery.facts or {}
    if delivery.kind in FIXED:
        return None
    about = facts.get("visit") or facts.get("offer") or facts.get("registration", {}).get("slot", {}).get("offer") or {}
    campaign = about.get("campaign_id")
    return WordingKey(campaign, delivery.kind, delivery.to.role, delivery.to.language) if campaign else None


def cleaned(parts: Parts) -> Parts:
    """The parts with plain line ends, without control characters and surrounding space."""
    lines = {part: getattr(parts, part).replace("\r\n", "\n").replace("\r", "\n") for part in PARTS}
    kept = {part: "".join(c for c in text if c == "\n" or c.isprintable()) for part, text in lines.items()}
    return Parts(**{part: text.strip() for part, text in kept.items()})


def written(kind: str, to: Recipient, parts: Parts, values: Values) -> Parts:
    """The parts with their fields filled in; TemplateError, or PartInvalid when a text becomes too long or empty."""
    done = {
        part: _write(part, getattr(parts, part), told_by(kind, to, part, values))
        for part in PARTS
        if getattr(parts, part)
    }
    return Parts(**done)


def told_by(kind: str, to: Recipient, part: str, values: Values) -> dict[str, str]:
    """What the fields say in this mail."""
    found = {name: field.read(values) for name, field in fields_of(kind, to.role, part).items()}
    return {name: "" if value is None else str(value) for name, value in found.items()}


def _write(part: str, text: str, told: Mapping[str, str]) -> str:
    result = _compiled(text).render(told).strip()
    if len(result) > LONGEST_WRITTEN:
        raise PartTooLong(part, most=LONGEST_WRITTEN)
    if not result:
        raise WritesNothing(part)
    return " ".join(result.split()) if part in ("subject", "heading") else result


@lru_cache(maxsize=512)
def _compiled(text: str) -> Template:
    return _environment().from_string(text)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.globals.clear()
    return environment


def faults_of(kind: str, parts: Parts, samples: Sequence[tuple[Recipient, Values]]) -> dict[str, RuleBroken]:
    """Why these parts cannot be saved, by part: each is read, and then written with every sample, and with nothing in
    the fields that may be empty. The samples are to one role."""
    role = samples[0][0].role
    read = {part: _unreadable(kind, role, part, getattr(parts, part)) for part in PARTS}
    faults: dict[str, RuleBroken] = {part: fault for part, fault in read.items() if fault}
    if not faults:
        for to, values in samples:
            for fault in _when_written(kind, to, parts, values):
                faults.setdefault(fault.field or "", fault)
    return faults


def _unreadable(kind: str, role: str, part: str, text: str) -> PartInvalid | None:
    if len(text) > LONGEST[part]:
        return PartTooLong(part, most=LONGEST[part])
    if part in ("subject", "heading") and "\n" in text:
        return OneLineOnly(part)
    try:
        tree = _environment().parse(text)
        return next(_faults_in(tree, part, fields_of(kind, role, part)), None)
    except TemplateSyntaxError as error:
        return PartUnreadable(part, line=error.lineno)
    except RecursionError:
        return NotForWords(part, line=1)


def _faults_in(tree: nodes.Node, part: str, known: Mapping[str, Field], depth: int = 0) -> Iterator[PartInvalid]:
    line = tree.lineno or 1
    if not isinstance(tree, _ALLOWED) or depth > DEEPEST:
        yield NotForWords(part, line=line)
        return
    if isinstance(tree, nodes.Operand) and tree.op not in _COMPARED:
        yield NotForWords(part, line=line)
    if isinstance(tree, nodes.Name) and tree.name not in known:
        yield FieldUnknown(part, line=line, name=tree.name)
    for child in tree.iter_child_nodes():
        yield from _faults_in(child, part, known, depth + 1)


def _when_written(kind: str, to: Recipient, parts: Parts, values: Values) -> Iterator[PartInvalid]:
    full = {name: f"\x01{name}\x01" for name in fields_of(kind, to.role)}
    bare = {name: "" if name in MAY_BE_EMPTY else value for name, value in full.items()}
    for part in (part for part in PARTS if getattr(parts, part)):
        for told in (told_by(kind, to, part, values), full, bare):
            try:
                _write(part, getattr(parts, part), told)
            except PartInvalid as fault:
                yield fault
            except TemplateError:
                yield PartUnreadable(part, line=1)
    yield from _not_named(kind, parts, full)


def _not_named(kind: str, parts: Parts, full: Mapping[str, str]) -> Iterator[PartInvalid]:
    carrier, names = REQUIRED.get(kind, ("", ()))
    if not carrier or not getattr(parts, carrier):
        return
    told = "".join(_compiled(text).render(full) for text in (parts.before, parts.after) if text)
    for name in names:
        if name in full and full[name] not in told:
            yield MustBeNamed(carrier, name=name)


def next_version(
    latest: Wording | None, key: WordingKey, parts: Parts, now: datetime, by: str, request_id: str
) -> Wording:
    """The version after `latest`; WordingUnchanged when it would say the same."""
    if parts == (latest.parts if latest else Parts()):
        raise WordingUnchanged
    return Wording(key, latest.version + 1 if latest else 1, parts, now, by, request_id)


def taken_back(latest: Wording, earlier: Wording | None, now: datetime, by: str, request_id: str) -> Wording:
    """The version that says again what `earlier` said, or for None the standard words. WordingUnchanged."""
    fresh = next_version(latest, latest.key, earlier.parts if earlier else Parts(), now, by, request_id)
    return replace(fresh, taken_from=earlier.version if earlier else 0)
