"""What every aggregate of this service has, and the texts that its commands accept."""

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.errors import Conflict, NotAllowed
from shared.identity import Identity
from shared.schemas.base import Facts
from shared.texts import one_line, readable


class ChangedMeanwhile(Conflict):
    """Somebody else changed this at the same time. Please look at it again and repeat your change."""


class Aggregate(Facts):
    """Something with an identity whose `version` rises by one with every change.

    `last_request_id` is the request that made the last change, so that its retry finds it done.
    """

    id: str
    version: int = 1
    last_request_id: str = ""

    def changed(self, request_id: str, **fields: object) -> Self:
        """The next version with `fields` replaced."""
        return self.model_copy(update={**fields, "version": self.version + 1, "last_request_id": request_id})


class Command(BaseModel):
    """What a person or program asks for; unknown fields are refused, texts are stripped."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), one_line]
OptionalLine = Annotated[str, StringConstraints(max_length=200), one_line]
Paragraph = Annotated[str, StringConstraints(max_length=2000), readable]
PostalCode = Annotated[str, StringConstraints(pattern=r"^\d{5}$")]


def searchable(q: str) -> str:
    """What somebody types into a search, without control characters, which no name holds and no query may."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", q).strip()


def must_have_a_role(identity: Identity) -> None:
    """NotAllowed for somebody who has no role anywhere (any more)."""
    if not identity.roles:
        raise NotAllowed
