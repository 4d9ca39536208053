"""Every message there is, by its name on the wire."""

from typing import Any

from shared.schemas import events, notify, outreach
from shared.schemas.base import Message


def _messages_of(module: Any) -> list[type[Message]]:
    found = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, Message)]
    return [item for item in found if item.__module__ == module.__name__ and not item.__subclasses__()]


MESSAGES: dict[str, type[Message]] = {
    message.type_name(): message for module in (outreach, events, notify) for message in _messages_of(module)
}
SOURCES = ("outreach", "events", "notify")


class UnknownMessage(Exception):
    """A message of a name or version that this program does not know."""


def read_message(wire: dict[str, Any]) -> Message:
    """The message in a CloudEvents document; UnknownMessage or pydantic.ValidationError when it cannot be read."""
    message_type = MESSAGES.get(wire.get("type", ""))
    if message_type is None:
        raise UnknownMessage(wire.get("type"))
    return message_type.from_wire(wire)
