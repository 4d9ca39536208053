"""JSON in, JSON out: the mail log for programs."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.notify.domain import Delivery, Role, State
from services.notify.edge import After, Limit, Now, Reader, TheContext, Writer
from services.notify.usecases import mail_log
from shared.web.callers import RequestId

router = APIRouter(tags=["deliveries"])
Text = Annotated[str | None, Query(max_length=320)]


class AttemptOut(BaseModel):
    """One try to send."""

    at: datetime
    outcome: Literal["sent", "deferred", "refused", "bounced", "delayed", "complained"]
    answer: str = Field(description="What the mail server said")


class DeliveryOut(BaseModel):
    """One mail to one address."""

    id: str = Field(description="The key of the transition, for example registration_confirmed:<id>:<version>:teacher")
    kind: str
    state: State
    reason: str = Field(description="Why it was cancelled or refused, for example superseded or gave_up")
    recipient: str
    recipient_role: Role
    language: Literal["de", "en"]
    subject: str
    about: str = Field(description="For example registration:<id>, visit:<id> or person:<id>")
    due_at: datetime
    sent_at: datetime | None
    message_id: str
    attempts: list[AttemptOut] = Field(description="The last 20 attempts")
    version: int


class DeliveryList(BaseModel):
    """One stretch of the list; `next` goes on with `?after=`, null at the end."""

    items: list[DeliveryOut]
    next: str | None


class ResendIn(BaseModel):
    """How a mail is sent again."""

    model_config = ConfigDict(extra="forbid")
    even_if_sent: bool = Field(False, description="Send it once more although it was sent")


@router.get("/deliveries")
async def list_deliveries(
    context: TheContext,
    identity: Reader,
    state: State | None = None,
    kind: Text = None,
    about: Text = None,
    limit: Limit = 50,
    after: After = None,
) -> DeliveryList:
    """The mail log, the newest mails first."""
    given = {"state": state, "kind": kind, "about": about}
    where = {name: value for name, value in given.items() if value}
    items, cursor = await mail_log.list_deliveries(context, identity, where, limit=limit, after=after)
    return DeliveryList(items=[delivery_out(item) for item in items], next=cursor)


@router.get("/deliveries/{delivery_id}")
async def get_delivery(delivery_id: str, context: TheContext, identity: Reader) -> DeliveryOut:
    """One mail with its attempts."""
    return delivery_out(await mail_log.show_delivery(context, identity, delivery_id))


@router.post("/deliveries/{delivery_id}/resend")
async def resend_delivery(
    delivery_id: str,
    context: TheContext,
    identity: Writer,
    now: Now,
    request_id: RequestId,
    body: ResendIn | None = None,
) -> DeliveryOut:
    """Send a refused or deferred mail again, now; a sent one only with `even_if_sent`."""
    even_if_sent = body is not None and body.even_if_sent
    return delivery_out(
        await mail_log.resend_delivery(
            context, identity, delivery_id, even_if_sent=even_if_sent, now=now, request_id=request_id
        )
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """What the API says of a delivery."""
    return DeliveryOut(
        id=delivery.key,
        kind=delivery.kind,
        state=delivery.state,
        reason=delivery.reason,
        recipient=delivery.to.email,
        recipient_role=delivery.to.role,
        language=delivery.to.language,
        subject=delivery.subject,
        about=delivery.about,
        due_at=delivery.due_at,
        sent_at=delivery.sent_at,
        message_id=delivery.message_id,
        attempts=[AttemptOut(at=a.at, outcome=a.outcome, answer=a.answer) for a in delivery.attempts],
        version=delivery.version,
    )
