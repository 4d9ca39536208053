"""A school year of bookings, moves and cancellations, its clock driven by the test, against a model written here.

The short year runs with all other tests. The whole one, with every school of the region:
`SCHOOL_YEAR=whole .venv/bin/python -m pytest tests/integration/notify/test_school_year.py -s`
"""

import email
import email.policy
import os
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from holidays import Germany

from services.notify.sender import Sender
from services.notify.smtp.failures import TryAgain
from services.notify.smtp.transaction import Mail
from services.notify.timing import QuietHours
from shared.schemas import events, outreach
from shared.schemas.events import GroupFacts, RegistrationFacts, SlotFacts
from tests.support.notify_builders import coordinator, offer, registration, said, slot, slot_moved
from tests.support.notify_world import World, part

pytestmark = pytest.mark.processes_only
BERLIN = ZoneInfo("Europe/Berlin")
SIZES = {"short": 60, "whole": 482}
SCHOOLS_PER_COMPANY = 8
PUPILS, TOURS_PER_GROUP = 27, 3  # 482 schools: 13,014 pupils, 39,042 places
MOST_A_WEEK = 2
FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2027, 6, 18)
CAMPAIGN_CHANGES_AT = datetime(2027, 2, 10, 12, tzinfo=BERLIN)
RELAY_IS_AWAY = (datetime(2026, 11, 3, 7, 30, tzinfo=BERLIN), datetime(2026, 11, 3, 22, 0, tzinfo=BERLIN))
DAYS_OFF = {
    "teacher": Germany(subdiv="NW", years=[2026, 2027], categories=("public", "school")),
    "company": Germany(subdiv="NW", years=[2026, 2027], categories="public"),
}
Days = tuple[int, int, int]  # days before, hour, minute
Rule = tuple[tuple[Days, ...], int]  # reminders of days before, and hours before (0: none)
USUAL: Rule = (((14, 8, 0), (2, 8, 0)), 0)
LATER_IN_THE_YEAR: Rule = (((10, 8, 0), (1, 8, 0)), 0)
OWN_RULES: dict[int, tuple[Rule, list[str]]] = {
    0: ((((7, 8, 0),), 1), ["7d", "1h"]),
    1: ((((14, 8, 0), (2, 17, 30)), 0), ["14d", "2d@17:30"]),
}


def local(moment: datetime) -> datetime:
    return moment.astimezone(BERLIN)


# The year: who books what, and what becomes of it.


@dataclass
class Tour:
    """One group on one slot, as the year goes on."""

    id: str
    school: int
    company: int
    starts: datetime  # naive wall time
    state: str = "booked"
    version: int = 0
    revision: int = 1
    pupils: int = PUPILS

    @property
    def begins(self) -> datetime:
        return self.starts.replace(tzinfo=BERLIN)

    @property
    def addresses(self) -> dict[str, str]:
        return {"teacher": f"teacher{self.school}@schule.example", "company": f"company{self.company}@betrieb.example"}

    def slot_facts(self) -> SlotFacts:
        own = OWN_RULES.get(self.company % 5)
        address = {"email": self.addresses["company"]}
        contact = slot().offer.contact.model_copy(update=address)
        facts = offer(offer_id=f"offer{self.company}", contact=contact, reminders=own[1] if own else None)
        return slot(self.revision, self.starts, slot_id=f"slot-{self.id}-", offer=facts)

    def facts(self, state: str = "confirmed") -> RegistrationFacts:
        contact = registration().contact.model_copy(update={"email": self.addresses["teacher"]})
        size = GroupFacts(name="8a", grade=8, pupils=self.pupils, adults=2)
        return registration(
            state, self.version, f"reg-{self.id}-", slot=self.slot_facts(), contact=contact, group=size,
            school_id=f"school{self.school}",
        )  # fmt: skip


@dataclass(order=True)
class Step:
    """Something that happens at a moment."""

    at: datetime
    number: int
    what: str = field(compare=False)
    tour: Tour | None = field(compare=False, default=None)


