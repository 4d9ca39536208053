"""Every mail there is: each kind to each recipient, in one language, with facts to write it from."""

from collections.abc import Iterator
from typing import Any

from services.notify.domain import Delivery
from services.notify.samples import sample_deliveries
from tests.support.notify_builders import NOW, STARTS


def all_deliveries(language: Any) -> Iterator[Delivery]:
    """One delivery for each kind and recipient."""
    return sample_deliveries(language, STARTS, NOW)
