"""What a well-formed form of each route says: with anything less a refusal could be one of the form."""

from pathlib import Path
from typing import Any

REGISTER = Path(__file__).parents[2] / "shared" / "data" / "schuldaten.csv"
DATE = {"day": "2026-12-14", "starts": "09:00", "ends": "10:30"}
CONTACT = {
    "contact.name": "Lehrkraft Muster", "contact.email": "lehrkraft@schule.example", "contact.phone": "",
    "contact.language": "de",
}  # fmt: skip
BOOKED_BY = {name: value for name, value in CONTACT.items() if name != "contact.language"}
PERSON = {"name": "Neu Hier", "email": "neu@beispiel.example", "language": "de"}
GROUP = {"group.name": "9c", "group.grade": "9", "group.pupils": "12", "group.adults": "1"}
COMPANY = {"name": "Neu GmbH", "street": "Weg 1", "postal_code": "59821", "town": "Arnsberg"}
CAMPAIGN = {
    "name": "Frühjahr", "starts_on": "2026-10-01", "ends_on": "2027-02-01", "kinds": ["tour"], "districts": ["05958"],
    "offers_from": "2026-10-01T08:00", "booking_from": "2026-10-02T08:00", "closes_at": "2027-01-20T08:00",
}  # fmt: skip
OFFER_FACTS = {
    "title": "Neu", "grades": ["9"], "place.name": "Werk", "place.street": "Weg 1", "place.postal_code": "59821",
    "place.town": "Arnsberg", **BOOKED_BY,
}  # fmt: skip
SERIES = {
    "series.weekdays": ["1"], "series.first_day": "2026-12-01", "series.last_day": "2026-12-08",
    "series.starts": "09:00", "series.ends": "12:00", "places": "20", "groups": "1",
}  # fmt: skip
OFFER = {
    "campaign_id": "{campaign_id}", "company_id": "{company_id}", "field": "M", **OFFER_FACTS,
    "approval": "automatic", "waiting_list": "none",
}  # fmt: skip
SLOT = {**DATE, "places": "20", "groups": "1"}
SELF_FOUND = {
    "campaign_id": "{campaign_id}", "school_id": "{school_id}", **GROUP, "company_name": "Werkstatt", "field": "M",
    "day": "2026-12-15",
}  # fmt: skip
VISIT = {
    "campaign_id": "{campaign_id}", "school_id": "{school_id}", "field": "M", "grade": "9", "group.name": "9d",
    "group.pupils": "20", **CONTACT,
    **{f"alternatives.{n}.{name}": value for n in range(2) for name, value in
       {"day": f"2026-12-1{4 + n}", "starts": "09:00", "ends": "10:30"}.items()},
}  # fmt: skip
WEBHOOK = {"name": "Schulportal", "address": "http://127.0.0.1:9/hooks", "types": ["slot.moved"]}

