"""Who is asking: sessions and API keys. Each service finds out from its own copy of people and keys."""

import hashlib
import hmac
import time
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from shared.identity import Identity
from shared.ids import random_id
from shared.mongo import Database, put_if_newer
from shared.schemas.outreach import ApiKeyChanged, PersonChanged, Role

SESSION_SECONDS = 12 * 3600
SCOPES = tuple(f"{service}:{right}" for service in ("outreach", "events", "notify") for right in ("read", "write"))


_OF_A_PERSON = {
    "name", "email", "language", "roles", "session_epoch", "active", "organisation_names", "ended_sessions",
    "reminders",
}  # fmt: skip


def hash_of_key(key: str) -> str:
    """What is stored and sent of an API key or a link's token: its SHA-256, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def email_key(email: str) -> str:
    """By what a person is found, however their address is written: `email_key` in the copies of people."""
    return email.strip().lower()


def session_id(csrf: str) -> str:
    """What names one session to say that it has ended; nothing of the session can be made from it."""
    return hash_of_key(f"session {csrf}")[:32]


class Directory:
    """People and API keys as this service knows them: collections `people` and `api_keys` of its own database.

    Answers are kept for two seconds, so that a revoked key or ended session stops working within that time.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[tuple[str, str], tuple[float, dict[str, Any] | None]] = {}

    async def program(self, key: str) -> Identity | None:
        """The program whose API key is `key`, or None."""
        row = await self._find("api_keys", "key_hash", hash_of_key(key))
        if row is None or row["revoked"]:
            return None
        roles = tuple(Role(**role) for role in row["roles"])
        return Identity(row["_id"], "program", row["name"], roles, frozenset(row["scopes"]))

    async def person(self, person_id: str, session_epoch: int, csrf: str = "") -> Identity | None:
        """The active person whose sessions of `session_epoch` have not ended, or None."""
        row = await self._find("people", "_id", person_id)
        if row is None or not row["active"] or row["session_epoch"] != session_epoch:
            return None
        if session_id(csrf) in row.get("ended_sessions", ()):
            return None
        roles = tuple(Role(**role) for role in row["roles"])
        return Identity(
            row["_id"], "person", row["name"], roles, frozenset(SCOPES), row["email"], row["language"], csrf,
            held=roles, names=row.get("organisation_names") or {},
        )  # fmt: skip

    async def copy_person(self, message: PersonChanged) -> None:
        """Take over what `outreach` says of a person; older news changes nothing."""
        facts = {**message.model_dump(include=_OF_A_PERSON), "email_key": email_key(message.email)}
        await put_if_newer(self._db.people, message.person_id, message.aggregate_version, facts)
        self._kept.clear()

    async def copy_api_key(self, message: ApiKeyChanged) -> None:
        """Take over what `outreach` says of an API key; older news changes nothing."""
        facts = message.model_dump(include={"key_hash", "name", "scopes", "roles", "revoked"})
        await put_if_newer(self._db.api_keys, message.key_id, message.aggregate_version, facts)
        self._kept.clear()

    async def create_indexes(self) -> None:
        """For finding a program by its key and people by their role."""
        await self._db.api_keys.create_index("key_hash")
        await self._db.people.create_index([("roles.kind", 1), ("roles.organisation_id", 1)])

    async def _find(self, collection: str, name: str, value: str) -> dict[str, Any] | None:
        until, row = self._kept.get((collection, value), (0.0, None))
        if time.monotonic() < until:
            return row
        row = await self._db[collection].find_one({name: value})
        if len(self._kept) > 10_000:
            self._kept.clear()
        self._kept[(collection, value)] = (time.monotonic() + 2.0, row)
        return row


class Sessions:
    """Signed session cookies, readable by every service that has the same secret key."""

    def __init__(self, secret_key: str) -> None:
        self._secret = secret_key.encode()
        self._serializer = URLSafeTimedSerializer(secret_key, salt="session")
        self._acting = URLSafeTimedSerializer(secret_key, salt="acting")

    def open(self, person_id: str, session_epoch: int) -> str:
        """The cookie value of a new session."""
        return self._serializer.dumps([person_id, session_epoch, random_id()])

    def read(self, cookie: str) -> tuple[str, int, str] | None:
        """(person id, session epoch, CSRF token) of a valid cookie; None when forged or older than 12 hours."""
        try:
            person_id, epoch, nonce = self._serializer.loads(cookie, max_age=SESSION_SECONDS)
        except (BadSignature, ValueError):
            return None
        return person_id, epoch, self.csrf_token(nonce)

    def choose(self, person: Identity, role: Role) -> str:
        """The value of the cookie with which this session of `person` acts as `role` alone."""
        return self._acting.dumps([session_id(person.csrf), role.kind, role.organisation_id])

    def chosen(self, cookie: str, person: Identity) -> Role | None:
        """The role in the cookie; None when it is forged, too old or another session's."""
        try:
            session, kind, organisation_id = self._acting.loads(cookie, max_age=SESSION_SECONDS)
        except (BadSignature, ValueError):
            return None
        return Role(kind=kind, organisation_id=organisation_id) if session == session_id(person.csrf) else None

    def csrf_token(self, nonce: str) -> str:
        """The token that a form of this session carries."""
        return hmac.new(self._secret, f"csrf:{nonce}".encode(), hashlib.sha256).hexdigest()
