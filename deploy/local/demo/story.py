"""The story: from the school register to the reminder in a mailbox, step by step, through the public HTTP API."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from deploy.local.demo.client import Answer, Client, known_soon, must, until
from deploy.local.demo.expected import Confirmed, Expected

HOLIDAYS = [(1, 1), (5, 1), (10, 3), (12, 25)]
DISTRICTS = ["05958", "05962", "05966", "05970", "05974"]
COMPANIES = [
    ("Musterwerk Siegerland (Demo)", "57072", "Siegen", "M"),
    ("Beispielholz Olpe (Demo)", "57462", "Olpe", "BAV"),
    ("Probepflege Soest (Demo)", "59494", "Soest", "G"),
]


class Story:
    """One run of the demo in a campaign of its own."""

    def __init__(self, client: Client, expected: Expected, say: Callable[[str], None]) -> None:
        self.client = client
        self.expected = expected
        self.say = say
        self.run = uuid4().hex[:6]
        self.now = datetime.min
        self.campaign: dict[str, Any] = {}
        self.schools: list[dict[str, Any]] = []
        self.companies: list[dict[str, Any]] = []
        self.offers: list[dict[str, Any]] = []
        self.slots: list[dict[str, Any]] = []
        self.registrations: dict[str, dict[str, Any]] = {}
        self.visit_dates: list[dict[str, Any]] = []
        self.visit_ids: list[str] = []
        self.report: dict[str, int] = Counter()

    async def forward(self, by: timedelta) -> None:
        """Move the clock of the whole system."""
        answer = await self.client.post("/local/clock", {"forward": f"{by.total_seconds():.0f} seconds"})
        self.now = datetime.fromisoformat(answer.ok()["now"])

    async def open_campaign(self) -> None:
        """The coordinator opens a campaign whose booking begins in an hour."""
        await self.forward(timedelta())
        today = self.now.date()
        body = {
            "name": f"Demo-Kampagne {self.run}",
            "starts_on": str(today),
            "ends_on": str(today + timedelta(days=200)),
            "districts": DISTRICTS,
            "kinds": ["tour", "visit"],
            "offers_from": _instant(self.now - timedelta(hours=1)),
            "booking_from": _instant(self.now + timedelta(hours=1)),
            "closes_at": _instant(self.now + timedelta(days=190)),
        }
        self.campaign = (await self.client.post("/outreach/api/v1/campaigns", body)).ok()
        by_type = {code: await self.client.all("/outreach/api/v1/schools", school_type=code) for code in ("15", "10")}
        self.schools = [*by_type["15"][:6], *by_type["10"][:4]]
        self.say(f"campaign »{body['name']}« opened: offers from now, booking in an hour")

    async def publish_offers(self) -> None:
        """Three companies, three tours: automatic, by approval, without a waiting list; a series and single slots."""
        for index, (name, postal_code, town, field) in enumerate(COMPANIES):
            contact = {"name": f"Kontakt {index + 1} Beispiel", "email": f"kontakt{index}-{self.run}@betrieb.example"}
            company = {
                "name": f"{name} {self.run}",
                "street": "Beispielweg 1",
                "postal_code": postal_code,
                "town": town,
            }
            self.companies.append(
                (await self.client.post("/outreach/api/v1/companies", {**company, "contact": contact})).ok()
            )
            await self._publish_offer(index, company, contact, field)
        series = {
            "series": {
                "weekdays": [1],
                "first_day": str(self.now.date() + timedelta(days=21)),
                "last_day": str(self.now.date() + timedelta(days=140)),
                "starts": "09:00",
                "ends": "12:00",
                "skip_days_off": True,
            },
            "places": 60,
            "groups": 20,
        }
        opened = (await self.client.post(f"/events/api/v1/offers/{self.offers[0]['id']}/slots", series)).ok()
        self.slots = sorted(opened["slots"], key=lambda slot: slot["starts_local"])
        skipped = "; ".join(f"{entry['day']} {entry['reason']}" for entry in opened["skipped"]) or "none"
        self.say(f"a series of {len(self.slots)} Tuesdays in one action; skipped: {skipped}")
        await self._single_slots()
        self.report["companies"] = 3
        self.report["slots"] = len(self.slots)
        self.report["places_offered"] = 60 * (len(self.slots) - 2) + 30 + 20

    async def book_too_early(self) -> None:
        """Booking is refused before its phase; then the clock moves on."""
        answer = await self._register(self.slots[0], "7a", 20, school=0)
        answer.refused("booking-not-open-yet")
        self.say(f"booked too early: {answer.body['detail']}")
        await self.forward(timedelta(hours=2))

    async def visits(self) -> None:
        """Schools ask for visits; a team declines, another accepts; nobody is booked twice."""
        first = await self._ambassador("Ada", "57072")
        second = await self._ambassador("Ben", "57462")
        visit = await self._ask_for_visit(self.schools[0])
        self.expected.mail("visit_requested", "teacher", "coordinator")
        await self._propose(visit, [first])
        self.expected.mail("visit_proposed", "ambassador")
        (await self._on_visit(visit, "decline", {"ambassador_id": first["id"], "reason": "Prüfung"})).ok()
        self.expected.mail("visit_proposal_declined", "coordinator")
        await self._propose(visit, [second])
        self.expected.mail("visit_proposed", "ambassador")
        other = await self._ask_for_visit(self.schools[1])
        self.expected.mail("visit_requested", "teacher", "coordinator")
        refused = await self._on_visit(other, "propose", {"alternative": 0, "ambassador_ids": [second["id"]]})
        must(refused.status == 409, f"nobody is booked twice at the same time: {refused}")
        self.say(f"the same ambassador twice at the same time: {refused.body['detail']}")
        done = (await self._on_visit(visit, "accept", {"ambassador_id": second["id"]})).ok()
        must(done["state"] == "confirmed", "the last acceptance confirms")
        self.expected.mail("visit_confirmed", "teacher", "ambassador")
        (await self._on_visit(other, "cancel", {"reason": "Klassenfahrt"})).ok()
        self.expected.mail("visit_cancelled", "teacher", "coordinator")
        starts = datetime.fromisoformat(self.visit_dates[0]["starts_local"])
        self.expected.visits[visit["id"]] = Confirmed(starts, self.now)
        self.report["visits"] = 1
        self.visit = visit
        self.say("visit: asked for, declined once, accepted, confirmed; another one cancelled")

    async def waiting_list(self) -> None:
        """A full slot: head counts, strict order, an offer that is accepted and one that expires."""
        slot = self.slots[0]
        a = await self._confirmed(slot, "8a", 28, school=0)
        b = await self._confirmed(slot, "8b", 30, school=0)
        c = await self._expect(slot, "8c", 25, school=1, state="waitlisted")
        d = await self._expect(slot, "8d", 2, school=2, state="waitlisted")
        (await self._register(slot, "8 A", 28, school=0)).refused("already-registered")
        (await self._change(a, "resize", {"pupils": 31, "adults": 2})).refused("slot-is-full")
        (await self._change(a, "resize", {"pupils": 20, "adults": 2})).ok()
        self.expected.mail("registration_resized", "teacher", "company")
        must(await self._state(c) == "waitlisted", "25 do not fit into 10")
        (await self._change(b, "cancel", {"reason": "Schulausflug verschoben"})).ok()
        self._no_longer_confirmed(b)
        self.expected.mail("registration_cancelled", "teacher", "company")
        must(await self._state(c) == "offered" and await self._state(d) == "offered", "both fit now, in their order")
        self.expected.mail("places_offered", "teacher")
        self.expected.mail("places_offered", "teacher")
        (await self._change(c, "accept")).ok()
        self._now_confirmed(c, slot)
        self.expected.mail("registration_confirmed", "teacher", "company")
        self.say("waiting list: strict order, heads counted, offered together, one accepted")
        self.expiring = d

    async def approvals(self) -> None:
        """By approval: approved once although clicked twice, and declined."""
        slot = self.slots[-2]
        approved = await self._expect(slot, "9a", 15, school=3, state="requested", roles=("teacher", "company"))
        declined = await self._expect(slot, "9b", 15, school=4, state="requested", roles=("teacher", "company"))
        clicks = await asyncio.gather(*(self._change(approved, "approve") for _ in range(2)))
        must(sorted(click.status for click in clicks) == [200, 409], f"the second click says already done: {clicks}")
        self._now_confirmed(approved, slot)
        self.expected.mail("registration_confirmed", "teacher", "company")
        (await self._change(declined, "decline", {"reason": "Maschine in Wartung"})).ok()
        self.expected.mail("registration_declined", "teacher")
        full = self.slots[-1]
        (await self._register(full, "10a", 18, school=5, acknowledged=False)).refused("requirements-not-acknowledged")
        await self._confirmed(full, "10a", 18, school=5)
        (await self._register(full, "10b", 5, school=6)).refused("slot-is-full")
        self.say("approval by the company, once; requirements acknowledged; a full slot without waiting list refuses")

    async def rush(self) -> None:
        """Sixty groups of five at once for sixty places: exactly twelve get places, the others wait."""
        slot = self.slots[1]
        groups = [(f"R{number}", number % len(self.schools)) for number in range(60)]
        answers = await asyncio.gather(*(self._register(slot, name, 5, school) for name, school in groups))
        states = Counter(answer.ok()["state"] for answer in answers)
        must(states == {"confirmed": 12, "waitlisted": 48}, f"12 confirmed and 48 waiting expected: {states}")
        for answer in answers:
            registration = answer.body
            self.registrations[registration["id"]] = registration
            if registration["state"] == "confirmed":
                self._now_confirmed(registration, slot)
                self.expected.mail("registration_confirmed", "teacher", "company")
            else:
                self.expected.mail("registration_waitlisted", "teacher")
        seen = await self.client.get(f"/events/api/v1/slots/{slot['id']}")
        must((seen["taken"], seen["free"], seen["waiting"]) == (60, 0, 48), f"60 taken, 48 waiting expected: {seen}")
        self.say("rush: 60 groups of 5 at once for 60 places → 12 confirmed, 48 on the waiting list, exactly full")

    async def book_before_changes(self) -> None:
        """Two groups on slots that are about to change."""
        self.kept = await self._confirmed(self.slots[3], "8f", 24, school=7)
        self.lost = await self._confirmed(self.slots[4], "8g", 24, school=8)

    async def move_and_cancel_slots(self) -> None:
        """A moved slot keeps its registrations; a cancelled one tells them all."""
        moved, cancelled, kept, lost = self.slots[3], self.slots[4], self.kept, self.lost
        starts = datetime.fromisoformat(moved["starts_local"]) + timedelta(hours=1)
        body = {
            "starts_local": _wall(starts),
            "ends_local": _wall(starts + timedelta(hours=3)),
            "reason": "Frühschicht",
        }
        (await self.client.post(f"/events/api/v1/slots/{moved['id']}/move", body)).ok()
        self.expected.confirmed[kept["id"]].starts_local = starts
        self.expected.mail("slot_moved", "teacher", "company")
        answer = await self.client.post(f"/events/api/v1/slots/{cancelled['id']}/cancel", {"reason": "Werksferien"})
        answer.ok()
        await until("the cancelled slot's group", lambda: self._is(lost, "cancelled"))
        self._no_longer_confirmed(lost)
        self.expected.mail("registration_cancelled", "teacher", "company")
        self.report["slots"] -= 1
        self.report["places_offered"] -= 60
        place = {
            "campaign_id": self.campaign["id"],
            "school_id": self.schools[9]["id"],
            "group": {"name": "8z", "grade": 8, "pupils": 4, "adults": 0},
            "company_name": "Selbst gefunden (Demo)",
            "field": "M",
            "day": str(self.now.date() + timedelta(days=30)),
        }
        (await self.client.post("/events/api/v1/self-found-places", place)).ok()
        self.report["self_found_places"] = 4
        self.say("a slot moved, a slot cancelled, four self-found places recorded")

    async def expire_offer(self) -> None:
        """School days pass; the offer that nobody accepted expires."""
        await self.forward(timedelta(days=8))
        await until("the expiry of the offer", lambda: self._is(self.expiring, "expired"))
        self.expected.mail("offered_places_expired", "teacher")
        self.say("eight days later: the offer that was not accepted has expired")

    async def wait_until_reminded(self, mails_sent: Callable[[], Awaitable[bool]]) -> None:
        """Move the clock to each moment at which reminders are due, in order, and wait for them."""
        due = self.expected.reminders()
        for moment in sorted(due):
            await self.forward(max(moment - self.now + timedelta(minutes=1), timedelta()))
            for kind, roles in due[moment]:
                self.expected.mail(kind, *roles)
            await until(f"the reminders of {moment:%d.%m.%Y %H:%M} UTC", mails_sent)
        self.say(f"reminders at {len(due)} moments, each at 8:00 local time, days ahead")

    async def attend(self) -> None:
        """After the last slot: who came, and what the visit reached."""
        last = max(datetime.fromisoformat(slot["starts_local"]) for slot in self.slots)
        await self.forward(max(last - self.now.replace(tzinfo=None) + timedelta(days=1), timedelta()))
        for registration_id in self.expected.confirmed:
            registration = await self.client.get(f"/events/api/v1/registrations/{registration_id}")
            pupils = registration["group"]["pupils"]
            came = pupils != 15
            body = {"came": came, "pupils": pupils if came else 0}
            (await self._change({"id": registration_id}, "attend", body)).ok()
            self.report["groups"] += 1
            self.report["pupils"] += pupils
            self.report["places_taken"] += pupils
            self.report["places_attended"] += pupils if came else 0
        (await self._on_visit(self.visit, "complete", {"pupils_reached": 27})).ok()
        self.report["pupils_reached"] = 27
        self.say("attendance noted: all came but one group; the visit reached 27 pupils")

    async def _publish_offer(self, index: int, company: dict[str, str], contact: dict[str, str], field: str) -> None:
        body = {
            "campaign_id": self.campaign["id"],
            "company_id": self.companies[index]["id"],
            "title": f"Ein Vormittag bei {company['name']}",
            "description": "Rundgang, Ausprobieren, Gespräch mit Auszubildenden.",
            "field": field,
            "place": {k: company[k] for k in ("name", "street", "postal_code", "town")} | {"directions": "Tor 1"},
            "requirements": ["Feste, geschlossene Schuhe"],
            "contact": contact,
            "grades": [7, 8, 9, 10],
            "approval": "company" if index == 1 else "automatic",
            "waiting_list": ("strict_order", "next_that_fits", "none")[index],
        }
        offer = await known_soon(lambda: self.client.post("/events/api/v1/offers", body))
        self.offers.append(offer.ok())

    async def _single_slots(self) -> None:
        refused = await self._open_slot(1, str(_public_holiday_after(self.now.date())), 30)
        refused.refused("slot-on-day-off")
        self.say(f"a slot on a public holiday: {refused.body['detail']}")
        self.slots.append((await self._open_slot(1, self.slots[2]["starts_local"][:10], 30)).ok()["slots"][0])
        self.slots.append((await self._open_slot(2, self.slots[3]["starts_local"][:10], 20)).ok()["slots"][0])

    async def _open_slot(self, offer: int, day: str, places: int) -> Answer:
        body = {"starts_local": f"{day}T13:00", "ends_local": f"{day}T15:00", "places": places, "groups": 5}
        return await self.client.post(f"/events/api/v1/offers/{self.offers[offer]['id']}/slots", body)

    async def _register(
        self, slot: dict[str, Any], name: str, pupils: int, school: int, acknowledged: bool = True
    ) -> Answer:
        body = {
            "school_id": self.schools[school]["id"],
            "group": {"name": name, "grade": 8, "pupils": pupils, "adults": 2, "needs": ""},
            "contact": {"name": f"Lehrkraft {name} Muster", "email": f"lehrkraft{school}-{self.run}@schule.example"},
            "acknowledged": acknowledged,
        }
        path = f"/events/api/v1/slots/{slot['id']}/registrations"
        return await known_soon(lambda: self.client.post(path, body))

    async def _expect(
        self,
        slot: dict[str, Any],
        name: str,
        pupils: int,
        school: int,
        state: str,
        roles: tuple[str, ...] = ("teacher",),
    ) -> dict[str, Any]:
        registration = (await self._register(slot, name, pupils, school)).ok()
        must(registration["state"] == state, f"{name} must be {state}, is {registration['state']}")
        self.registrations[registration["id"]] = registration
        self.expected.mail(f"registration_{state}", *roles)
        return registration

    async def _confirmed(self, slot: dict[str, Any], name: str, pupils: int, school: int) -> dict[str, Any]:
        registration = await self._expect(slot, name, pupils, school, "confirmed", ("teacher", "company"))
        self._now_confirmed(registration, slot)
        return registration

    def _now_confirmed(self, registration: dict[str, Any], slot: dict[str, Any]) -> None:
        starts = datetime.fromisoformat(slot["starts_local"])
        self.expected.confirmed[registration["id"]] = Confirmed(starts, self.now)

    def _no_longer_confirmed(self, registration: dict[str, Any]) -> None:
        del self.expected.confirmed[registration["id"]]

    async def _change(self, registration: dict[str, Any], verb: str, body: dict[str, Any] | None = None) -> Answer:
        return await self.client.post(f"/events/api/v1/registrations/{registration['id']}/{verb}", body)

    async def _state(self, registration: dict[str, Any]) -> str:
        return (await self.client.get(f"/events/api/v1/registrations/{registration['id']}"))["state"]

    async def _is(self, registration: dict[str, Any], state: str) -> bool:
        return await self._state(registration) == state

    async def _ambassador(self, name: str, postal_code: str) -> dict[str, Any]:
        body = {
            "name": f"{name} Botschaft (Demo)",
            "email": f"{name.lower()}-{self.run}@betrieb.example",
            "language": "de",
            "company_id": self.companies[0]["id"],
            "limits": {"per_week": 1, "per_campaign": 5},
            "fields": ["M"],
            "home_postal_code": postal_code,
        }
        return (await self.client.post("/outreach/api/v1/ambassadors", body)).ok()

    async def _ask_for_visit(self, school: dict[str, Any]) -> dict[str, Any]:
        days = [slot["starts_local"][:10] for slot in self.slots[:3]]
        self.visit_dates = [{"starts_local": f"{day}T08:00", "ends_local": f"{day}T09:30"} for day in days]
        body = {
            "campaign_id": self.campaign["id"],
            "school_id": school["id"],
            "field": "M",
            "grade": 8,
            "group": {"name": "8a", "pupils": 27},
            "contact": {"name": "Lehrkraft Muster", "email": f"besuch-{self.run}@schule.example"},
            "alternatives": self.visit_dates,
        }
        visit = (await self.client.post("/outreach/api/v1/visits", body)).ok()
        self.visit_ids.append(visit["id"])
        return visit

    async def _on_visit(self, visit: dict[str, Any], verb: str, body: dict[str, Any]) -> Answer:
        return await self.client.post(f"/outreach/api/v1/visits/{visit['id']}/{verb}", body)

    async def _propose(self, visit: dict[str, Any], team: list[dict[str, Any]]) -> None:
        body = {"alternative": 0, "ambassador_ids": [ambassador["id"] for ambassador in team]}
        (await self._on_visit(visit, "propose", body)).ok()


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _wall(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _public_holiday_after(day: date) -> date:
    """The next of four public holidays that lie at most 155 days apart."""
    days = [date(year, month, number) for year in (day.year, day.year + 1) for month, number in HOLIDAYS]
    return min(holiday for holiday in days if holiday > day + timedelta(days=1))
