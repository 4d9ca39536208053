"""AsyncAPI 3.0 documents: `python -m shared.schemas.asyncapi` writes docs/asyncapi/<service>.yaml.

What a service says comes from the catalogue, what it listens to from its consumer's table HANDLERS.
"""

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.schemas.base import ENVELOPE, Message
from shared.schemas.catalogue import MESSAGES, SOURCES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "asyncapi"
REFERENCE = "#/components/schemas/{model}"
Document = dict[str, Any]


def main() -> None:
    """Write every service's document."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for service in SOURCES:
        (FOLDER / f"{service}.yaml").write_text(rendered(service))


def rendered(service: str) -> str:
    """The document of `service` as YAML, the same bytes for the same messages."""
    head = "# Made by `python -m shared.schemas.asyncapi`; a test fails when it no longer fits the code.\n"
    return head + "\n".join(_lines(document(service, said_by(service), heard_by(service)))) + "\n"


def said_by(service: str) -> list[type[Message]]:
    """The messages that `service` says, by name."""
    return sorted((m for m in MESSAGES.values() if service == m.SOURCE), key=lambda message: message.type_name())


def heard_by(service: str) -> list[type[Message]]:
    """The messages for which `service` has a handler, by name; none while it has no consumer."""
    module = f"services.{service}.consumer"
    try:
        handlers = import_module(module).HANDLERS
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return []
    return sorted(handlers, key=lambda message: message.type_name())


def document(service: str, said: list[type[Message]], heard: list[type[Message]]) -> Document:
    """The AsyncAPI document of a service that says and hears these messages."""
    messages = {message.type_name(): message for message in [*said, *heard]}
    schemas: Document = {}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Perspektive {service}: messages",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 documents in JSON, at least once and in any order: "
            "`id` tells repetitions, `aggregateversion` orders what is about the same `subject`. "
            "Unknown fields are ignored.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(message) for name, message in sorted(messages.items())},
        "operations": {
            **{f"say.{message.type_name()}": _operation("send", message) for message in said},
            **{f"hear.{message.type_name()}": _operation("receive", message) for message in heard},
        },
        "components": {
            "messages": {name: _message(message, schemas) for name, message in sorted(messages.items())},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _channel(message: type[Message]) -> Document:
    name = message.type_name()
    return {"address": f"{message.SOURCE}.{name}", "messages": {name: {"$ref": f"#/components/messages/{name}"}}}


def _operation(action: str, message: type[Message]) -> Document:
    channel = f"#/channels/{message.type_name()}"
    name = message.type_name()
    return {"action": action, "channel": {"$ref": channel}, "messages": [{"$ref": f"{channel}/messages/{name}"}]}


def _message(message: type[Message], schemas: Document) -> Document:
    """The message's description; the schemas of its facts are put into `schemas`."""
    facts = message.model_json_schema(ref_template=REFERENCE)
    for name, schema in facts.pop("$defs", {}).items():
        if schemas.setdefault(name, _plain(schema)) != _plain(schema):
            raise ValueError(f"there are two different parts of messages that are called {name}")
    properties = {name: field for name, field in facts["properties"].items() if name not in ENVELOPE}
    required = [name for name in facts["required"] if name not in ENVELOPE]
    data = {"type": "object", "properties": properties, "required": required}
    return {
        "name": message.type_name(),
        "title": re.sub(r"(?<!^)(?=[A-Z])", " ", message.__name__),
        "summary": re.sub(r"\s+", " ", inspect.cleandoc(message.__doc__ or "")).strip(),
        "contentType": "application/json",
        "payload": _envelope(message, _plain(data)),
    }


def _envelope(message: type[Message], data: Document) -> Document:
    text = {"type": "string"}
    properties = {
        "specversion": {"const": "1.0"},
        "id": {**text, "description": "the same when it is said again"},
        "source": {"const": f"/perspektive/{message.SOURCE}"},
        "type": {"const": message.type_name()},
        "subject": {**text, "description": "what it is about, for example registration:<id>"},
        "time": {**text, "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "aggregateversion": {"type": "integer", "description": "orders what is about the same subject"},
        "correlationid": {**text, "description": "of the request that caused it"},
        "sequence": {"type": "integer", "description": "number per source, given when it is first published"},
        "data": data,
    }
    required = [name for name in properties if name not in ("correlationid", "sequence")]
    return {"type": "object", "properties": properties, "required": required}


def _plain(schema: Any) -> Any:
    """The schema without the titles that only repeat a field's name."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {field: _plain(value) for field, value in part.items()} if name == "properties" else _plain(part)
        for name, part in schema.items()
        if not (name == "title" and isinstance(part, str))
    }


def _lines(value: Any, indent: str = "") -> list[str]:
    """The lines of a YAML document; a scalar is written as JSON, which YAML reads as well."""
    if isinstance(value, dict) and value:
        return [line for name, part in value.items() for line in _entry(f"{indent}{_key(name)}:", part, indent + "  ")]
    if isinstance(value, list) and value:
        return [line for part in value for line in _item(_lines(part, indent + "  "), indent)]
    return [indent + json.dumps(value, ensure_ascii=False)]


def _entry(head: str, part: Any, indent: str) -> list[str]:
    if isinstance(part, dict | list) and part:
        return [head, *_lines(part, indent)]
    return [f"{head} {json.dumps(part, ensure_ascii=False)}"]


def _item(lines: list[str], indent: str) -> list[str]:
    return [f"{indent}- {lines[0].lstrip()}", *lines[1:]]


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][\w.]*", name) else json.dumps(name)


if __name__ == "__main__":
    main()
