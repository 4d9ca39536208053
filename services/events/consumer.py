"""What this service does about other services' messages: it keeps copies, and marks trouble with mails."""

from datetime import datetime

from services.events.store.documents import campaign_copy, company_copy, school_copy
from services.events.store.store import Store
from services.events.usecases.mail_trouble import mark_mail_trouble
from shared.auth import Directory
from shared.inbox import Handler
from shared.mongo import put_if_newer
from shared.schemas.base import Message
from shared.schemas.notify import DeliveryFailed
from shared.schemas.outreach import ApiKeyChanged, CampaignChanged, CompanyChanged, PersonChanged, SchoolChanged


class Context:
    """What the handlers work with."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self.store = store
        self.directory = directory


async def on_school_changed(message: SchoolChanged, context: Context, now: datetime) -> None:
    """Keep the copy of a school."""
    copy = school_copy(message)
    await put_if_newer(context.store.db.schools, message.school_id, message.aggregate_version, copy)


async def on_company_changed(message: CompanyChanged, context: Context, now: datetime) -> None:
    """Keep the copy of a company."""
    copy = company_copy(message)
    await put_if_newer(context.store.db.companies, message.company_id, message.aggregate_version, copy)


async def on_campaign_changed(message: CampaignChanged, context: Context, now: datetime) -> None:
    """Keep the copy of a campaign."""
    copy = campaign_copy(message)
    await put_if_newer(context.store.db.campaigns, message.campaign_id, message.aggregate_version, copy)


async def on_person_changed(message: PersonChanged, context: Context, now: datetime) -> None:
    """Keep the copy of a person, for sessions."""
    await context.directory.copy_person(message)


async def on_api_key_changed(message: ApiKeyChanged, context: Context, now: datetime) -> None:
    """Keep the copy of an API key."""
    await context.directory.copy_api_key(message)


async def on_delivery_failed(message: DeliveryFailed, context: Context, now: datetime) -> None:
    """Show at the registration that a mail about it did not arrive."""
    await mark_mail_trouble(context.store, message)


HANDLERS: dict[type[Message], Handler] = {
    SchoolChanged: on_school_changed,
    CompanyChanged: on_company_changed,
    CampaignChanged: on_campaign_changed,
    PersonChanged: on_person_changed,
    ApiKeyChanged: on_api_key_changed,
    DeliveryFailed: on_delivery_failed,
}
