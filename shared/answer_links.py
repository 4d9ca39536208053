"""Links in mails by which a school answers for one group without signing in: `notify` writes them, `events` reads them.

A link is signed with the secret that both share and holds ids and numbers only. It is bound to one action and to one
registration as it was when the mail was written: its version, and the revision of its date. What becomes of either
makes the link worthless, and so does the start of the date, which only `events` knows.
"""

from dataclasses import dataclass
from typing import Literal

from itsdangerous import BadSignature, URLSafeSerializer

from shared.errors import NotFound

Action = Literal["cannot-come", "confirm-again"]


class AnswerLinkUnknown(NotFound):
    """This link is not valid. Please take the address from the mail once more, as a whole."""


@dataclass(frozen=True)
class AsSeen:
    """The registration that a mail told of, as it was then; `revision` is that of its date."""

    registration_id: str
    version: int
    revision: int


class AnswerLinks:
    """Writes and reads such links. `public_url` is where everybody finds the services."""

    def __init__(self, secret_key: str, public_url: str) -> None:
        self._secret = secret_key
        self._public_url = public_url.rstrip("/")

    def address(self, action: Action, seen: AsSeen) -> str:
        """The whole address of the page on which this one answer can be given."""
        return f"{self._public_url}/events/{action}/{self.token(action, seen)}"

    def token(self, action: Action, seen: AsSeen) -> str:
        """What stands at the end of the address."""
        return self._serializer(action).dumps([seen.registration_id, seen.version, seen.revision])

    def read(self, action: Action, token: str) -> AsSeen:
        """What the link was written for; AnswerLinkUnknown when it was not written here for this action."""
        try:
            registration_id, version, revision = self._serializer(action).loads(token)
        except (BadSignature, ValueError, TypeError) as error:
            raise AnswerLinkUnknown from error
        return AsSeen(registration_id, version, revision)

    def _serializer(self, action: Action) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"answer:{action}")
