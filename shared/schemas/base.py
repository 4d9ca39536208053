"""What every message has. On the wire a message is a CloudEvents 1.0 JSON document (structured mode)."""

from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import derived_id

ENVELOPE = ("id", "aggregate", "aggregate_version", "occurred_at", "correlation_id", "sequence")


class Facts(BaseModel):
    """A part of a message. Unknown fields are ignored, so that a newer sender can be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Facts):
    """A past fact that a service says. `aggregate` is what it is about; its version orders such facts."""

    VERSION: ClassVar[int] = 1
    SOURCE: ClassVar[str]

    id: str
    aggregate: str
    aggregate_version: int
    occurred_at: datetime
    correlation_id: str = "-"
    sequence: int | None = Field(None, description="Number per source, given by the relay when it is first published")

    @classmethod
    def about(cls, aggregate: str, version: int, *, now: datetime, correlation_id: str = "-", **facts: Any) -> Self:
        """The fact about `aggregate` at `version`; the same cause gives the same id, so repeating is harmless."""
        return cls(
            id=derived_id(cls.__name__, aggregate, version),
            aggregate=aggregate,
            aggregate_version=version,
            occurred_at=now,
            correlation_id=correlation_id,
            **facts,
        )

    @classmethod
    def type_name(cls) -> str:
        """The name on the wire, for example `RegistrationConfirmed.v1`."""
        return f"{cls.__name__}.v{cls.VERSION}"

    def to_wire(self) -> dict[str, Any]:
        """The CloudEvents document, ready for JSON."""
        facts = self.model_dump(mode="json")
        envelope = {name: facts.pop(name) for name in ENVELOPE}
        return {
            "specversion": "1.0",
            "id": envelope["id"],
            "source": f"/perspektive/{self.SOURCE}",
            "type": self.type_name(),
            "subject": envelope["aggregate"],
            "time": envelope["occurred_at"],
            "datacontenttype": "application/json",
            "aggregateversion": envelope["aggregate_version"],
            "correlationid": envelope["correlation_id"],
            **({"sequence": envelope["sequence"]} if envelope["sequence"] is not None else {}),
            "data": facts,
        }

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Self:
        """Read a CloudEvents document of this type; pydantic.ValidationError when it does not fit."""
        return cls(
            id=wire["id"],
            aggregate=wire["subject"],
            aggregate_version=wire["aggregateversion"],
            occurred_at=wire["time"],
            correlation_id=wire.get("correlationid", "-"),
            sequence=wire.get("sequence"),
            **wire["data"],
        )
