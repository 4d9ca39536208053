"""What coordinators do with webhooks: add, change, pause, resume, delete, give a new secret, try, look, replay."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from services.notify.domain import clean
from services.notify.usecases.context import Context
from services.notify.webhooks.addresses import LONGEST, Guard
from services.notify.webhooks.payload import test_call
from services.notify.webhooks.rules import (
    MOST_WEBHOOKS,
    TYPES,
    Call,
    CallUnderWay,
    CallUnknown,
    MomentUnclear,
    NameMissing,
    Seed,
    TooManyWebhooks,
    TypesMissing,
    Webhook,
    WebhookChangedMeanwhile,
    WebhookUnknown,
)
from services.notify.webhooks.signing import fingerprint_of
from shared.auth import Identity
from shared.ids import derived_id

LONGEST_NAME = 100
COUNTED_AT_MOST = 1000
Stripped = StringConstraints(strip_whitespace=True)


class WebhookIn(BaseModel):
    """What a coordinator says of a webhook."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Stripped] = Field("", max_length=LONGEST_NAME, description="Which program it is for")
    address: Annotated[str, Stripped] = Field(
        "", max_length=LONGEST, description="https://…, on the public internet; redirects are not followed"
    )
    types: list[str] = Field([], max_length=len(TYPES), description="What to be told of, as GET webhook-types lists it")

    @field_validator("types")
    @classmethod
    def _types_are_known(cls, types: list[str]) -> list[str]:
        return [each for each in TYPES if each in types] if set(types) <= set(TYPES) else []

    @field_validator("name")
    @classmethod
    def _name_is_one_line(cls, name: str) -> str:
        return clean(name)


@dataclass(frozen=True)
class Issued:
    """A webhook with its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


async def list_webhooks(context: Context, identity: Identity) -> list[Webhook]:
    """Every webhook, the oldest first."""
    identity.must_coordinate()
    return await context.store.webhooks.all()


async def show_webhook(context: Context, identity: Identity, id: str) -> Webhook:
    """One of them. WebhookUnknown."""
    identity.must_coordinate()
    found = await context.store.webhooks.get(id)
    if found is None:
        raise WebhookUnknown
    return found


async def add_webhook(
    context: Context, guard: Guard, identity: Identity, command: WebhookIn, *, now: datetime, request_id: str
) -> Issued:
    """Tell a program from now on; a repeated request shows the same secret. NameMissing, TypesMissing, TooManyWebhooks,
    and what `Guard.check` raises."""
    identity.must_coordinate()
    id = derived_id(request_id, "webhook")
    there = await context.store.webhooks.all()
    if known := next((each for each in there if each.id == id), None):
        return Issued(known, context.tokens.webhook_secret(derived_id(request_id, "secret")))
    if len(there) >= MOST_WEBHOOKS:
        raise TooManyWebhooks(most=MOST_WEBHOOKS)
    address = await _checked(guard, command)
    seed, secret = _secret(context, request_id)
    made = Webhook(id, command.name, address, tuple(command.types), (seed,), now, last_request_id=request_id)
    await context.store.webhooks.put(made)
    return Issued(made, secret)


async def change_webhook(
    context: Context, guard: Guard, identity: Identity, id: str, command: WebhookIn, *, request_id: str
) -> Webhook:
    """Another name, address or choice of messages; what waits goes to the new address."""
    found = await show_webhook(context, identity, id)
    address = await _checked(guard, command)
    if found.last_request_id == request_id:
        return found
    return await _put(
        context, found.changed(request_id, name=command.name, address=address, types=tuple(command.types))
    )


async def pause_webhook(context: Context, identity: Identity, id: str, *, now: datetime, request_id: str) -> Webhook:
    """Call it no more for now; what happens meanwhile waits. AlreadyPaused."""
    found = await show_webhook(context, identity, id)
    return found if found.last_request_id == request_id else await _put(context, found.paused(request_id, now))


async def resume_webhook(context: Context, identity: Identity, id: str, *, request_id: str) -> Webhook:
    """Call it again, also with what has waited. NotPaused."""
    found = await show_webhook(context, identity, id)
    return found if found.last_request_id == request_id else await _put(context, found.resumed(request_id))


async def rotate_secret(context: Context, identity: Identity, id: str, *, now: datetime, request_id: str) -> Issued:
    """A new secret; for a day calls are signed with the one before, too."""
    found = await show_webhook(context, identity, id)
    seed, secret = _secret(context, request_id)
    if found.last_request_id == request_id:
        return Issued(found, secret)
    return Issued(await _put(context, found.with_new_secret(seed, request_id, now)), secret)


async def delete_webhook(context: Context, identity: Identity, id: str) -> None:
    """Forget it with its log. WebhookUnknown."""
    await show_webhook(context, identity, id)
    await context.store.webhooks.delete(id)


async def send_test(context: Context, identity: Identity, id: str, *, now: datetime, request_id: str) -> Call:
    """Call the program once, with nothing to tell; also when the webhook is paused."""
    call = test_call(await show_webhook(context, identity, id), now, request_id)
    await context.store.webhooks.plan([call])
    context.store.deliveries.planned()
    return call


async def list_calls(
    context: Context, identity: Identity, id: str, state: str = "", *, limit: int, after: str | None
) -> tuple[list[Call], str | None]:
    """A webhook's log, the newest first."""
    await show_webhook(context, identity, id)
    return await context.store.webhooks.page(id, state, limit, after)


async def count_calls(context: Context, identity: Identity, id: str) -> dict[str, int]:
    """How many of its calls wait (`waiting`) and were given up (`failed`), at most a thousand of each."""
    identity.must_coordinate()
    return await context.store.webhooks.counts(id, COUNTED_AT_MOST)


async def show_call(context: Context, identity: Identity, id: str, call_id: str) -> Call:
    """One call with its attempts. WebhookUnknown, CallUnknown."""
    await show_webhook(context, identity, id)
    found = await context.store.webhooks.call(id, call_id)
    if found is None:
        raise CallUnknown
    return found


async def replay_call(
    context: Context, identity: Identity, id: str, call_id: str, *, now: datetime, request_id: str
) -> Call:
    """Call again with the same id, now. CallUnderWay."""
    found = await show_call(context, identity, id, call_id)
    if found.state in ("planned", "sending"):
        raise CallUnderWay
    if not await context.store.webhooks.replay(found, now, request_id):
        raise CallUnderWay
    context.store.deliveries.planned()
    return await show_call(context, identity, id, call_id)


async def replay_failed(
    context: Context, identity: Identity, id: str, since: datetime | None, *, now: datetime, request_id: str
) -> int:
    """Call again with everything since then that was given up; returns how many. MomentUnclear."""
    await show_webhook(context, identity, id)
    if since is None or since > now:
        raise MomentUnclear
    count = await context.store.webhooks.replay_failed(id, since, now, request_id)
    context.store.deliveries.planned()
    return count


async def _checked(guard: Guard, command: WebhookIn) -> str:
    if not command.name:
        raise NameMissing
    if not command.types:
        raise TypesMissing
    return await guard.check(command.address)


def _secret(context: Context, request_id: str) -> tuple[Seed, str]:
    value = derived_id(request_id, "secret")
    secret = context.tokens.webhook_secret(value)
    return Seed(value, fingerprint_of(secret)), secret


async def _put(context: Context, webhook: Webhook) -> Webhook:
    if not await context.store.webhooks.put(webhook):
        raise WebhookChangedMeanwhile
    context.store.deliveries.planned()
    return webhook