def make_year(schools: int, dice: random.Random) -> list[Step]:
    """Bookings, and what becomes of each: most take place, some are moved, resized or called off."""
    companies, steps, used = schools // SCHOOLS_PER_COMPANY, [], Counter[int]()
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days)]
    days = [day for day in days if day.weekday() < 5 and day not in DAYS_OFF["teacher"]]
    for school in range(schools):
        for number in range(TOURS_PER_GROUP):
            company = dice.randrange(companies)
            used[company] += 1
            first = datetime.combine(dice.choice(days[: len(days) // 3] if dice.random() < 0.3 else days), time(8, 30))
            tour = Tour(f"{school}.{number}", school, company, first + timedelta(minutes=7 * used[company]))
            steps += _fate(tour, dice, len(steps))
    return sorted([*steps, Step(CAMPAIGN_CHANGES_AT, -1, "campaign")])


def _fate(tour: Tour, dice: random.Random, number: int) -> list[Step]:
    ahead = dice.choice([1, 3, 8, 20, 30, 45, 60, 60])
    at = datetime.combine(tour.starts.date() - timedelta(days=ahead), time(6 + dice.randrange(17), dice.randrange(60)))
    steps = [Step(at.replace(tzinfo=BERLIN), number, "book", tour)]
    kinds = dice.choices(["", "move", "resize", "cancel", "move cancel"], [60, 12, 10, 14, 4])[0].split()
    for kind in kinds:
        at += timedelta(days=dice.randrange(2, 9), hours=dice.randrange(5), minutes=1)
        if at < tour.starts - timedelta(days=2):
            steps.append(Step(at.replace(tzinfo=BERLIN), number + len(steps), kind, tour))
    return steps


# The model: what must come of it, written without the service's rules.


@dataclass
class Reminder:
    """One that the model expects. `day` is its local day; None for one that comes hours before."""

    tour: Tour
    role: str
    revision: int
    offset: Days | int
    due: datetime
    day: date | None
    over: bool = False


@dataclass
class Model:
    """Expected mails: (address, local day or None, the tours named). `late` are those that the relay kept waiting."""

    movable: Callable[[int], date]
    choice: Callable[[str], str]
    campaign: Rule = USUAL
    reminders: dict[tuple[str, str, int, Days | int], Reminder] = field(default_factory=dict)
    of_address: dict[str, list[Reminder]] = field(default_factory=lambda: defaultdict(list))
    queue: list[tuple[datetime, int, Reminder]] = field(default_factory=list)
    mails: list[tuple[str, datetime, tuple[str, ...]]] = field(default_factory=list)
    news: Counter[str] = field(default_factory=Counter)
    weeks: Counter[tuple[str, tuple[int, int]]] = field(default_factory=Counter)
    over_cap: int = 0
    unwanted: int = 0
    kept_waiting: list[tuple[str, list[Reminder]]] = field(default_factory=list)

    def rule(self, tour: Tour) -> Rule:
        own = OWN_RULES.get(tour.company % 5)
        return own[0] if own else self.campaign

    def plan(self, tour: Tour, now: datetime) -> None:
        days, hours = self.rule(tour)
        for reminder in [each for address in tour.addresses.values() for each in self.of_address[address]]:
            stays = tour.state == "booked" and reminder.revision == tour.revision
            stays &= reminder.offset in (*days, hours)
            reminder.over |= reminder.tour is tour and not stays
        if tour.state == "booked":
            for role in ("teacher", "company"):
                self._plan_days(tour, role, days, now, last=not hours)
                if hours:
                    self._add(tour, role, hours, tour.begins - timedelta(hours=hours), None, now)

    def _plan_days(self, tour: Tour, role: str, days: tuple[Days, ...], now: datetime, last: bool) -> None:
        found: dict[date, tuple[Days, datetime]] = {}
        for each in days:  # the nearest comes last, and so wins its day
            wanted = tour.starts.date() - timedelta(days=each[0])
            day = self.last_day_on(wanted, role, tour.school)
            moment = datetime.combine(day, time(each[1], each[2]), BERLIN)
            if moment <= now and last and each == days[-1]:
                moment = datetime.combine(wanted, time(each[1], each[2]), BERLIN)
            if now < moment < tour.begins:
                found[moment.date()] = (each, moment)
        for day, (each, moment) in found.items():
            self._add(tour, role, each, moment, day, now)

    def last_day_on(self, day: date, role: str, school: int) -> date:
        off = DAYS_OFF[role]
        while day.weekday() > 4 or day in off or (role == "teacher" and day == self.movable(school)):
            day -= timedelta(days=1)
        return day

    def _add(self, tour: Tour, role: str, offset: Days | int, due: datetime, day: date | None, now: datetime) -> None:
        key = (tour.id, role, tour.revision, offset)
        if now < due < tour.begins and key not in self.reminders:
            reminder = self.reminders[key] = Reminder(tour, role, tour.revision, offset, due, day)
            self.of_address[tour.addresses[role]].append(reminder)
            heappush(self.queue, (due, len(self.reminders), reminder))

    def run_until(self, now: datetime) -> None:
        """Everything that is due before `now`."""
        while self.queue and self.queue[0][0] < now:
            due, _, reminder = heappop(self.queue)
            if not reminder.over:
                self._send(reminder, due)

    def _send(self, first: Reminder, now: datetime) -> None:
        address = first.tour.addresses[first.role]
        same_day = [each for each in self.of_address[address] if not each.over and each.day == first.day]
        parts = same_day if first.day else [first]
        for each in parts:
            each.over = True
        going = [each for each in parts if self._wanted(each, address, now)]
        self.unwanted += len(parts) - len(going)
        week = (address, local(now).isocalendar()[:2])
        if not going:
            return
        if self.weeks[week] >= MOST_A_WEEK:
            self.over_cap += len(going)
            return
        self.weeks[week] += 1
        if RELAY_IS_AWAY[0] <= now < RELAY_IS_AWAY[1]:
            self.kept_waiting.append((address, going))
        else:
            self.mails.append((address, now, tuple(sorted(each.tour.id for each in going))))

    def _wanted(self, reminder: Reminder, address: str, now: datetime) -> bool:
        later = any(
            not each.over and each.due > now and each.tour is reminder.tour and each.role == reminder.role
            for each in self.of_address[address]
        )
        return self.choice(address) == "all" or (self.choice(address) == "last" and not later)

    def relay_is_back(self) -> None:
        """What waited comes when the quiet hours of that night are over, if it is still true then."""
        morning = datetime.combine(RELAY_IS_AWAY[1].date() + timedelta(days=1), time(7), BERLIN)
        for address, waiting in self.kept_waiting:
            going = [each for each in waiting if each.tour.begins > morning and each.tour.revision == each.revision]
            going = [each for each in going if each.tour.state == "booked"]
            if going:
                self.mails.append((address, morning, tuple(sorted(each.tour.id for each in going))))

    def tell(self, tour: Tour, now: datetime) -> None:
        for address in tour.addresses.values():
            self.news[address] += 1


# What really happens.


class Relay:
    """A sink in the place of the relay: what came when, and one long day on which it answers 450."""

    def __init__(self, world: World) -> None:
        self.clock = world.clock
        self.mails: list[tuple[datetime, str, bytes]] = []

    async def send(self, mail: Mail) -> str:
        now = self.clock.now()
        if RELAY_IS_AWAY[0] <= now < RELAY_IS_AWAY[1]:
            raise TryAgain("450 4.3.2 not now")
        self.mails.append((now, mail.recipient, mail.content))
        return "250 kept"

    async def close(self) -> None:
        """Nothing is open."""


async def next_due(world: World) -> datetime | None:
    """The moment at which the next mail that waits is due."""
    found = []
    for priority in (0, 1, 2):
        where = {"waiting": True, "priority": priority}
        found += await world.db.deliveries.find(where, {"due_at": 1}).sort("due_at", 1).limit(1).to_list(1)
    return min((row["due_at"] for row in found), default=None)


async def let_time_pass(world: World, until: datetime) -> None:
    """Move the clock to each moment at which something is due before `until`, and send it."""
    while (due := await next_due(world)) and due < until:
        world.clock.set(max(due, world.clock.now()))
        await world.send_all()
    world.clock.set(until.astimezone(UTC))


def campaign(version: int, reminders: list[str] | None) -> outreach.CampaignChanged:
    day, moment = date(2026, 9, 1), datetime(2026, 9, 1, tzinfo=UTC)
    return outreach.CampaignChanged.about(
        "campaign:campaign1", version, now=moment, campaign_id="campaign1", name="Schuljahr", starts_on=day,
        ends_on=LAST_DAY, districts=[], kinds=["tour"], offers_from=moment, booking_from=moment, closes_at=moment,
        reminders=reminders,
    )  # fmt: skip


def school_facts(number: int, movable: date) -> outreach.SchoolChanged:
    plain = dict.fromkeys(("name", "short_name", "school_type", "street", "postal_code", "town"), "x")
    place = {"municipality_ags": "05966", "district_ags": "05966", "lat": None, "lon": None, "pupils": PUPILS}
    return outreach.SchoolChanged.about(
        f"school:school{number}", 1, now=datetime(2026, 9, 1, tzinfo=UTC), school_id=f"school{number}", open=True,
        movable_days=[movable], **plain, **place,
    )  # fmt: skip


def wish(address: str, number: int, choice: str) -> outreach.PersonChanged:
    role = outreach.Role(kind="company" if "company" in address else "teacher", organisation_id="x")
    return coordinator(1000 + number, email=address, roles=[role], reminders=choice)


async def take_step(world: World, step: Step, model: Model) -> None:
    """The message of one step, to the service and to the model."""
    now, tour = world.clock.now(), step.tour
    if tour is None:
        model.campaign = LATER_IN_THE_YEAR
        await world.hear(campaign(2, ["10d", "1d"]))
        for each in {id(reminder.tour): reminder.tour for reminder in model.reminders.values()}.values():
            model.plan(each, now)
        return
    message = _message_of(step.what, tour, now)
    await world.hear(message)
    model.tell(tour, now)
    model.plan(tour, now)


def _message_of(what: str, tour: Tour, now: datetime) -> Any:
    if what == "move":
        before, tour.revision = tour.starts, tour.revision + 1
        tour.starts += timedelta(days=7)
        return slot_moved(tour.slot_facts(), before, now=now)
    tour.version += 1
    if what == "book":
        return said(events.RegistrationConfirmed, tour.facts(), now)
    if what == "resize":
        tour.pupils -= 2
        resized = tour.facts().model_copy(update={"previous_pupils": tour.pupils + 2})
        return said(events.RegistrationResized, resized, now)
    tour.state = "cancelled"
    off = tour.facts("cancelled").model_copy(update={"cancelled_by": "school"})
    return said(events.RegistrationCancelled, off, now)


def read_mails(relay: Relay) -> tuple[list[tuple[str, datetime, tuple[str, ...]]], Counter[str], int]:
    """Reminders as (address, moment, tours named), other mails by address, and how many reminders were digests."""
    reminders, news, digests = [], Counter[str](), 0
    for now, recipient, content in relay.mails:
        mail: Any = email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[arg-type]
        night = local(now).hour >= 20 or local(now).hour < 7
        if not str(mail["Subject"]).startswith("Erinnerung"):
            news[recipient] += 1
            assert not (night and "betrieb" in recipient), "in the quiet hours nobody but who has just asked hears"
            assert not (night and str(mail["Subject"]).startswith("Neuer Termin")), mail["Subject"]
            continue
        assert not night, f"{mail['Subject']} to {recipient} at {local(now)}"
        text = part(mail, "text/plain").get_content()
        named = re.findall(r"/events/(?:registrations/reg|slots/slot)-([\d.]+)-", text)
        assert len(named) == len(set(named)), text
        reminders.append((recipient, now, tuple(sorted(named))))
        digests += len(named) > 1
    return reminders, news, digests


def begin(world: World, schools: int) -> tuple[Model, Relay, dict[int, date], dict[str, str]]:
    """The model and the relay, each school's movable day, and who wants fewer reminders."""
    dice = random.Random(schools)
    movable = {number: date(2027, 2, 8) - timedelta(days=dice.randrange(0, 60)) for number in range(schools)}
    choices: dict[str, str] = {f"teacher{number}@schule.example": "last" for number in range(0, schools, 9)}
    choices |= {f"company{number}@betrieb.example": "none" for number in range(2, schools // SCHOOLS_PER_COMPANY, 11)}
    quiet, relay = QuietHours(time(20), time(7), "Europe/Berlin"), Relay(world)
    world.context = replace(world.context, quiet=quiet, reminders_per_week=MOST_A_WEEK)
    world.sender = Sender(world.context, relay, world.clock, 8)  # type: ignore[arg-type]
    return Model(movable.__getitem__, lambda address: choices.get(address, "all")), relay, movable, choices


async def let_the_year_pass(world: World, steps: list[Step], model: Model) -> None:
    """Step by step; the relay's day away lies between two of them for the model."""
    back = datetime.combine(RELAY_IS_AWAY[1].date() + timedelta(days=1), time(7), BERLIN)
    waited = False
    for step in [*steps, Step(datetime(2027, 8, 1, tzinfo=BERLIN), 0, "end")]:
        if not waited and step.at > back:
            model.run_until(back)
            model.relay_is_back()
            waited = True
        model.run_until(step.at)
        await let_time_pass(world, step.at)
        if step.what != "end":
            await take_step(world, step, model)


async def count_rows(world: World) -> Counter[str]:
    """How many reminders and others are in each state, for each reason."""
    rows = Counter[str]()
    async for row in world.db.deliveries.find({}, {"kind": 1, "state": 1, "reason": 1}):
        kind = "reminder" if row["kind"] == "slot_reminder" else "news"
        rows[f"{kind} {row['state']} {row['reason']}".strip()] += 1
    return rows


async def test_a_school_year_of_mails_is_what_an_independent_model_says(world: World) -> None:
    schools = SIZES[os.environ.get("SCHOOL_YEAR", "short")]
    steps = make_year(schools, random.Random(20262027))
    model, relay, movable, choices = begin(world, schools)
    world.clock.set(steps[0].at.astimezone(UTC))
    await world.hear(campaign(1, None), *(school_facts(number, day) for number, day in movable.items()))
    await world.hear(*(wish(address, n, choice) for n, (address, choice) in enumerate(choices.items())))
    await let_the_year_pass(world, steps, model)

    reminders, news, digests = read_mails(relay)
    rows = await count_rows(world)
    print({
        "schools": schools, "pupils": schools * PUPILS, "places": schools * TOURS_PER_GROUP * PUPILS,
        "steps": dict(Counter(step.what for step in steps)), "news": news.total(), "reminder mails": len(reminders),
        "digests": digests, "kept waiting by the relay": len(model.kept_waiting), **rows,
    })  # fmt: skip
    assert _by_moment(reminders) == _by_moment(model.mails)
    assert news == model.news
    assert _after_a_cancellation(reminders, steps) == []
    a_week = Counter((address, local(now).isocalendar()[:2]) for address, now, _ in reminders)
    assert max(a_week.values()) <= MOST_A_WEEK
    assert not {"planned", "sending", "deferred"} & {name.split()[1] for name in rows}
    ended = (rows["reminder cancelled over_cap"], rows["reminder cancelled not_wanted"])
    assert ended == (model.over_cap, model.unwanted)
    assert min(digests, *ended, len(model.kept_waiting)) > 0, "each rule was put to the test"


def _after_a_cancellation(reminders: list[tuple[str, datetime, tuple[str, ...]]], steps: list[Step]) -> list[str]:
    """The tours that a reminder named after they were called off."""
    off = {step.tour.id: step.at for step in steps if step.what == "cancel" and step.tour}
    return [id for _, now, named in reminders for id in named if id in off and now > off[id]]


def _by_moment(mails: list[tuple[str, datetime, tuple[str, ...]]]) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    found = defaultdict(list)
    for address, now, named in mails:
        found[address, local(now).isoformat(timespec="minutes")].append(named)
    return {key: sorted(values) for key, values in sorted(found.items())}


@pytest.mark.parametrize("name", sorted(SIZES))
def test_the_year_has_the_size_of_the_region_or_less(name: str) -> None:
    assert SIZES[name] * PUPILS * TOURS_PER_GROUP >= (39_000 if name == "whole" else 4_000)
