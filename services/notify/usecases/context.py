"""What every use case of this service works with."""

from dataclasses import dataclass

from services.notify.rendering import Writer
from services.notify.store.core import Store


@dataclass(frozen=True)
class Context:
    """The store, and the writer that knows the mails' words."""

    store: Store
    writer: Writer
