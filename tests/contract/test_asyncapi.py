"""The AsyncAPI documents say what the code does."""

import json
import sys
from types import ModuleType
from typing import Any

import pytest

from shared.schemas import asyncapi
from shared.schemas.asyncapi import FOLDER, document, heard_by, rendered, said_by
from shared.schemas.catalogue import MESSAGES, SOURCES
from shared.schemas.events import RegistrationConfirmed
from shared.schemas.outreach import CampaignChanged


@pytest.mark.parametrize("service", SOURCES)
def test_the_document_fits_the_code(service: str):
    written = (FOLDER / f"{service}.yaml").read_text()
    assert written == rendered(service), "run python -m shared.schemas.asyncapi"


def test_every_service_has_a_document_and_nobody_else():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(SOURCES)


def test_a_changed_message_changes_the_document(monkeypatch: pytest.MonkeyPatch):
    before = rendered("events")
    changed = type("RegistrationConfirmed", (RegistrationConfirmed,), {"__annotations__": {"added": str}})
    monkeypatch.setitem(MESSAGES, "RegistrationConfirmed.v1", changed)
    assert rendered("events") != before


def test_all_messages_are_said_by_exactly_one_service():
    assert sorted(m.type_name() for service in SOURCES for m in said_by(service)) == sorted(MESSAGES)


@pytest.mark.parametrize("service", SOURCES)
def test_every_reference_leads_somewhere(service: str):
    whole = document(service, said_by(service), [CampaignChanged])
    for reference in references(whole):
        target: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target, reference


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in references(item)]


def test_a_message_that_is_heard_is_a_channel_with_the_senders_address_and_an_operation_to_receive():
    whole = document("notify", [], [RegistrationConfirmed])
    assert whole["channels"]["RegistrationConfirmed.v1"]["address"] == "events.RegistrationConfirmed.v1"
    assert [operation["action"] for operation in whole["operations"].values()] == ["receive"]


def test_what_is_heard_comes_from_the_consumers_table(monkeypatch: pytest.MonkeyPatch):
    consumer = ModuleType("services.notify.consumer")
    consumer.HANDLERS = {RegistrationConfirmed: None, CampaignChanged: None}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "services.notify.consumer", consumer)
    assert heard_by("notify") == [CampaignChanged, RegistrationConfirmed]


def test_a_service_without_a_consumer_hears_nothing_and_a_broken_consumer_is_no_such_service(
    monkeypatch: pytest.MonkeyPatch,
):
    assert heard_by("nowhere") == []

    def broken(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'nowhere'", name="services.notify.store")

    monkeypatch.setattr(asyncapi, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        heard_by("notify")


def test_the_yaml_says_what_the_document_says():
    value = {"a": [{"b": 1, "c": [2, "drei: vier"]}, []], "d.e": {}, "f": None, "$ref": True, "g": [["h"]]}
    assert "\n".join(asyncapi._lines(value)) == (
        'a:\n  - b: 1\n    c:\n      - 2\n      - "drei: vier"\n  - []\nd.e: {}\nf: null\n"$ref": true\ng:\n  - - "h"'
    )


def test_each_sample_has_the_attributes_that_the_document_requires():
    for service in SOURCES:
        whole = document(service, said_by(service), [])
        for name, message in whole["components"]["messages"].items():
            wire = json.loads((asyncapi.Path(asyncapi.__file__).parent / "samples" / f"{name}.json").read_text())
            assert set(message["payload"]["required"]) <= set(wire) <= set(message["payload"]["properties"])
            data = message["payload"]["properties"]["data"]
            assert set(data["required"]) <= set(wire["data"]) <= set(data["properties"])
