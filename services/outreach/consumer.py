"""What this service does with the messages it hears."""

from shared.inbox import Handler
from shared.schemas.base import Message

HANDLERS: dict[type[Message], Handler] = {}