FORMS: dict[str, dict[str, Any]] = {
    "/outreach/accessibility": {"text": "Die Karte ist zu klein."},
    "/outreach/ambassadors": {
        "name": "Neu",
        "email": "neu@firma.example",
        "language": "de",
        "company_id": "{company_id}",
        "limits.per_week": "1",
        "limits.per_campaign": "3",
    },
    "/outreach/api-keys": {"name": "program", "scopes": ["events:read"]},
    "/outreach/campaigns/new": CAMPAIGN,
    "/outreach/campaigns/{campaign_id}/change": CAMPAIGN,
    "/outreach/companies/new": {**COMPANY, **CONTACT},
    "/outreach/companies/{company_id}": {**COMPANY, "active": "yes"},
    "/outreach/companies/{company_id}/people": {f"contact.{k}": v for k, v in PERSON.items()},
    "/outreach/account": {"name": "Wie zuvor", "phone": "", "language": "de"},
    "/outreach/my-organisation/{organisation_id}/invite": {**PERSON, "kind": "teacher"},
    "/outreach/my-organisation/{organisation_id}/people/{person_id}/remove": {"kind": "teacher"},
    "/outreach/my-visits/block": {"day": "2026-12-16"},
    "/outreach/my-visits/unblock": {"days": ["2026-12-16"]},
    "/outreach/my-visits/settings": {"limits.per_week": "2", "limits.per_campaign": "9"},
    "/outreach/people.csv": {"q": "muster"},
    "/outreach/people.xlsx": {"q": "muster"},
    "/outreach/people/new": {**PERSON, "kind": "operator"},
    "/outreach/people/{person_id}/change": {**PERSON, "email": "spare@beispiel.example"},
    "/outreach/people/{person_id}/remove-role": {"kind": "teacher", "organisation_id": "{other_school_id}"},
    "/outreach/schools/{school_id}/movable-days": {"days": ["2027-02-01"]},
    "/outreach/schools/{school_id}/people": PERSON,
    "/outreach/sign-in": {"email": "nobody@beispiel.example", "request_id": "one"},
    "/outreach/visits/new": VISIT,
    "/outreach/ambassadors/{ambassador_id}/block": {"day": "2026-12-16"},
    "/outreach/ambassadors/{ambassador_id}/unblock": {"days": ["2026-12-16"]},
    "/outreach/ambassadors/{ambassador_id}/settings": {"limits.per_week": "2", "limits.per_campaign": "9"},
    # Twice the same date: refused by a rule, so that the visit's team stays for what is tested afterwards.
    "/outreach/visits/{visit_id}/dates": {f"alternatives.{n}.{k}": v for n in range(2) for k, v in DATE.items()},
    "/outreach/visits/{visit_id}/withdraw": {"reason": "Ferien"},
    "/outreach/visits/{visit_id}/accept": {"ambassador_id": "{ambassador_id}"},
    "/outreach/visits/{visit_id}/decline": {"ambassador_id": "{ambassador_id}", "reason": "Prüfung"},
    "/outreach/visits/{visit_id}/leave": {"ambassador_id": "{ambassador_id}", "reason": "Prüfung"},
    "/outreach/visits/{visit_id}/move": {**DATE, "reason": ""},
    "/outreach/visits/{visit_id}/cancel": {"reason": "Wetter"},
    "/outreach/visits/{visit_id}/complete": {"pupils_reached": "20"},
    "/outreach/visits/{visit_id}/propose": {"alternative": "1", "ambassador_ids": ["{ambassador_id}"]},
    "/events/offers/new": OFFER,
    "/events/offers/waiting": {"offer": ["{offer_id}"]},
    "/events/offers/{offer_id}/again": {"campaign_id": "{campaign_id}", **BOOKED_BY},
    "/events/offers/{offer_id}/edit": {**OFFER_FACTS, "version": "1"},
    "/events/offers/{offer_id}/slots/new": SLOT,
    "/events/offers/{offer_id}/slots/series": SERIES,
    "/events/offers/{offer_id}/slots/withdraw": {"slots": ["none"]},
    "/events/check-in/{registration_id}/{code}": {"came": "yes", "pupils": "3"},
    "/events/company/decide": {"registration": ["{registration_id}"], "decision": "approve"},
    "/events/registrations/{registration_id}/attend": {"came": "yes", "pupils": "3"},
    "/events/confirm-again/{token}": {"answer": "yes"},
    "/events/registrations/{registration_id}/resize": {"pupils": "3", "adults": "1"},
    "/events/self-found": SELF_FOUND,
    "/events/slots/{slot_id}/check-in": {"came.{registration_id}": "yes", "pupils.{registration_id}": "3"},
    "/events/slots/{slot_id}/decide": {"registration": ["{registration_id}"], "decision": "approve"},
    "/events/slots/{slot_id}/register": {"school_id": "{school_id}", **GROUP, **BOOKED_BY, "acknowledged": "yes"},
    "/outreach/messages/{message_id}/discard": {"reason": "test"},
    "/events/messages/{message_id}/discard": {"reason": "test"},
    "/notify/messages/{message_id}/discard": {"reason": "test"},
    "/notify/class-links/{registration_id}/renew": {"version": "1"},
    "/events/search": {"q": "muster"},
    "/outreach/search": {"q": "muster"},
    "/notify/search": {"q": "muster"},
    "/notify/find": {"q": "muster"},
    "/notify/class/{secret}": {"first_name": "Jo", "email": "jo@post.example", "under_16": "false"},
    "/notify/wordings/{campaign_id}/{kind}/{role}/{language}": {
        "subject": "Plätze für {{{{ group }}}}",
        "heading": "",
        "before": "Bitte bis {{{{ deadline }}}}.",
        "after": "",
        "version": "0",
        "action": "save",
    },
    "/notify/wordings/{campaign_id}/{kind}/{role}/{language}/take-back": {"version": "0"},
    "/notify/webhooks/new": WEBHOOK,
    "/notify/webhooks/{webhook_id}/change": WEBHOOK,
    "/notify/webhooks/{webhook_id}/replay": {"since": "2026-09-01T08:00"},
    "/notify/calendars/{scope}": {"version": "0"},
    "/notify/stuck": {"chosen": ["{delivery_id}"], "action": "resend"},
    "/notify/suppressions": {"email": "nobody@beispiel.example", "note": "test"},
    "/notify/deliveries/{delivery_id}/correct": {"email": "neu@beispiel.example"},
    "/events/slots/{slot_id}/{action}": {"places": "60", "groups": "4"},
}

# What a page needs to know beside its path.
QUERIES = {
    "/outreach/my-organisation/{organisation_id}/people/{person_id}/remove": {"kind": "teacher"},
    "/outreach/people/{person_id}/remove-role": {"kind": "teacher", "organisation_id": "{other_school_id}"},
    **{
        f"/outreach/coverage/{name}.{form}": {"campaign_id": "{campaign_id}"}
        for name in ("schools", "municipalities")
        for form in ("csv", "xlsx")
    },
    "/outreach/schools/choose": {"next": "/outreach/visits/new", "q": "schule"},
}
FILES = {
    "/outreach/imports": ("schuldaten.csv", b"".join(REGISTER.read_bytes().splitlines(keepends=True)[:4])),
    "/outreach/import/{kind}": ("companies.csv", b"name;street;postal_code;town\nBeispiel;Weg 1;59821;Arnsberg\n"),
    "/events/import/{kind}": ("self-found.csv", b"company_name;day\nWerkstatt;2026-12-15\n"),
}


def asked(path: str, ids: dict[str, str]) -> dict[str, str]:
    """What the page of `path` needs to know beside its path, with the ids of what there is."""
    return {name: value.format(**ids) for name, value in QUERIES.get(path, {}).items()}


def attached(path: str) -> dict[str, tuple[str, bytes, str]] | None:
    """The file in the form of `path`, when there is one."""
    return {"file": (*FILES[path], "text/csv")} if path in FILES else None


def filled(path: str, ids: dict[str, str]) -> dict[str, Any]:
    """The form of `path`, with the ids of what there is."""
    return {_with(name, ids): _value(value, ids) for name, value in FORMS.get(path, {}).items()}


def _value(value: Any, ids: dict[str, str]) -> Any:
    return [_with(each, ids) for each in value] if isinstance(value, list) else _with(value, ids)


def _with(text: str, ids: dict[str, str]) -> str:
    return text.format(**ids)
