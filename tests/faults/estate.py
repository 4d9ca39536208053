"""What the actors compete for: a campaign of one's own with few places, opened in peace."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.local.demo.client import Client, known_soon

DISTRICTS = ["05958", "05962", "05966", "05970", "05974"]
POLICIES = (("automatic", "strict_order"), ("company", "next_that_fits"), ("automatic", "none"))
SLOTS_OF_EACH = 2
PLACES, GROUPS = 60, 6


@dataclass(frozen=True)
class Estate:
    """The campaign with its slots, and the schools that may come."""

    campaign_id: str
    slots: list[dict[str, Any]]
    schools: list[str]


async def open_estate(client: Client, name: str) -> Estate:
    """One company, three offers with different rules, two slots of each."""
    now = datetime.fromisoformat((await client.post("/local/clock", {"forward": "0 seconds"})).ok()["now"])
    campaign = (await client.post("/outreach/api/v1/campaigns", _campaign(name, now))).ok()
    company = (await client.post("/outreach/api/v1/companies", {"name": name, **ADDRESS, "contact": CONTACT})).ok()
    slots = []
    for approval, waiting_list in POLICIES:
        slots += await _open_slots(client, campaign["id"], company["id"], approval, waiting_list, now)
    schools = await client.get("/outreach/api/v1/schools", school_type="15", limit=20)
    return Estate(campaign["id"], slots, [school["id"] for school in schools["items"]])


async def _open_slots(
    client: Client, campaign_id: str, company_id: str, approval: str, waiting_list: str, now: datetime
) -> list[dict[str, Any]]:
    rules = {"approval": approval, "waiting_list": waiting_list}
    body = {"campaign_id": campaign_id, "company_id": company_id, **OFFER, **rules}
    offer = (await known_soon(lambda: client.post("/events/api/v1/offers", body))).ok()
    days = {
        "weekdays": [1, 2],
        "first_day": str(now.date() + timedelta(days=21)),
        "last_day": str(now.date() + timedelta(days=140)),
    }
    series = {**days, "starts": "09:00", "ends": "12:00", "skip_days_off": True}
    asked = {"series": series, "places": PLACES, "groups": GROUPS}
    opened = (await client.post(f"/events/api/v1/offers/{offer['id']}/slots", asked)).ok()
    return opened["slots"][:SLOTS_OF_EACH]


def _campaign(name: str, now: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "starts_on": str(now.date()),
        "ends_on": str(now.date() + timedelta(days=200)),
        "districts": DISTRICTS,
        "kinds": ["tour"],
        "offers_from": _instant(now - timedelta(days=2)),
        "booking_from": _instant(now - timedelta(days=1)),
        "closes_at": _instant(now + timedelta(days=190)),
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


CONTACT = {"name": "Kontakt Beispiel", "email": "kontakt@betrieb.example"}
ADDRESS = {"street": "Beispielweg 1", "postal_code": "57072", "town": "Siegen"}
OFFER = {
    "title": "Ein Vormittag im Betrieb",
    "field": "M",
    "place": {"name": "Werk", **ADDRESS},
    "contact": CONTACT,
    "grades": [8],
}
