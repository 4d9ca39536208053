"""School visits in every state, and a campaign long enough for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.outreach.domain.ambassadors import EnterAmbassador
from services.outreach.domain.campaigns import CampaignGiven
from services.outreach.domain.visit_commands import (
    AcceptVisit,
    CancelVisit,
    CompleteVisit,
    DeclineVisit,
    LeaveTeam,
    MoveVisit,
    ProposeVisit,
    RequestVisit,
)
from services.outreach.domain.visits import Visit
from services.outreach.store.core import Store
from services.outreach.usecases import ambassadors, campaigns, visit_proposals, visits
from shared.identity import Identity
from shared.ids import random_id
from tests.support.estate import CONTACT, Estate
from tests.support.front_door import NOW
from tests.support.states.common import THEN, ZONE, campaign_facts, database_of, hours


@dataclass
class Visits:
    """Makes visits of the estate's school by its ambassador."""

    store: Store
    kim: Identity
    campaign_id: str
    school_id: str
    team: list[str]

    async def asked(self, name: str, days: tuple[str, str], now: datetime = NOW) -> str:
        """The id of a visit that the school has just asked for, on one of two days."""
        command = RequestVisit(
            campaign_id=self.campaign_id, school_id=self.school_id, field="M", grade=9, contact=CONTACT, room="Aula",
            group={"name": name, "pupils": 24}, alternatives=[hours(day) for day in days],
        )  # fmt: skip
        how = {"now": now, "request_id": random_id()}
        return (await visits.request_visit(self.store, self.kim, command, zone=ZONE, **how)).id

    async def proposed(self, name: str, days: tuple[str, str], now: datetime = NOW, team: int = 1) -> str:
        """The same, and a team has been asked for the first day."""
        visit = await self.asked(name, days, now)
        texts = {"material": "Werkstücke", "preparation": "Beamer"}
        command = ProposeVisit(alternative=0, ambassador_ids=self.team[:team], **texts)
        await self._do(visit_proposals.propose_visit, visit, command, now, zone=ZONE)
        return visit

    async def accepted(self, name: str, days: tuple[str, str], now: datetime = NOW, team: int = 1) -> str:
        """The same, and the first of the team has said yes."""
        visit = await self.proposed(name, days, now, team)
        await self._do(visit_proposals.accept_visit, visit, AcceptVisit(ambassador_id=self.team[0]), now)
        return visit

    async def of_two(self, name: str, days: tuple[str, str]) -> str:
        """A confirmed visit of a team of two."""
        visit = await self.accepted(name, days, team=2)
        await self._do(visit_proposals.accept_visit, visit, AcceptVisit(ambassador_id=self.team[1]), NOW)
        return visit

    async def left(self, name: str, days: tuple[str, str]) -> str:
        """The same, after one of the two has dropped out."""
        visit = await self.of_two(name, days)
        no = LeaveTeam(ambassador_id=self.team[1], reason="Prüfung")
        await self._do(visit_proposals.leave_team, visit, no, NOW)
        return visit

    async def declined(self, name: str, days: tuple[str, str]) -> str:
        """A visit that its ambassador has declined."""
        visit = await self.proposed(name, days)
        no = DeclineVisit(ambassador_id=self.team[0], reason="Prüfung")
        await self._do(visit_proposals.decline_visit, visit, no, NOW)
        return visit

    async def unanswered(self, name: str, days: tuple[str, str]) -> str:
        """A visit whose ambassador did not answer in time."""
        visit = await self.proposed(name, days, THEN)
        await visit_proposals.expire_proposals(self.store, now=NOW)
        return visit

    async def moved(self, name: str, days: tuple[str, str], day: str) -> str:
        """A proposal for a day that the school has not asked for."""
        visit = await self.proposed(name, days)
        await self._do(visits.move_visit, visit, MoveVisit(**hours(day), reason="Azubi-Tag"), NOW, zone=ZONE)
        return visit

    async def cancelled(self, name: str, days: tuple[str, str]) -> str:
        """A confirmed visit that was called off."""
        visit = await self.accepted(name, days)
        await self._do(visits.cancel_visit, visit, CancelVisit(reason="Klassenfahrt"), NOW)
        return visit

    async def done(self, name: str, days: tuple[str, str]) -> str:
        """A visit that took place and was reported on."""
        visit = await self.accepted(name, days, THEN)
        report = CompleteVisit(pupils_reached=22, went_well="Viele Fragen", notes="Der Beamer hing.")
        await self._do(visits.complete_visit, visit, report, NOW)
        return visit

    async def _do(self, use_case: Any, visit: str, command: Any, now: datetime, **more: Any) -> None:
        await use_case(self.store, self.kim, visit, command, now=now, request_id=random_id(), **more)


async def visits_in_every_state(estate: Estate) -> dict[str, str]:
    """Their ids by state, and the campaign's."""
    async with database_of(estate, "outreach") as db:
        made = await _begin(Store(db), estate)
        found = {
            "visit_cancelled": await made.cancelled("8a", ("2026-11-09", "2026-11-10")),
            "visit_declined": await made.declined("8b", ("2026-11-09", "2026-11-10")),
            "visit_unanswered": await made.unanswered("8c", ("2026-11-09", "2026-11-10")),
            "visit_requested": await made.asked("8d", ("2026-11-16", "2026-11-17")),
            "visit_proposed": await made.proposed("8e", ("2026-11-16", "2026-11-17")),
            "visit_half_accepted": await made.accepted("8f", ("2026-11-23", "2026-11-24"), team=2),
            "visit_date_asked": await made.moved("8g", ("2026-11-30", "2026-12-01"), "2026-12-02"),
            "visit_confirmed": await made.accepted("8h", ("2026-12-14", "2026-12-15")),
            "visit_of_two": await made.of_two("8k", ("2027-01-11", "2027-01-12")),
            "visit_left": await made.left("8l", ("2027-01-18", "2027-01-19")),
            "visit_due": await made.accepted("8i", ("2026-09-22", "2026-09-23"), THEN),
            "visit_done": await made.done("8j", ("2026-09-15", "2026-09-16")),
        }
        await _check(made.store, found)
    return {"campaign": made.campaign_id, **found}


async def _begin(store: Store, estate: Estate) -> Visits:
    kim, how = estate.kim, {"now": NOW, "request_id": random_id()}
    given = CampaignGiven(**campaign_facts("Herbst und Winter"))
    campaign = await campaigns.open_campaign(store, kim, given, zone=ZONE, **how)
    entered = EnterAmbassador(
        name="Zweite im Team", email="zweite@firma.example", company_id=estate.ids["company_id"], fields=["M"]
    )
    second = await ambassadors.enter_ambassador(store, kim, entered, **how)
    team = [estate.ids["ambassador_id"], second.ambassador.id]
    await store.db.ambassadors.update_many({}, {"$set": {"limits.per_campaign": 20}})
    return Visits(store, kim, campaign.id, estate.ids["school_id"], team)


async def _check(store: Store, found: dict[str, str]) -> None:
    """What the use cases made is what the names say."""
    wanted = {
        "visit_declined": "requested", "visit_unanswered": "requested", "visit_half_accepted": "proposed",
        "visit_date_asked": "proposed", "visit_of_two": "confirmed", "visit_left": "confirmed",
        "visit_due": "confirmed",
    }  # fmt: skip
    for name, id in found.items():
        visit = await store.get("visits", Visit, id)
        assert visit and visit.state == wanted.get(name, name.removeprefix("visit_")), name
