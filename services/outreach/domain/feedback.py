"""Feedback from anybody: what does not work, or cannot be used."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import EmailStr, StringConstraints

from services.outreach.domain.common import Aggregate, Command, OptionalLine
from shared.errors import NotFound, TooManyRequests
from shared.texts import readable

KEPT = timedelta(days=182)
Told = Annotated[str, StringConstraints(min_length=1, max_length=4000), readable]


class FeedbackNotFound(NotFound):
    """There is no such feedback (any more)."""


class TooMuchFeedback(TooManyRequests):
    """A lot of feedback has come from this connection. Please wait {minutes} minutes and send it again."""


class SendFeedback(Command):
    """What somebody tells; name and address only for an answer."""

    text: Told
    name: OptionalLine = ""
    email: EmailStr | Literal[""] = ""


class Feedback(Aggregate):
    """What somebody told, until `erase_after`."""

    text: str
    name: str = ""
    email: str = ""
    language: str = "de"
    created_at: datetime
    erase_after: datetime
    done: bool = False

    @classmethod
    def given(cls, id: str, command: SendFeedback, language: str, now: datetime, request_id: str) -> Self:
        """New feedback."""
        facts = command.model_dump()
        return cls(
            id=id, **facts, language=language, created_at=now, erase_after=now + KEPT, last_request_id=request_id
        )

    def finished(self, request_id: str) -> Self:
        """Somebody has seen to it."""
        return self.changed(request_id, done=True)
