"""Would a consumer break? Rules for comparing messages' schemas, and for reading a frozen sample.

Senders change first and consumers later, or the other way round, and messages of a week ago are published again. So a
change within a version must let every older message be read, and must let an older consumer read what is new.

`python -m shared.schemas.compatibility` takes compatible changes over into the snapshot beside this file; with
`--break` others too, which is for the time before a first release alone.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.schemas.base import Message
from shared.schemas.catalogue import MESSAGES

SNAPSHOT = Path(__file__).parent / "snapshot.json"
Schema = dict[str, Any]


def schemas(messages: Mapping[str, type[Message]]) -> dict[str, Schema]:
    """The JSON schema of each message, by its name on the wire."""
    return {name: message.model_json_schema() for name, message in sorted(messages.items())}


def breaking_changes(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> list[str]:
    """One sentence for each change from `before` to `after` that would break a consumer; empty when there is none."""
    found = [f"{name}: the message is gone" for name in before if name not in after]
    for name in before:
        if name in after:
            found += _compared(name, _resolved(before[name], before[name]), _resolved(after[name], after[name]))
    return found


def sample_problems(message: type[Message], sample: dict[str, Any]) -> list[str]:
    """What is wrong when `message` reads the frozen `sample`: it must read, and every fact must survive unchanged."""
    try:
        said = message.from_wire(sample).to_wire()
    except (ValidationError, KeyError, TypeError) as error:
        return [f"cannot be read: {type(error).__name__}: {error}"]
    return list(_lost(sample, said, message.__name__))


def _lost(sample: Any, said: Any, where: str) -> Iterator[str]:
    if isinstance(sample, dict) and isinstance(said, dict):
        for name, value in sample.items():
            if name in said:
                yield from _lost(value, said[name], f"{where}.{name}")
            else:
                yield f"{where}.{name} is lost"
    elif isinstance(sample, list) and isinstance(said, list) and len(sample) == len(said):
        for index, (value, other) in enumerate(zip(sample, said, strict=True)):
            yield from _lost(value, other, f"{where}[{index}]")
    elif json.dumps(sample) != json.dumps(said):
        yield f"{where} was {json.dumps(sample)} and is now {json.dumps(said)}"


def _resolved(schema: Any, root: Schema) -> Any:
    """The schema with its references put in place, so that moving or renaming a class changes nothing."""
    if isinstance(schema, list):
        return [_resolved(item, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    return {name: _resolved(value, root) for name, value in schema.items() if name != "$defs"}


def _compared(where: str, before: Schema, after: Schema) -> Iterator[str]:
    old, new = _alternatives(before), _alternatives(after)
    for kind in sorted(old.keys() - new.keys()):
        yield f"{where}: {kind} is no longer possible"
    for kind in sorted(new.keys() - old.keys()):
        yield f"{where}: {kind} is possible now, which an older consumer cannot read"
    for kind in sorted(old.keys() & new.keys()):
        yield from _compared_kind(where, old[kind], new[kind])


def _alternatives(schema: Schema) -> dict[str, Schema]:
    """What a value may be, by its JSON type and format; `anyOf` is what Optional becomes."""
    found: dict[str, Schema] = {}
    for one in schema.get("anyOf", [schema]):
        kind = one.get("type", "string" if "enum" in one or "const" in one else "anything")
        found[f"{kind} ({one['format']})" if "format" in one else kind] = one
    return found


def _compared_kind(where: str, before: Schema, after: Schema) -> Iterator[str]:
    yield from _compared_limits(where, before, after)
    if "items" in before or "items" in after:
        yield from _compared(f"{where}[]", before.get("items", {}), after.get("items", {}))
    yield from _compared_properties(where, before, after)


def _compared_limits(where: str, before: Schema, after: Schema) -> Iterator[str]:
    old, new = _values(before), _values(after)
    if old != new:
        removed, added = sorted((old or set()) - (new or set())), sorted((new or set()) - (old or set()))
        if removed or new is None:
            yield f"{where}: the values {', '.join(removed)} are no longer named"
        if added or old is None:
            yield f"{where}: an older consumer does not know the values {', '.join(added)}"
    for limit in ("pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"):
        if before.get(limit) != after.get(limit):
            yield f"{where}: {limit} was {before.get(limit)} and is now {after.get(limit)}"


def _values(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _compared_properties(where: str, before: Schema, after: Schema) -> Iterator[str]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in old:
        if name in new:
            yield from _compared(f"{where}.{name}", old[name], new[name])
        else:
            yield f"{where}.{name}: the field is gone"
    for name in sorted(_required(after) - _required(before)):
        yield f"{where}.{name}: the field is required now"
    for name in sorted((_required(before) - _required(after)) & new.keys()):
        yield f"{where}.{name}: the field may be missing now, which an older consumer cannot read"


def _required(schema: Schema) -> set[str]:
    return set(schema.get("required", ()))


def read_snapshot() -> dict[str, Schema]:
    """The schemas as they were when the contract was last agreed on."""
    return json.loads(SNAPSHOT.read_text())


def main(arguments: list[str]) -> None:
    """Take the present schemas over into the snapshot; SystemExit when that would break a consumer."""
    now = schemas(MESSAGES)
    if "--break" not in arguments and (broken := breaking_changes(read_snapshot(), now)):
        raise SystemExit("\n".join([*broken, "Add a message of a new version instead, or optional fields."]))
    SNAPSHOT.write_text(json.dumps(now, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
