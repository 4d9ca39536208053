"""A retried POST creates nothing twice: `Idempotency-Key`, per program, for 24 hours.

While the first request runs another with the same key gets 409 with Retry-After; with another body 422; afterwards the
first answer is replayed. Notes are written relaxed: should a crash forget one, the use case computes the same ids again
from the key and finds what is there. An answer with the header X-Not-Kept holds a secret: it is never stored, and a
retry runs the use case again.
"""

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Conflict, Invalid, RuleBroken, TryLater
from shared.gather import Gatherer
from shared.ids import random_id
from shared.mongo import Database, Document, relaxed
from shared.ui.language import preferred
from shared.web.problems import problem

log = logging.getLogger(__name__)
KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=15)
LONGEST_KEY = 255
LARGEST_BODY = 24 * 1024 * 1024
NOT_KEPT = "X-Not-Kept"
_PASSING = {401, 403, 408, 429}


class IdempotencyKeyMissing(Invalid):
    """A POST needs the header Idempotency-Key: any text of up to 255 characters that is new for each new request."""


class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was used with another request. Use a new key for a new request."""


class RequestStillRunning(Conflict):
    """The first request with this Idempotency-Key is still running. Send the same request again in a second."""


class BodyTooLarge(Invalid):
    """The request's body is larger than 24 MB."""


class AnswerNotRecorded(TryLater):
    """It is not certain that this was done. Please send the same request again, with the same Idempotency-Key."""


@dataclass(frozen=True)
class _Claim:
    """One request's claim of its key; by `token` it leaves alone a note that another request has taken over."""

    id: str
    body_hash: str
    token: str = field(default_factory=random_id)

    @property
    def note(self) -> dict[str, str]:
        return {"_id": self.id, "token": self.token}


class Idempotency:
    """ASGI middleware for the POSTs below /api/."""

    def __init__(self, app: ASGIApp, db: Database) -> None:
        self._app = app
        self._notes = relaxed(db.idempotency)
        self._claims: Gatherer[_Claim, Document | None] = Gatherer(self._claim_many)
        self._answers: Gatherer[UpdateOne, bool] = Gatherer(self._record_many)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or "/api/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not headers.get("authorization"):  # it is refused anyway: its body, of any length, is not read
            await self._app(scope, _replayed_body(b""), send)
            return
        refused = await self._answer(scope, headers, receive, send)
        if refused:
            response = problem(refused, preferred(headers.get("accept-language")))
            if isinstance(refused, RequestStillRunning):
                response.headers["Retry-After"] = "1"
            await response(scope, receive, send)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> RuleBroken | None:
        key = headers.get("idempotency-key", "")
        if not 0 < len(key) <= LONGEST_KEY:
            return IdempotencyKeyMissing()
        try:
            body = await _read(receive)
        except ClientDisconnect:
            return None  # nobody waits for an answer, and half a body must not use up the key
        if body is None:
            return BodyTooLarge()
        claim = _claim_for(scope, headers, key, body)
        note = await self._claims.submit("", claim)
        if note is None:
            return await self._run(scope, claim, body, send)
        if note["body_hash"] != claim.body_hash:
            return IdempotencyKeyReused()
        if "status" not in note:
            return RequestStillRunning()
        await _replay(note, send)
        return None

    async def _run(self, scope: Scope, claim: _Claim, body: bytes, send: Send) -> RuleBroken | None:
        answer = _Answer()
        scope.setdefault("state", {})["request_id"] = claim.id
        try:
            await self._app(scope, _replayed_body(body), answer.collect)
        except BaseException:
            await self._finished(claim, answer)
            raise
        if not await self._finished(claim, answer):
            return AnswerNotRecorded()
        for message in answer.messages:
            await send(message)
        return None

    async def _finished(self, claim: _Claim, answer: "_Answer") -> bool:
        try:
            await self._finish(claim, answer)
        except Exception as error:  # whatever it is, the use case may have done its work
            log.warning("an answer could not be recorded: %s", type(error).__name__)
            return False
        return True

    async def _finish(self, claim: _Claim, answer: "_Answer") -> None:
        if answer.status >= 500 or answer.status in _PASSING or not answer.status or answer.is_secret:
            await self._notes.delete_one(claim.note)
            return
        kept = {"status": answer.status, "headers": answer.headers, "body": answer.body}
        await self._answers.submit("", UpdateOne(claim.note, {"$set": kept}))

    async def _claim_many(self, _: str, claims: list[_Claim]) -> list[Document | None | Exception]:
        """None for each claim that was free, else the note that holds it."""
        first = {claim.id: index for index, claim in reversed(list(enumerate(claims)))}
        now = datetime.now(UTC)
        fresh = [_note(claims[index], now) for index in first.values()]
        taken: set[str] = set()
        try:
            await self._notes.insert_many(fresh, ordered=False)
        except BulkWriteError as error:
            taken = {failed["op"]["_id"] for failed in error.details["writeErrors"]}
        held = {note["_id"]: note async for note in self._notes.find({"_id": {"$in": list(taken)}})} if taken else {}
        answers: list[Document | Exception | None] = []
        for index, claim in enumerate(claims):
            note = held.get(claim.id)
            if first[claim.id] != index or (claim.id in taken and not await self._take_over(note, claim, now)):
                answers.append(note or {"body_hash": claims[first[claim.id]].body_hash})
            else:
                answers.append(None)
        return answers

    async def _take_over(self, note: Document | None, claim: _Claim, now: datetime) -> bool:
        """Whether the note's first request died long enough ago, or its 24 hours are over, and it is ours now."""
        if note is None or note["until"] > now:
            return False
        mine = {"_id": note["_id"], "until": note["until"]}
        ours = {"until": now + LEASE, "at": now, "token": claim.token}
        fresh = {"$set": ours, "$unset": {"status": "", "headers": "", "body": ""}}
        if "status" in note and note["at"] > now - KEPT:
            return False
        return bool((await self._notes.update_one(mine, fresh)).modified_count)

    async def _record_many(self, _: str, updates: list[UpdateOne]) -> list[bool | Exception]:
        await self._notes.bulk_write(updates, ordered=False)
        return [True] * len(updates)


class _Answer:
    """What the application answered, held back until it is recorded."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.status = 0
        self.headers: list[list[str]] = []
        self.body = b""

    @property
    def is_secret(self) -> bool:
        """Whether the answer must not be stored; its use case gives the same one again."""
        return any(name.lower() == NOT_KEPT.lower() for name, _ in self.headers)

    async def collect(self, message: Message) -> None:
        self.messages.append(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def _claim_for(scope: Scope, headers: Headers, key: str, body: bytes) -> _Claim:
    who = hashlib.sha256(headers["authorization"].encode()).hexdigest()
    note_id = hashlib.sha256(f"{who}\n{key}".encode()).hexdigest()[:40]
    target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}\n".encode()
    return _Claim(note_id, hashlib.sha256(target + body).hexdigest())


def _note(claim: _Claim, now: datetime) -> dict[str, Any]:
    return {**claim.note, "body_hash": claim.body_hash, "at": now, "until": now + LEASE}


async def _read(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return body


def _replayed_body(body: bytes) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    return receive


async def _replay(note: Document, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in note["headers"]]
    headers.append((b"idempotent-replayed", b"true"))
    await send({"type": "http.response.start", "status": note["status"], "headers": headers})
    await send({"type": "http.response.body", "body": note["body"]})


async def create_indexes(db: Database) -> None:
    """For forgetting notes; MongoDB deletes them itself a day after."""
    await db.idempotency.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))
