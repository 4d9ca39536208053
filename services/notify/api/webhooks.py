"""JSON in, JSON out: webhooks. A secret is in the answer that makes it, and nowhere else."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notify.edge import After, Limit, Now, Reader, TheContext, TheGuard, Writer
from services.notify.usecases import webhooks
from services.notify.usecases.webhooks import Issued, WebhookIn
from services.notify.webhooks.rules import TYPES, Call, CallState, State, Trouble, Webhook
from shared.web.callers import RequestId
from shared.web.idempotency import NOT_KEPT

router = APIRouter(tags=["webhooks"])


class WebhookOut(BaseModel):
    """A webhook without its secret."""

    id: str
    name: str
    address: str
    types: list[str]
    state: State
    reason: Literal["", "by_hand", "gone", "failing"] = Field(description="Why it is paused")
    paused_at: datetime | None
    failing_since: datetime | None = Field(description="Nothing has arrived since then")
    created_at: datetime
    version: int

    @classmethod
    def of(cls, webhook: Webhook, **more: Any) -> Any:
        """What the API says of a webhook."""
        names = set(WebhookOut.model_fields) - {"types"}
        return cls(types=list(webhook.types), **{name: getattr(webhook, name) for name in names}, **more)


class WebhookIssued(WebhookOut):
    """A webhook with its new secret."""

    secret: str = Field(description="whsec_…, as Standard Webhooks writes it; shown this once")


class TypeOut(BaseModel):
    """A type of message."""

    type: str
    meaning: str


class WebhookList(BaseModel):
    """All webhooks."""

    items: list[WebhookOut]


class TypeList(BaseModel):
    """All types of messages."""

    items: list[TypeOut]


class AttemptOut(BaseModel):
    """One try to call."""

    at: datetime
    status: int | None = Field(description="The HTTP status, null when there was none")
    trouble: Trouble = Field(description="Why there was none")
    text: str = Field(description="The first bytes of the answer")
    took_ms: int


class CallOut(BaseModel):
    """One message for one webhook."""

    id: str = Field(description="The webhook-id; every repeat carries the same")
    type: str
    state: CallState
    about: str
    payload: str
    planned_at: datetime
    due_at: datetime
    ended_at: datetime | None
    erase_after: datetime
    attempt_count: int
    attempts: list[AttemptOut] = Field(description="The last 20 attempts")
    version: int

    @classmethod
    def of(cls, call: Call) -> "CallOut":
        """What the API says of a call."""
        attempts = [AttemptOut(**vars(each)) for each in call.attempts]
        names = set(cls.model_fields) - {"attempts"}
        return cls(attempts=attempts, **{name: getattr(call, name) for name in names})


class CallList(BaseModel):
    """One stretch of the log; `next` goes on with `?after=`, null at the end."""

    items: list[CallOut]
    next: str | None


class ReplayIn(BaseModel):
    """Since when to call again with what was given up."""

    model_config = ConfigDict(extra="forbid")
    since: AwareDatetime


class Replayed(BaseModel):
    """How many are called again."""

    count: int


@router.get("/webhook-types")
async def list_webhook_types(identity: Reader) -> TypeList:
    """What a webhook can be told of."""
    identity.must_coordinate()
    return TypeList(items=[TypeOut(type=kind, meaning=meaning) for kind, meaning in TYPES.items()])


@router.get("/webhooks")
async def list_webhooks(context: TheContext, identity: Reader) -> WebhookList:
    """Every webhook, the oldest first; there are at most 20."""
    return WebhookList(items=[WebhookOut.of(each) for each in await webhooks.list_webhooks(context, identity)])


@router.post("/webhooks", status_code=201)
async def add_webhook(
    command: WebhookIn, context: TheContext, guard: TheGuard, identity: Writer, now: Now, request_id: RequestId,
    response: Response,
) -> WebhookIssued:  # fmt: skip
    """Tell a program from now on. The answer holds the secret; a repeated request shows the same one."""
    issued = await webhooks.add_webhook(context, guard, identity, command, now=now, request_id=request_id)
    return _issued(issued, response)


@router.get("/webhooks/{webhook_id}")
async def get_webhook(webhook_id: str, context: TheContext, identity: Reader) -> WebhookOut:
    """One webhook."""
    return WebhookOut.of(await webhooks.show_webhook(context, identity, webhook_id))


@router.post("/webhooks/{webhook_id}/change")
async def change_webhook(
    webhook_id: str, command: WebhookIn, context: TheContext, guard: TheGuard, identity: Writer, request_id: RequestId
) -> WebhookOut:
    """Another name, address or choice of messages; what waits goes to the new address."""
    return WebhookOut.of(
        await webhooks.change_webhook(context, guard, identity, webhook_id, command, request_id=request_id)
    )


@router.post("/webhooks/{webhook_id}/pause")
async def pause_webhook(
    webhook_id: str, context: TheContext, identity: Writer, now: Now, request_id: RequestId
) -> WebhookOut:
    """Call it no more for now; what happens meanwhile waits."""
    return WebhookOut.of(await webhooks.pause_webhook(context, identity, webhook_id, now=now, request_id=request_id))


@router.post("/webhooks/{webhook_id}/resume")
async def resume_webhook(webhook_id: str, context: TheContext, identity: Writer, request_id: RequestId) -> WebhookOut:
    """Call it again, also with what has waited."""
    return WebhookOut.of(await webhooks.resume_webhook(context, identity, webhook_id, request_id=request_id))


@router.post("/webhooks/{webhook_id}/rotate-secret")
async def rotate_secret(
    webhook_id: str, context: TheContext, identity: Writer, now: Now, request_id: RequestId, response: Response
) -> WebhookIssued:
    """Make a new secret; for 24 hours calls are signed with the one before, too."""
    issued = await webhooks.rotate_secret(context, identity, webhook_id, now=now, request_id=request_id)
    return _issued(issued, response)


@router.post("/webhooks/{webhook_id}/delete", status_code=204)
async def delete_webhook(webhook_id: str, context: TheContext, identity: Writer, request_id: RequestId) -> None:
    """Forget it with its log."""
    await webhooks.delete_webhook(context, identity, webhook_id)


@router.post("/webhooks/{webhook_id}/test")
async def send_test(webhook_id: str, context: TheContext, identity: Writer, now: Now, request_id: RequestId) -> CallOut:
    """Call the program once with the type `webhook.test`, also when it is paused; the log tells what came of it."""
    return CallOut.of(await webhooks.send_test(context, identity, webhook_id, now=now, request_id=request_id))


@router.post("/webhooks/{webhook_id}/replay")
async def replay_failed(
    webhook_id: str, body: ReplayIn, context: TheContext, identity: Writer, now: Now, request_id: RequestId
) -> Replayed:
    """Call again, with the same ids, with everything since then that was given up."""
    count = await webhooks.replay_failed(context, identity, webhook_id, body.since, now=now, request_id=request_id)
    return Replayed(count=count)


@router.get("/webhooks/{webhook_id}/calls")
async def list_calls(
    webhook_id: str, context: TheContext, identity: Reader, state: Annotated[CallState | None, Query()] = None,
    limit: Limit = 50, after: After = None,
) -> CallList:  # fmt: skip
    """The log of a webhook, the newest first."""
    items, cursor = await webhooks.list_calls(context, identity, webhook_id, state or "", limit=limit, after=after)
    return CallList(items=[CallOut.of(each) for each in items], next=cursor)


@router.get("/webhooks/{webhook_id}/calls/{call_id}")
async def get_call(webhook_id: str, call_id: str, context: TheContext, identity: Reader) -> CallOut:
    """One call with its attempts."""
    return CallOut.of(await webhooks.show_call(context, identity, webhook_id, call_id))


@router.post("/webhooks/{webhook_id}/calls/{call_id}/replay")
async def replay_call(
    webhook_id: str, call_id: str, context: TheContext, identity: Writer, now: Now, request_id: RequestId
) -> CallOut:
    """Call again with the same id, now."""
    return CallOut.of(
        await webhooks.replay_call(context, identity, webhook_id, call_id, now=now, request_id=request_id)
    )


def _issued(issued: Issued, response: Response) -> WebhookIssued:
    response.headers[NOT_KEPT] = "yes"
    issued_out: WebhookIssued = WebhookIssued.of(issued.webhook, secret=issued.secret)
    return issued_out
