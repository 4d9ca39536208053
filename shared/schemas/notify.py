"""What the service `notify` says: what became of mails that somebody must know about."""

from datetime import datetime
from typing import ClassVar, Literal

from shared.schemas.base import Message


class NotifyMessage(Message):
    SOURCE: ClassVar[str] = "notify"


class DeliveryFailed(NotifyMessage):
    """A mail was finally refused or given up. `concerns` names what it belongs to, for example registration:<id>."""

    delivery_id: str
    kind: str
    concerns: str
    recipient_role: Literal["teacher", "company", "ambassador", "coordinator", "person"]
    answer: str
    failed_at: datetime
