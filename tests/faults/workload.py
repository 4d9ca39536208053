"""Seeded actors that register, approve, decline, accept, cancel, resize and move, and note what they were answered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.door import Answer, Door
from tests.faults.estate import Estate

PUPILS = (2, 30)
ENDED = ("declined", "cancelled", "expired")
BY_ITSELF = {"waitlisted": ["offered", "expired"], "offered": ["expired"]}  # the state that follows, version by version


@dataclass
class Group:
    """One group as the answers tell of it. `certain` is False when one of its requests was never answered."""

    name: str
    slot_id: str
    outcome: str = "unknown"
    id: str = ""
    state: str = ""
    pupils: int = 0
    version: int = 0
    certain: bool = True

    def hear(self, body: dict[str, Any]) -> None:
        """Take over an acknowledged answer."""
        self.id, self.state, self.version = body["id"], body["state"], body["version"]
        self.pupils = body["group"]["pupils"]


@dataclass
class Notes:
    """What all actors were answered. `jumps` are answers with another version than the one that must follow."""

    groups: list[Group] = field(default_factory=list)
    moves: dict[str, list[str]] = field(default_factory=dict)
    uncertain_moves: set[str] = field(default_factory=set)
    jumps: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


class Workload:
    """`actors` programs side by side, each with `steps` requests, the same for the same seed."""

    def __init__(self, door: Door, estate: Estate, seed: int, actors: int, steps: int) -> None:
        self.notes = Notes()
        self._door, self._estate, self._seed = door, estate, seed
        self._actors, self._steps = actors, steps

    async def run(self, pause: Callable[[Random], float] = lambda random: random.uniform(0, 0.6)) -> Notes:
        """Play to the end."""
        actors = [_Actor(self._door, self._estate, self.notes, f"{self._seed}-{n}", pause) for n in range(self._actors)]
        mover = _Mover(self._door, self._estate, self.notes, self._seed, pause)
        await asyncio.gather(mover.play(self._steps), *(actor.play(self._steps) for actor in actors))
        return self.notes


class _Actor:
    """Registers groups of its own, and alone decides what becomes of them: only the waiting list acts besides."""

    def __init__(self, door: Door, estate: Estate, notes: Notes, name: str, pause: Callable[[Random], float]) -> None:
        self._door, self._estate, self._notes, self._name, self._pause = door, estate, notes, name, pause
        self._random = Random(name)
        self._mine: list[Group] = []
        self._asked = 0

    async def play(self, steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(self._pause(self._random))
            mine = [group for group in self._mine if group.certain and group.state not in ENDED]
            if not mine or self._random.random() < 0.35:
                await self._register()
            else:
                await self._change(self._random.choice(mine))

    async def _register(self) -> None:
        slot = self._random.choice(self._estate.slots)
        group = Group(f"g{self._name}-{self._asked}", slot["id"])
        pupils = self._random.randint(*PUPILS)
        body = {
            "school_id": self._random.choice(self._estate.schools),
            "group": {"name": group.name, "grade": 8, "pupils": pupils, "adults": 1},
            "contact": {"name": f"Lehrkraft {group.name}", "email": f"{group.name}@schule.example"},
            "acknowledged": True,
        }
        self._notes.groups.append(group)
        answer = await self._post(f"/events/api/v1/slots/{slot['id']}/registrations", body)
        group.outcome = answer.outcome
        if answer.outcome == "acknowledged":
            group.hear(answer.body)
            self._mine.append(group)

    async def _change(self, group: Group) -> None:
        path = f"/events/api/v1/registrations/{group.id}"
        if group.state == "waitlisted":
            seen = await self._door.get(path)
            if seen.outcome == "acknowledged":
                self._must_follow(group, seen.body["version"], 0)
                group.hear(seen.body)
        verb, body = self._verb(group)
        answer = await self._post(f"{path}/{verb}", body)
        if answer.outcome == "acknowledged":
            self._must_follow(group, answer.body["version"], 1)
            group.hear(answer.body)
        group.certain = answer.outcome != "unknown"

    def _verb(self, group: Group) -> tuple[str, dict[str, Any]]:
        own = {"requested": ["approve", "approve", "decline"], "offered": ["accept", "accept"]}
        verb = self._random.choice([*own.get(group.state, []), "cancel", "resize"])
        if verb != "resize":
            return verb, {}
        pupils = self._random.choice([n for n in range(*PUPILS) if n != group.pupils])
        return verb, {"pupils": pupils, "adults": 1}

    def _must_follow(self, group: Group, version: int, steps: int) -> None:
        """One version per change: a change that was carried out twice would show. The waiting list may add some."""
        more = version - group.version - steps
        if not 0 <= more <= (len(BY_ITSELF["waitlisted"]) - steps) * (group.state == "waitlisted"):
            self._notes.jumps.append(f"{group.name}: version {group.version} was followed by {version}")

    async def _post(self, path: str, body: dict[str, Any]) -> Answer:
        self._asked += 1
        answer = await self._door.post(path, body, f"{self._estate.campaign_id}-{self._name}-{self._asked}")
        if answer.outcome == "refused" and answer.status != 409:
            self._notes.strange.append(f"{path}: {answer.status} {answer.body}")
        return answer


class _Mover:
    """Moves slots to another hour of their day."""

    def __init__(self, door: Door, estate: Estate, notes: Notes, seed: int, pause: Callable[[Random], float]) -> None:
        self._door, self._estate, self._notes, self._pause = door, estate, notes, pause
        self._random = Random(f"mover-{seed}")

    async def play(self, steps: int) -> None:
        hours = {slot["id"]: 9 for slot in self._estate.slots}
        for number in range(steps // 3):
            await asyncio.sleep(3 * self._pause(self._random))
            slot = self._random.choice(self._estate.slots)
            hours[slot["id"]] = 8 + (hours[slot["id"]] - 7) % 6
            await self._move(slot, hours[slot["id"]], number)

    async def _move(self, slot: dict[str, Any], hour: int, number: int) -> None:
        day = slot["starts_local"][:10]
        body = {"starts_local": f"{day}T{hour:02}:00", "ends_local": f"{day}T{hour + 3:02}:00", "reason": "Schicht"}
        key = f"{self._estate.campaign_id}-move-{number}"
        answer = await self._door.post(f"/events/api/v1/slots/{slot['id']}/move", body, key)
        if answer.outcome == "acknowledged":
            self._notes.moves.setdefault(slot["id"], []).append(body["starts_local"])
        elif answer.outcome == "unknown":
            self._notes.uncertain_moves.add(slot["id"])
        else:
            self._notes.strange.append(f"move: {answer.status} {answer.body}")
