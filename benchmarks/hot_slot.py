"""3,200 registrations at once for one slot of 2,000 places, through the full API of a running Perspektive.

Prints decisions per second and latencies, and fails unless the slot is exactly full afterwards.
"""

import argparse
import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.load import fire, percentile
from deploy.local.demo.client import Client, known_soon

PLACES = 2_000
REQUESTS = 3_200


def main() -> int:
    """0 when the slot is exactly full, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument("--key-file", type=Path, default=Path(".data/coordinator-api-key"))
    parser.add_argument("--clients", type=int, nargs="+", default=[8, 32, 128])
    options = parser.parse_args()
    key = options.key_file.read_text().strip()
    print(f"{'clients':>7} {'requests/s':>10} {'p50 ms':>7} {'p99 ms':>7} {'confirmed':>9} {'refused':>7} {'taken':>6}")
    return max(asyncio.run(_round(options.address, key, clients)) for clients in options.clients)


async def _round(address: str, key: str, clients: int) -> int:
    async with Client(address, key) as client:
        slot, schools = await _slot(client)
        bodies = [_body(schools[number % len(schools)]["id"], number) for number in range(REQUESTS)]
        path = f"/events/api/v1/slots/{slot['id']}/registrations"
        shots, seconds = await fire(address, key, path, bodies, clients)
        seen = await client.get(f"/events/api/v1/slots/{slot['id']}")
        reconciliation = await client.get("/events/api/v1/reconciliation")
    answers = Counter("confirmed" if shot.status == 201 else shot.body["type"].rsplit("/")[-1] for shot in shots)
    latencies = [shot.seconds * 1000 for shot in shots]
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    print(
        f"{clients:>7} {len(shots) / seconds:>10.0f} {p50:>7.1f} {p99:>7.1f} "
        f"{answers['confirmed']:>9} {answers['slot-is-full']:>7} {seen['taken']:>6}"
    )
    exact = answers == {"confirmed": PLACES, "slot-is-full": REQUESTS - PLACES} and seen["taken"] == PLACES
    if not exact or reconciliation["differences"]:
        print(f"NOT exact: {dict(answers)}, {seen}, {reconciliation['differences']}", file=sys.stderr)
        return 1
    return 0


async def _slot(client: Client) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    now = datetime.fromisoformat((await client.post("/local/clock", {"forward": "0 seconds"})).ok()["now"])
    schools = (await client.get("/outreach/api/v1/schools", limit=100))["items"]
    campaign = {
        "name": "Messung",
        "starts_on": str(now.date()),
        "ends_on": str(now.date() + timedelta(days=100)),
        "districts": sorted({school["district_ags"] for school in schools}),
        "kinds": ["tour"],
        "offers_from": _instant(now - timedelta(hours=2)),
        "booking_from": _instant(now - timedelta(hours=1)),
        "closes_at": _instant(now + timedelta(days=90)),
    }
    campaign = (await client.post("/outreach/api/v1/campaigns", campaign)).ok()
    place = {"name": "Messung (Demo)", "street": "Beispielweg 1", "postal_code": "57072", "town": "Siegen"}
    contact = {"name": "Kontakt Messung", "email": "messung@betrieb.example"}
    company = (await client.post("/outreach/api/v1/companies", {**place, "contact": contact})).ok()
    offer = {
        "campaign_id": campaign["id"], "company_id": company["id"], "title": "Messung", "description": "Messung",
        "field": "M", "place": place, "requirements": [], "contact": contact, "grades": [8], "approval": "automatic",
        "waiting_list": "none", "reminder_days": [],
    }  # fmt: skip
    offer = (await known_soon(lambda: client.post("/events/api/v1/offers", offer))).ok()
    day = now.date() + timedelta(days=30)
    body = {
        "starts_local": f"{day}T09:00", "ends_local": f"{day}T12:00", "places": PLACES, "groups": PLACES,
        "allow_days_off": True,
    }  # fmt: skip
    slots = (await client.post(f"/events/api/v1/offers/{offer['id']}/slots", body)).ok()
    return slots["slots"][0], schools


def _body(school_id: str, number: int) -> dict[str, Any]:
    return {
        "school_id": school_id,
        "group": {"name": f"M{number}", "grade": 8, "pupils": 1, "adults": 0, "needs": ""},
        "contact": {"name": "Lehrkraft Messung", "email": "messung@schule.example"},
        "acknowledged": True,
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
