"""Which page shows what in which state, and to whom: `who: address`, with the status where it is not 200."""

from collections.abc import Iterator

STATES = {
    "a registration": """
        teacher, company, coordinator: /events/registrations/{registration_requested}
        teacher, company, coordinator: /events/registrations/{registration_waitlisted}
        teacher, company, coordinator: /events/registrations/{registration_offered}
        teacher, company, coordinator: /events/registrations/{registration_confirmed}
        teacher, company, coordinator: /events/registrations/{registration_declined}
        teacher, company, coordinator: /events/registrations/{registration_expired}
        teacher, company, coordinator: /events/registrations/{registration_cancelled}
        teacher, company, coordinator: /events/registrations/{registration_attended}
        teacher, company, coordinator: /events/registrations/{registration_no_show}
        teacher: /events/registrations/{cancelled_by_company}
        teacher: /events/registrations/{cancelled_with_slot}
        teacher: /events/registrations/{registration_moved}
        company: /events/registrations/{resized}
        teacher: /events/registrations/{registration_confirmed}?done=resized
        teacher, company: /events/registrations/{not_recorded}
        company: /events/registrations/{never_answered}
        teacher: /events/registrations/{registration_offered}/cancel
        company: /events/registrations/{registration_confirmed}/cancel
        teacher: /events/registrations/{registration_moved}/day-sheet
        teacher: /events/home
        teacher, coordinator: /events/registrations
        teacher: /events/registrations?state=waitlisted
        company: /events/company
        company: /events/company/visitors
        company: /events/company/visitors?past=yes
    """,
    "a slot": """
        nobody, teacher: /events/slots/{slot_open}
        nobody, teacher: /events/slots/{slot_full}
        nobody, teacher: /events/slots/{slot_cancelled}
        nobody, teacher: /events/slots/{slot_past}
        nobody: /events/slots/{slot_moved}
        company, coordinator: /events/slots/{slot_open}/manage
        company: /events/slots/{slot_empty}/manage
        company: /events/slots/{slot_full}/manage
        company: /events/slots/{slot_offered}/manage
        company, coordinator: /events/slots/{slot_cancelled}/manage
        company: /events/slots/{slot_moved}/manage?done=moved
        company, coordinator: /events/slots/{slot_past}/manage
        company: /events/slots/{slot_today}/manage
        company: /events/slots/{slot_open}/move
        company: /events/slots/{slot_open}/cancel
        company: /events/slots/{slot_empty}/cancel
        company: /events/slots/{slot_full}/resize
        company: /events/slots/{slot_open}/list
        company: /events/slots/{slot_empty}/list
        company: /events/slots/{slot_open}/check-in
        company: /events/slots/{slot_today}/check-in
        company: /events/slots/{slot_past}/check-in
        company: /events/slots/{slot_empty}/check-in
        company: /events/check-in/{arriving}/{code}
        nobody: /events/check-in/{arriving}/{code} 403
        teacher: /events/slots/{slot_full}/register
        teacher: /events/slots/{slot_cancelled}/register
        teacher: /events/slots/{slot_past}/register
        nobody: /events/compare?slot={slot_open}&slot={slot_full}&slot={slot_cancelled}
        teacher: /events/find
        nobody: /events/
        nobody: /events/?view=map
        nobody: /events/?view=calendar
    """,
    "an offer": """
        company, coordinator: /events/offers/{offer_published}
        company: /events/offers/{offer_without_slots}
        company, coordinator: /events/offers/{offer_paused}
        company: /events/offers/{offer_withdrawn}
        company, coordinator: /events/offers/{offer_submitted}
        company, coordinator: /events/offers/{offer_sent_back}
        company: /events/offers/{offer_sent_back}/edit
        company: /events/offers/{offer_published}/edit
        company: /events/offers/{offer_paused}/again
        company: /events/offers/{offer_submitted}/slots/new
        company: /events/offers/{offer_published}/slots/series
        company: /events/offers
        company: /events/offers?withdrawn=yes
        coordinator: /events/offers/waiting
        teacher, coordinator: /events/self-found
        teacher: /events/self-found/{self_found}/withdraw
        teacher: /events/self-found/{self_found_withdrawn}/withdraw
    """,
    "a visit": """
        teacher, coordinator: /outreach/visits/{visit_requested}
        teacher, ambassador, company, coordinator: /outreach/visits/{visit_proposed}
        teacher, ambassador, coordinator: /outreach/visits/{visit_half_accepted}
        teacher, ambassador, coordinator: /outreach/visits/{visit_date_asked}
        teacher, ambassador, company, coordinator: /outreach/visits/{visit_confirmed}
        teacher, ambassador, coordinator: /outreach/visits/{visit_due}
        teacher, ambassador, company, coordinator: /outreach/visits/{visit_done}
        teacher, ambassador, company, coordinator: /outreach/visits/{visit_cancelled}
        teacher, coordinator: /outreach/visits/{visit_declined}
        teacher, coordinator: /outreach/visits/{visit_unanswered}
        ambassador: /outreach/visits/{visit_confirmed}/sheet
        ambassador: /outreach/visits/{visit_confirmed}/cancel
        ambassador: /outreach/my-visits?done=declined
        ambassador, company, coordinator: /outreach/visits/{visit_of_two}
        ambassador: /outreach/visits/{visit_of_two}/leave
        ambassador: /outreach/visits/{visit_of_two}/cancel
        company, coordinator: /outreach/visits/{visit_of_two}/leave?ambassador_id={ambassador_id}
        coordinator: /outreach/visits/{visit_left}
        ambassador: /outreach/my-visits?done=left
        teacher: /outreach/visits/{visit_confirmed}/cancel
        teacher: /outreach/visits/{visit_proposed}/dates
        coordinator: /outreach/visits/{visit_confirmed}/move
        coordinator: /outreach/visits/{visit_proposed}/withdraw
        teacher, company, coordinator: /outreach/visits
        ambassador: /outreach/my-visits
        coordinator: /outreach/visits?state=done
        company: /outreach/ambassadors?done=invited
        company: /outreach/ambassadors/{ambassador_id}
    """,
    "an answer by mail": """
        nobody: /events/cannot-come/{cannot_come}
        nobody: /events/cannot-come/{cannot_come_over} 409
        nobody: /events/cannot-come/a-dead-link 404
        nobody: /events/confirm-again/{confirm_again}
        nobody: /events/confirm-again/{confirmed_again}
        teacher, company, coordinator: /events/registrations/{asked_again}
        teacher, company, coordinator: /events/registrations/{asked_and_sure}
        teacher, company: /events/registrations/{released}
    """,
    "a pupil or a parent": """
        nobody: /notify/class/{class_open}
        nobody: /notify/class/{class_open}/sent?to=pupil
        nobody: /notify/class/{class_open}/sent?to=parent
        nobody: /notify/class/{class_closed} 404
        nobody: /notify/class/{class_cancelled} 409
        nobody: /notify/class/a-dead-link 404
        nobody: /notify/confirm/{pupil_asked}
        nobody: /notify/confirm/{pupil_with_consent}
        nobody: /notify/confirm/{pupil_waits_for_parent}
        nobody: /notify/parent/{parent_asked}
        nobody: /notify/parent/{parent_consented}
        nobody: /notify/parent/{parent_refused} 404
        nobody: /notify/parent/{parent_withdrew} 404
        nobody: /notify/mine/{pupil_confirmed}
        nobody: /notify/mine/{pupil_confirmed}?done=confirmed
        nobody: /notify/mine/{pupil_cannot_come}
        nobody: /notify/mine/{pupil_withdrew} 404
        nobody: /notify/erased?by=pupil&after=withdraw
        nobody: /notify/unsubscribe/{unsubscribe_pupil}
        nobody: /notify/erased?by=parent&after=withdraw
        nobody: /notify/erased?by=parent&after=no
        teacher: /notify/class-links/{registration_confirmed}
        teacher: /notify/class-links/{registration_confirmed}?done=renewed
        teacher: /notify/class-links/{registration_confirmed}/sheet
        teacher: /notify/class-links/{link_closed}?done=closed
        teacher: /notify/class-links/{registration_moved}
        teacher: /notify/class-links/{cancelled_by_company}
    """,
    "a mail": """
        coordinator: /notify/deliveries/{mail_planned}
        coordinator: /notify/deliveries/{mail_sending}
        coordinator, operator: /notify/deliveries/{mail_sent}
        coordinator: /notify/deliveries/{mail_deferred}
        coordinator, operator: /notify/deliveries/{mail_refused}
        coordinator: /notify/deliveries/{mail_gave_up}
        coordinator: /notify/deliveries/{mail_settled}
        coordinator: /notify/deliveries/{mail_suppressed}
        coordinator: /notify/deliveries/{mail_cancelled}
        coordinator: /notify/deliveries/{mail_erased}
        coordinator: /notify/deliveries/{mail_sign_in}
        coordinator: /notify/deliveries/{mail_pupil_reminder}
        coordinator: /notify/deliveries/{mail_sent}/preview
        coordinator: /notify/deliveries/{mail_sent}/resend
        coordinator: /notify/deliveries/{mail_refused}/resend
        coordinator: /notify/
        coordinator: /notify/?state=refused
        coordinator: /notify/stuck
        coordinator: /notify/stuck?sent=2&left=1
        coordinator: /notify/stuck?settled=1
        coordinator: /notify/upcoming
        coordinator: /notify/suppressions
        coordinator: /notify/suppressions/{suppression}
        coordinator: /notify/suppressions/{suppression}/lift
        coordinator: /notify/suppressions/{suppression_lifted}
    """,
    "a webhook": """
        coordinator: /notify/webhooks
        coordinator: /notify/webhooks?done=deleted
        coordinator: /notify/webhooks/{webhook_active}
        coordinator: /notify/webhooks/{webhook_active}?state=failed
        coordinator: /notify/webhooks/{webhook_active}?done=replayed&count=2
        coordinator: /notify/webhooks/{webhook_active}/change
        coordinator: /notify/webhooks/{webhook_by_hand}
        coordinator: /notify/webhooks/{webhook_by_hand}?done=paused
        coordinator: /notify/webhooks/{webhook_by_hand}?state=failed
        coordinator: /notify/webhooks/{webhook_failing}
        coordinator: /notify/webhooks/{webhook_gone}
        coordinator: /notify/webhooks/{webhook_active}/calls/{call_sending}
        coordinator: /notify/webhooks/{webhook_active}/calls/{call_deferred}
        coordinator: /notify/webhooks/{webhook_active}/calls/{call_arrived}
        coordinator: /notify/webhooks/{webhook_active}/calls/{call_failed}
        coordinator: /notify/webhooks/{webhook_active}/calls/{call_again}
        coordinator: /notify/webhooks/{webhook_failing}/calls/{call_waits}
        coordinator: /notify/webhooks/none 404
    """,
    "reminders and calendars of one's own": """
        nobody, teacher: /notify/unsubscribe/{unsubscribe}
        nobody: /notify/unsubscribe/{unsubscribe_stopped}
        nobody: /notify/unsubscribe/a-dead-link 404
        teacher, company, ambassador, coordinator: /notify/calendars
        teacher: /notify/calendars?done=made
    """,
    "an import": """
        coordinator: /outreach/import/companies/{import_checking}
        coordinator: /outreach/import/companies/{import_checked}
        coordinator: /outreach/import/companies/{import_importing}
        coordinator: /outreach/import/companies/{import_done}
        coordinator: /outreach/import/companies/{import_stopped}
        coordinator: /outreach/import/companies/{import_failed}
        coordinator: /events/import/self-found/{import_self_found}
        coordinator: /outreach/imports/{register_checked}
        coordinator: /outreach/imports/{register_done}
    """,
    "the agency's own": """
        coordinator: /outreach/feedback
        coordinator: /outreach/api-keys
        coordinator: /outreach/messages
        coordinator: /outreach/messages/{message_set_aside}
        operator: /events/messages
        operator: /notify/messages/{message_set_aside}
        coordinator: /outreach/
        coordinator: /outreach/campaigns/{campaign}
        coordinator: /outreach/coverage?campaign_id={campaign}
        coordinator: /events/coverage?campaign_id={campaign}
    """,
    "signing in": """
        nobody: /outreach/sign-in
        nobody: /outreach/sign-in?next=/events/home
        nobody: /outreach/sign-in/sent?request=none
        nobody: /outreach/sign-in/link?token=none
        nobody: /outreach/invitations/link?token={invitation_open}
        nobody: /outreach/invitations/link?token={invitation_ambassador}
        nobody: /outreach/invitations/link?token={invitation_expired} 404
        nobody: /events/home
        ended: /events/home
        teacher: /outreach/sign-in
    """,
    "what is refused": """
        teacher: /outreach/campaigns/new 403
        teacher: /notify/stuck 403
        company: /events/find 403
        nobody: /events/slots/none 404
        coordinator: /notify/deliveries/none 404
        nobody: /outreach/none 404
        stranger: /events/registrations 403
        nobody: /events/?grade=99 422
        teacher: /events/find?from=never 422
        coordinator: /outreach/visits?state=unknown 422
    """,
}

