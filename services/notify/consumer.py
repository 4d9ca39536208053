"""What this service hears: a few lines per message, and the table HANDLERS."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from services.notify import mails
from services.notify.usecases import offer_mails, planning, reminders
from services.notify.usecases.context import Context
from services.notify.usecases.erasure import follow_person, forget_person_who_left
from shared.auth import Directory
from shared.schemas import events, outreach
from shared.schemas.base import Message

Handler = Callable[[Any, Any, datetime], Awaitable[None]]


def _about_registration(mail: planning.RegistrationMail) -> Handler:
    async def on_registration_message(message: events.RegistrationMessage, context: Context, now: datetime) -> None:
        await planning.plan_for_registration(context, message, mail, now=now)

    return on_registration_message


def _about_visit(mail: planning.VisitMail) -> Handler:
    async def on_visit_message(message: outreach.VisitMessage, context: Context, now: datetime) -> None:
        await planning.plan_for_visit(context, message, mail, now=now)

    return on_visit_message


async def on_sign_in_requested(message: outreach.SignInRequested, context: Context, now: datetime) -> None:
    await planning.plan_sign_in(context, message, now=now)


async def on_colleague_invited(message: outreach.ColleagueInvited, context: Context, now: datetime) -> None:
    await planning.plan_invitation(context, message, now=now)


async def on_person_changed(message: outreach.PersonChanged, context: Context, now: datetime) -> None:
    if message.active:
        await follow_person(context, message, now=now)
    else:
        await forget_person_who_left(context, message.person_id, now=now)
    await Directory(context.store.db).copy_person(message)


async def on_api_key_changed(message: outreach.ApiKeyChanged, context: Context, now: datetime) -> None:
    await Directory(context.store.db).copy_api_key(message)


async def on_slot_moved(message: events.SlotMoved, context: Context, now: datetime) -> None:
    await planning.plan_for_moved_slot(context, message, now=now)


async def on_slot_told(
    message: events.SlotOpened | events.SlotResized | events.SlotCancelled, context: Context, now: datetime
) -> None:
    await planning.keep_slot(context, message, message.slot, now=now)


async def on_offer_changed(message: events.OfferChanged, context: Context, now: datetime) -> None:
    await offer_mails.plan_for_changed_offer(context, message, now=now)
    await reminders.replan_for_offer(context, message, now=now)


async def on_campaign_changed(message: outreach.CampaignChanged, context: Context, now: datetime) -> None:
    await context.store.wordings.keep_campaign(message)
    await reminders.replan_for_campaign(context, message, now=now)


async def on_school_changed(message: outreach.SchoolChanged, context: Context, now: datetime) -> None:
    await reminders.keep_school(context, message, now=now)


async def on_offer_checked(
    message: events.OfferPublished | events.OfferSentBack, context: Context, now: datetime
) -> None:
    await offer_mails.plan_for_checked_offer(context, message, now=now)


HANDLERS: dict[type[Message], Handler] = {
    outreach.SignInRequested: on_sign_in_requested,
    outreach.ColleagueInvited: on_colleague_invited,
    outreach.PersonChanged: on_person_changed,
    outreach.ApiKeyChanged: on_api_key_changed,
    outreach.CampaignChanged: on_campaign_changed,
    outreach.SchoolChanged: on_school_changed,
    outreach.VisitRequested: _about_visit(mails.visit_requested),
    outreach.VisitProposed: _about_visit(mails.visit_proposed),
    outreach.VisitProposalDeclined: _about_visit(mails.visit_proposal_declined),
    outreach.VisitProposalWithdrawn: _about_visit(mails.visit_proposal_withdrawn),
    outreach.VisitProposalExpired: _about_visit(mails.visit_proposal_expired),
    outreach.VisitConfirmed: _about_visit(mails.visit_confirmed),
    outreach.VisitMoved: _about_visit(mails.visit_moved),
    outreach.VisitMemberLeft: _about_visit(mails.visit_member_left),
    outreach.VisitCancelled: _about_visit(mails.visit_cancelled),
    outreach.VisitCompleted: _about_visit(mails.no_mail),
    events.OfferChanged: on_offer_changed,
    events.OfferPublished: on_offer_checked,
    events.OfferSentBack: on_offer_checked,
    events.SlotOpened: on_slot_told,
    events.SlotResized: on_slot_told,
    events.SlotCancelled: on_slot_told,
    events.SlotMoved: on_slot_moved,
    events.RegistrationRequested: _about_registration(mails.registration_requested),
    events.RegistrationConfirmed: _about_registration(mails.registration_confirmed),
    events.RegistrationDeclined: _about_registration(mails.registration_declined),
    events.RegistrationWaitlisted: _about_registration(mails.registration_waitlisted),
    events.PlacesOffered: _about_registration(mails.places_offered),
    events.OfferedPlacesExpired: _about_registration(mails.offered_places_expired),
    events.RegistrationCancelled: _about_registration(mails.registration_called_off),
    events.ConfirmationAsked: _about_registration(mails.confirmation_asked),
    events.RegistrationConfirmedAgain: _about_registration(mails.no_mail),
    events.RegistrationResized: _about_registration(mails.registration_resized),
    events.RegistrationAttended: _about_registration(mails.no_mail),
    events.RegistrationMissed: _about_registration(mails.no_mail),
}
