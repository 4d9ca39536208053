"""The messages' contract: a frozen sample per message and version, and rules for what may change."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import create_model

from shared.schemas import compatibility
from shared.schemas.base import Facts, Message
from shared.schemas.catalogue import MESSAGES, SOURCES, read_message
from shared.schemas.compatibility import breaking_changes, read_snapshot, sample_problems, schemas

SAMPLES = Path(compatibility.__file__).parent / "samples"
NAMES = sorted(MESSAGES)
MAPS = {"organisation_names"}  # their keys are data, not fields: nothing is added to them


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def test_every_message_has_a_sample_and_every_sample_a_message():
    assert sorted(path.stem for path in SAMPLES.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_reads_and_every_fact_survives(name: str):
    assert sample_problems(MESSAGES[name], sample(name)) == []
    assert isinstance(read_message(sample(name)), MESSAGES[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_a_cloudevents_document(name: str):
    wire = sample(name)
    assert wire["specversion"] == "1.0"
    assert wire["type"] == name
    assert wire["source"] in [f"/perspektive/{source}" for source in SOURCES]
    assert all(key.isalnum() and key.islower() for key in wire), "names of attributes are lower-case letters and digits"
    assert wire["id"] and wire["subject"] and wire["time"].endswith("Z")


@pytest.mark.parametrize("name", NAMES)
def test_fields_that_a_newer_sender_adds_are_tolerated(name: str):
    assert sample_problems(MESSAGES[name], with_extras(sample(name))) != [], "the extra fields are really there"
    assert read_message(with_extras(sample(name))) == read_message(sample(name))


def with_extras(wire: Any) -> Any:
    if isinstance(wire, dict):
        parts = {key: value if key in MAPS else with_extras(value) for key, value in wire.items()}
        return {**parts, "addedlater": {"by": ["a newer sender"]}}
    return [with_extras(item) for item in wire] if isinstance(wire, list) else wire


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_names_no_real_address(name: str):
    found = json.dumps(sample(name))
    words = found.replace("<", " ").replace(">", " ").replace('"', " ").split()
    assert [word for word in words if "@" in word and not word.rstrip(":,").endswith(".example")] == []


def test_nothing_that_would_break_a_consumer_has_changed():
    assert breaking_changes(read_snapshot(), schemas(MESSAGES)) == [], "add a version, or make new fields optional"


def test_the_snapshot_is_up_to_date():
    assert read_snapshot() == json.loads(json.dumps(schemas(MESSAGES))), "run python -m shared.schemas.compatibility"


# What follows shows that the two checkers above catch what they are for: variants of a message with one change each.


class Part(Facts):
    code: str
    note: str = ""


FIELDS: dict[str, Any] = {
    "name": (str, ...),
    "pupils": (int, ...),
    "kind": (Literal["tour", "visit"], ...),
    "grade": (int | None, None),
    "grades": (list[int], ...),
    "part": (Part, ...),
    "reason": (str, ""),
}


class Said(Message):
    """A base for the variants."""

    SOURCE: ClassVar[str] = "events"


def variant(**changed: Any) -> type[Message]:
    """The message with some fields changed; None takes a field away."""
    fields = {name: field for name, field in {**FIELDS, **changed}.items() if field is not None}
    return create_model("Tested", __base__=Said, **fields)


ORIGINAL = variant()
FROZEN = ORIGINAL(
    id="a", aggregate="b", aggregate_version=1, occurred_at="2026-11-02T08:00:00Z", name="8b", pupils=24, kind="tour",
    grade=8, grades=[8, 9], part={"code": "x", "note": "y"}, reason="z",
).to_wire()  # fmt: skip


def part(**changed: Any) -> Any:
    fields = {"code": (str, ...), "note": (str, ""), **changed}
    made = create_model("Part", __base__=Facts, **{name: field for name, field in fields.items() if field})
    return made, ...


BREAKING: dict[str, Callable[[], type[Message]]] = {
    "a field removed": lambda: variant(name=None),
    "an optional field removed": lambda: variant(reason=None),
    "a field renamed": lambda: variant(name=None, title=(str, ...)),
    "an optional field renamed": lambda: variant(reason=None, cause=(str, "")),
    "a field retyped": lambda: variant(name=(int, ...)),
    "a number made a text": lambda: variant(pupils=(str, ...)),
    "a number made a fraction": lambda: variant(pupils=(float, ...)),
    "a list made a single value": lambda: variant(grades=(int, ...)),
    "a list's items retyped": lambda: variant(grades=(list[str], ...)),
    "a new field required": lambda: variant(added=(str, ...)),
    "a value of an enumeration removed": lambda: variant(kind=(Literal["visit"], ...)),
    "a field of a part removed": lambda: variant(part=part(note=None)),
    "a field of a part retyped": lambda: variant(part=part(code=(int, ...))),
}
ONLY_BY_THE_SNAPSHOT: dict[str, Callable[[], type[Message]]] = {
    "an optional field made required": lambda: variant(reason=(str, ...)),
    "null no longer possible": lambda: variant(grade=(int, 0)),
    "null newly possible": lambda: variant(pupils=(int | None, ...)),
    "a required field made optional": lambda: variant(name=(str, "")),
    "another value of an enumeration removed": lambda: variant(kind=(Literal["tour"], ...)),
    "a value of an enumeration added": lambda: variant(kind=(Literal["tour", "visit", "fair"], ...)),
    "an enumeration opened": lambda: variant(kind=(str, ...)),
    "a text narrowed to an enumeration": lambda: variant(name=(Literal["8b"], ...)),
    "an optional field of a part made required": lambda: variant(part=part(note=(str, ...))),
}
HARMLESS: dict[str, Callable[[], type[Message]]] = {
    "nothing": variant,
    "an optional field added": lambda: variant(added=(str, "")),
    "an optional field of a part added": lambda: variant(part=part(added=(int | None, None))),
    "another default": lambda: variant(reason=(str, "-")),
}


@pytest.mark.parametrize("change", BREAKING)
def test_a_breaking_change_makes_the_frozen_sample_fail(change: str):
    assert sample_problems(ORIGINAL, FROZEN) == []
    assert sample_problems(BREAKING[change](), FROZEN) != []


@pytest.mark.parametrize("change", [*BREAKING, *ONLY_BY_THE_SNAPSHOT])
def test_a_breaking_change_is_found_by_comparing_schemas(change: str):
    changed = {**BREAKING, **ONLY_BY_THE_SNAPSHOT}[change]()
    assert breaking_changes(schemas({"Tested.v1": ORIGINAL}), schemas({"Tested.v1": changed})) != []


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_change_breaks_nothing(change: str):
    changed = HARMLESS[change]()
    assert sample_problems(changed, FROZEN) == []
    assert breaking_changes(schemas({"Tested.v1": ORIGINAL}), schemas({"Tested.v1": changed})) == []


def test_a_message_that_is_gone_breaks_and_a_new_one_does_not():
    one, two = schemas({"Tested.v1": ORIGINAL}), schemas({"Tested.v1": ORIGINAL, "Tested.v2": ORIGINAL})
    assert breaking_changes(two, one) == ["Tested.v2: the message is gone"]
    assert breaking_changes(one, two) == []


def test_a_changed_real_message_is_found_in_the_snapshot():
    changed = deepcopy(read_snapshot())
    del changed["RegistrationConfirmed.v1"]["$defs"]["SlotFacts"]["properties"]["revision"]
    assert "RegistrationConfirmed.v1.registration.slot.revision: the field is gone" in breaking_changes(
        read_snapshot(), changed
    )
