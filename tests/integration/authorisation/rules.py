"""Who may open which page and send which form. A route that is not named here fails the test."""

from tests.support.estate import ACTORS, IN_TWO_ROLES, NOBODY

ANYBODY = frozenset(ACTORS)
SIGNED_IN = ANYBODY - {NOBODY}
AGENCY = frozenset({"coordinator"})
OPERATION = AGENCY | {"operator"}
OWN_SCHOOL = AGENCY | {"teacher"}
SCHOOLS = OWN_SCHOOL | {"foreign teacher"}
TEACHERS = SCHOOLS - AGENCY
OWN_COMPANY = AGENCY | {"company"}
COMPANIES = OWN_COMPANY | {"foreign company"}
OWN_TEAM = AGENCY | {"ambassador"}
AMBASSADORS = frozenset({"ambassador", "foreign ambassador"})
BOTH_SIDES = OWN_SCHOOL | OWN_COMPANY
ALL_SIDES = BOTH_SIDES | OWN_TEAM
VISITS = SCHOOLS | COMPANIES | AMBASSADORS

# Takes away what others are tested with (at the end the sessions): sent last, in this order.
LAST = (
    "/notify/class-links/{registration_id}/renew", "/notify/class-links/{registration_id}/close",
    "/notify/webhooks/{webhook_id}/delete",
    "/outreach/messages/replay", "/events/messages/replay", "/notify/messages/replay",
    "/outreach/people/{person_id}/remove-role", "/outreach/people/{person_id}/erase",
    "/outreach/ambassadors/{ambassador_id}/pause", "/outreach/act-as", "/outreach/sign-out-everywhere",
    "/outreach/sign-out",
)  # fmt: skip

