"""Links in mails to pupils and parents: signed, and bound to one action of one participant. They hold no name and no
address, and end with the participant, or when its `nonce` changes."""

from typing import Literal

from itsdangerous import BadSignature, URLSafeSerializer

from services.notify.consent import LinkIsOver, Participant
from services.notify.webhooks.signing import secret_from

Action = Literal["parent", "confirm", "mine"]


class Tokens:
    """Writes and reads what stands at the end of such a link."""

    def __init__(self, secret_key: str, public_url: str) -> None:
        self._secret = secret_key
        self.public_url = public_url.rstrip("/")

    def write(self, action: Action, participant: Participant) -> str:
        """The token by which somebody may do `action` for this participant."""
        return self._serializer(action).dumps([participant.id, participant.nonce])

    def read(self, action: Action, token: str) -> tuple[str, str]:
        """(participant's id, nonce); LinkIsOver when it was not written here for this action."""
        try:
            id, nonce = self._serializer(action).loads(token)
        except (BadSignature, ValueError, TypeError) as error:
            raise LinkIsOver from error
        return str(id), str(nonce)

    def path(self, action: Action, participant: Participant) -> str:
        """Where the link leads."""
        return f"/notify/{action}/{self.write(action, participant)}"

    def class_link(self, secret: str) -> str:
        """The whole address of a class link."""
        return f"{self.public_url}/notify/class/{secret}"

    def unsubscribe_link(self, message_id: str) -> str:
        """The whole address at which the reader of this reminder gets no more of them."""
        token = self._serializer("unsubscribe").dumps(message_id.strip("<>").partition("@")[0])
        return f"{self.public_url}/notify/unsubscribe/{token}"

    def read_unsubscribe(self, token: str) -> str:
        """The local part of the reminder's Message-ID; LinkIsOver when it was not written here for this."""
        try:
            return str(self._serializer("unsubscribe").loads(token))
        except (BadSignature, ValueError, TypeError) as error:
            raise LinkIsOver from error

    def feed(self, secret: str) -> str:
        """The whole address of a calendar feed."""
        return f"{self.public_url}/notify/calendar/{secret}.ics"

    def webhook_secret(self, seed: str) -> str:
        """The secret of a webhook, which is stored nowhere."""
        return secret_from(self._secret, seed)

    def _serializer(self, action: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"participant:{action}")