EMPTY = {
    "coordinator": """
        /events/  /events/?view=map  /events/?view=calendar  /events/registrations  /events/self-found
        /events/offers  /events/offers/waiting  /events/offers/new  /events/coverage  /events/company/visitors
        /events/messages  /outreach/  /outreach/coverage  /outreach/companies  /outreach/schools  /outreach/people
        /outreach/ambassadors  /outreach/visits  /outreach/visits/new  /outreach/feedback  /outreach/api-keys
        /outreach/messages  /outreach/start  /outreach/schools/choose?next=/outreach/visits/new
        /notify/  /notify/stuck  /notify/upcoming  /notify/suppressions  /notify/messages
        /notify/webhooks
    """,
    "foreign teacher": """
        /events/home  /events/registrations  /events/self-found  /events/find?free_places=9999  /outreach/visits
        /outreach/my-organisation
    """,
    "foreign company": """
        /events/company  /events/company/visitors  /events/company/visitors?past=yes  /events/offers
        /events/offers?withdrawn=yes  /outreach/visits
    """,
    "foreign ambassador": "/outreach/my-visits",
}


def pages_in_states() -> Iterator[tuple[str, str, int]]:
    """(who, address, status) of each."""
    for table in STATES.values():
        for line in table.strip().splitlines():
            who, _, rest = line.strip().partition(": ")
            address, _, status = rest.partition(" ")
            for actor in who.split(", "):
                yield actor, address, int(status or 200)


def empty_lists() -> Iterator[tuple[str, str]]:
    """(who, address) of each."""
    for actor, addresses in EMPTY.items():
        for address in addresses.split():
            yield actor, address