_PAGES = {
    ANYBODY: """
        /events/  /events/slots/{slot_id}  /events/slots/{slot_id}/calendar.ics  /events/compare
        /outreach/sign-in  /outreach/sign-in/link  /outreach/sign-in/sent
        /outreach/invitations/link  /outreach/sign-in/oidc  /outreach/sign-in/oidc/callback
        /outreach/start  /outreach/funder-logo  /outreach/imprint  /outreach/privacy
        /outreach/accessibility  /outreach/accessibility/thanks
        /notify/class/{secret}  /notify/class/{secret}/sent  /notify/erased
        /notify/confirm/{token}  /notify/mine/{token}  /notify/parent/{token}  /notify/calendar/{secret}.ics
        /notify/unsubscribe/{token}  /events/cannot-come/{token}
        /events/confirm-again/{token}
    """,
    SIGNED_IN: """
        /outreach/account  /events/slots.csv  /events/slots.xlsx
        /notify/calendars  /notify/calendars/{scope}/renew  /notify/calendars/{scope}/revoke
    """,
    VISITS | OPERATION: "/outreach/schools/choose",
    SCHOOLS: """
        /events/registrations  /events/self-found  /events/slots/{slot_id}/register  /events/search
        /outreach/visits/new  /events/self-found.csv  /events/self-found.xlsx
    """,
    SCHOOLS | COMPANIES: "/events/registrations.csv  /events/registrations.xlsx",
    TEACHERS: "/events/home  /events/find  /outreach/visits/coming",
    OWN_SCHOOL: """
        /outreach/my-organisation/{organisation_id}
        /outreach/my-organisation/{organisation_id}/people/{person_id}/remove
        /outreach/schools/{school_id}  /events/self-found/{record_id}/withdraw
        /events/registrations/{registration_id}/day-sheet  /events/registrations/{registration_id}/attendance-list
        /events/registrations/{registration_id}/qr  /events/registrations/{registration_id}/calendar.ics
        /notify/class-links/{registration_id}  /notify/class-links/{registration_id}/sheet
        /notify/class-links/{registration_id}/renew  /notify/class-links/{registration_id}/close
        /notify/class-links/{registration_id}/participants/{participant_id}/remove
    """,
    (SCHOOLS | COMPANIES) - AGENCY: "/outreach/my-organisation",
    COMPANIES: """
        /events/company  /events/company/visitors  /events/offers  /events/offers/new  /outreach/ambassadors
        /events/company/visitors.csv  /events/company/visitors.xlsx
        /events/offers.csv  /events/offers.xlsx  /outreach/ambassadors.csv  /outreach/ambassadors.xlsx
    """,
    OWN_COMPANY: """
        /events/offers/{offer_id}  /events/offers/{offer_id}/again  /events/offers/{offer_id}/edit
        /events/offers/{offer_id}/slots/new  /events/offers/{offer_id}/slots/series
        /events/offers/{offer_id}/slots/withdraw
        /events/check-in/{registration_id}/{code}  /events/slots/{slot_id}/check-in
        /events/slots/{slot_id}/list  /events/slots/{slot_id}/manage  /events/slots/{slot_id}/{action}
        /outreach/ambassadors/{ambassador_id}/pause
    """,
    BOTH_SIDES: "/events/registrations/{registration_id}  /events/registrations/{registration_id}/cancel",
    AMBASSADORS: "/outreach/my-visits",
    VISITS: "/outreach/visits  /outreach/visits.csv  /outreach/visits.xlsx",
    ALL_SIDES: """
        /outreach/visits/{visit_id}  /outreach/visits/{visit_id}/cancel  /outreach/visits/{visit_id}/move
        /outreach/visits/{visit_id}/dates  /outreach/visits/{visit_id}/withdraw  /outreach/visits/{visit_id}/sheet
        /outreach/visits/{visit_id}/leave
        /outreach/visits/{visit_id}/calendar.ics
    """,
    OWN_COMPANY | OWN_TEAM: "/outreach/ambassadors/{ambassador_id}",
    OPERATION: """
        /events/messages  /events/messages/{message_id}
        /notify/messages  /notify/messages/{message_id}
        /outreach/messages  /outreach/messages/{message_id}
        /events/messages/count  /events/messages/replay  /events/messages/{message_id}/discard
        /notify/messages/count  /notify/messages/replay  /notify/messages/{message_id}/discard
        /outreach/messages/count  /outreach/messages/replay  /outreach/messages/{message_id}/discard
        /notify/  /notify/deliveries.csv  /notify/deliveries.xlsx  /notify/deliveries/{delivery_id}
        /notify/deliveries/{delivery_id}/preview  /notify/deliveries/{delivery_id}/resend
        /notify/stuck  /notify/stuck/count
        /notify/stuck.csv  /notify/stuck.xlsx  /notify/upcoming.csv  /notify/upcoming.xlsx
        /notify/suppressions  /notify/suppressions.csv  /notify/suppressions.xlsx
        /notify/suppressions/{suppression_id}  /notify/suppressions/{suppression_id}/lift
        /notify/upcoming  /notify/templates  /notify/templates/{kind}  /notify/templates/{kind}/preview
    """,
    AGENCY: """
        /events/offers/waiting  /events/offers/waiting/count
        /outreach/  /outreach/api-keys  /outreach/api-keys/{key_id}/revoke
        /outreach/campaigns/new  /outreach/campaigns/{campaign_id}  /outreach/campaigns/{campaign_id}/change
        /outreach/companies  /outreach/companies/new  /outreach/companies/{company_id}
        /outreach/imports  /outreach/imports/{upload_id}
        /outreach/people  /outreach/people/new  /outreach/people/{person_id}  /outreach/people/{person_id}/erase
        /outreach/people/{person_id}/change
        /outreach/schools  /outreach/search  /notify/search
        /notify/wordings  /notify/wordings/{campaign_id}/{kind}/{role}/{language}
        /notify/webhooks  /notify/webhooks/new  /notify/webhooks/{webhook_id}  /notify/webhooks/{webhook_id}/change
        /notify/webhooks/{webhook_id}/delete  /notify/webhooks/{webhook_id}/rotate
        /notify/webhooks/{webhook_id}/calls/{call_id}
        /events/coverage  /outreach/coverage  /outreach/feedback
        /outreach/people/{person_id}/add-role  /outreach/people/{person_id}/remove-role
        /outreach/imports/{upload_id}/errors.csv
        /outreach/import/{kind}  /outreach/import/{kind}/{import_id}  /outreach/import/{kind}/{import_id}/errors.csv
        /events/import/{kind}  /events/import/{kind}/{import_id}  /events/import/{kind}/{import_id}/errors.csv
        /outreach/campaigns.csv  /outreach/campaigns.xlsx  /outreach/companies.csv  /outreach/companies.xlsx
        /outreach/campaigns/{campaign_id}/report.csv  /outreach/campaigns/{campaign_id}/report.xlsx
        /outreach/people.csv  /outreach/people.xlsx  /outreach/schools.csv  /outreach/schools.xlsx
        /outreach/feedback.csv  /outreach/feedback.xlsx  /outreach/api-keys.csv  /outreach/api-keys.xlsx
        /outreach/coverage/schools.csv  /outreach/coverage/schools.xlsx  /events/coverage.csv  /events/coverage.xlsx
        /outreach/coverage/municipalities.csv  /outreach/coverage/municipalities.xlsx
    """,
}
_FORMS = {
    ANYBODY: """
        /outreach/language  /events/language  /notify/language
        /outreach/sign-in  /outreach/sign-in/code  /outreach/sign-in/link  /outreach/sign-out
        /outreach/accessibility  /outreach/invitations/accept  /outreach/invitations/decline
        /notify/class/{secret}  /notify/confirm/{token}  /notify/parent/{token}
        /notify/mine/{token}/coming  /notify/mine/{token}/withdraw  /notify/unsubscribe/{token}
        /events/cannot-come/{token}  /events/confirm-again/{token}
    """,
    SIGNED_IN: """
        /outreach/account  /outreach/act-as  /outreach/sign-out-everywhere
        /notify/calendars/{scope}  /notify/calendars/{scope}/revoke
    """,
    SCHOOLS: "/events/search",
    OWN_SCHOOL: """
        /events/registrations/{registration_id}/accept  /events/registrations/{registration_id}/resize
        /events/registrations/{registration_id}/confirm-again
        /events/registrations/{registration_id}/noted  /events/registrations/{registration_id}/acknowledge
        /events/self-found  /events/self-found/{record_id}/withdraw  /events/slots/{slot_id}/register
        /outreach/schools/{school_id}/movable-days  /outreach/visits/new
        /outreach/visits/{visit_id}/agree  /outreach/visits/{visit_id}/dates
        /outreach/my-organisation/{organisation_id}/invite
        /outreach/my-organisation/{organisation_id}/invitations/{invitation_id}/withdraw
        /outreach/my-organisation/{organisation_id}/people/{person_id}/remove
        /notify/class-links/{registration_id}/renew  /notify/class-links/{registration_id}/close
        /notify/class-links/{registration_id}/participants/{participant_id}/remove
    """,
    OWN_COMPANY: """
        /events/company/decide
        /events/offers/new  /events/offers/{offer_id}/again  /events/offers/{offer_id}/edit
        /events/offers/{offer_id}/slots/new  /events/offers/{offer_id}/slots/series
        /events/offers/{offer_id}/slots/withdraw  /events/offers/{offer_id}/{change}
        /events/check-in/{registration_id}/{code}  /events/slots/{slot_id}/check-in
        /events/slots/{slot_id}/decide  /events/slots/{slot_id}/{action}
        /outreach/ambassadors  /outreach/visits/{visit_id}/propose  /outreach/visits/{visit_id}/withdraw
        /outreach/ambassadors/{ambassador_id}/pause  /outreach/ambassadors/{ambassador_id}/resume
    """,
    BOTH_SIDES: """
        /events/registrations/{registration_id}/attend  /events/registrations/{registration_id}/cancel
    """,
    AMBASSADORS: "/outreach/my-visits/block  /outreach/my-visits/settings  /outreach/my-visits/unblock",
    OWN_COMPANY | OWN_TEAM: """
        /outreach/ambassadors/{ambassador_id}/block  /outreach/ambassadors/{ambassador_id}/settings
        /outreach/ambassadors/{ambassador_id}/unblock  /outreach/visits/{visit_id}/leave
    """,
    OWN_TEAM: "/outreach/visits/{visit_id}/accept  /outreach/visits/{visit_id}/decline",
    ALL_SIDES: "/outreach/visits/{visit_id}/cancel  /outreach/visits/{visit_id}/complete",
    OPERATION: """
        /events/messages/replay  /events/messages/{message_id}/replay
        /notify/messages/replay  /notify/messages/{message_id}/replay
        /outreach/messages/replay  /outreach/messages/{message_id}/replay
        /events/messages/{message_id}/discard  /notify/messages/{message_id}/discard
        /outreach/messages/{message_id}/discard
        /notify/deliveries/{delivery_id}/resend  /notify/deliveries/{delivery_id}/correct  /notify/find
        /notify/stuck  /notify/suppressions  /notify/suppressions/{suppression_id}/lift
    """,
    AGENCY: """
        /events/offers/waiting
        /outreach/api-keys  /outreach/api-keys/{key_id}/revoke
        /outreach/campaigns/new  /outreach/campaigns/{campaign_id}/change  /outreach/feedback/{feedback_id}/done
        /outreach/companies/new  /outreach/companies/{company_id}  /outreach/companies/{company_id}/people
        /outreach/imports  /outreach/imports/{upload_id}
        /outreach/people  /outreach/people/new  /outreach/people/{person_id}/erase
        /outreach/people/{person_id}/change
        /outreach/people/{person_id}/add-role  /outreach/people/{person_id}/remove-role
        /outreach/schools/{school_id}/people  /outreach/visits/{visit_id}/move
        /outreach/search  /notify/search  /outreach/people.csv  /outreach/people.xlsx
        /notify/wordings/{campaign_id}/{kind}/{role}/{language}
        /notify/wordings/{campaign_id}/{kind}/{role}/{language}/take-back
        /notify/webhooks/new  /notify/webhooks/{webhook_id}/change  /notify/webhooks/{webhook_id}/delete
        /notify/webhooks/{webhook_id}/rotate  /notify/webhooks/{webhook_id}/pause
        /notify/webhooks/{webhook_id}/resume  /notify/webhooks/{webhook_id}/test
        /notify/webhooks/{webhook_id}/replay  /notify/webhooks/{webhook_id}/calls/{call_id}/replay
        /outreach/import/{kind}  /outreach/import/{kind}/{import_id}
        /events/import/{kind}  /events/import/{kind}/{import_id}
    """,
}


def _and_in_two_roles(actors: frozenset[str]) -> frozenset[str]:
    """With those who hold two roles: what one of the roles may, or only what the one may as which they act."""
    may = {actor for actor, chosen in IN_TWO_ROLES.items() if actors & ({chosen} if chosen else {"teacher", "company"})}
    return actors | may


RULES = {
    (method, path): _and_in_two_roles(actors)
    for method, table in (("GET", _PAGES), ("POST", _FORMS))
    for actors, paths in table.items()
    for path in paths.split()
}
