"""What is recorded when places come free: who is offered them, who was skipped, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.events.domain.facts import Slot

SKIPPED_SHOWN = 20
Reason = Literal["group_larger_than_free_places", "no_room_for_another_group"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A waiting group that got nothing when places came free, and why."""

    registration_id: str
    pupils: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class PromotionRun:
    """What became of places that came free: who is offered them, who was skipped."""

    slot_id: str
    slot_version: int
    at: datetime
    free: int
    free_groups: int
    offered: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    skipped_in_all: int


def run_on(slot: Slot, version: int, at: datetime, offered: list[str], skipped: list[Skipped]) -> PromotionRun:
    """The record for places that were free on `slot`; `version` is the slot's after it. Of a long list of skipped
    groups the first are named and all are counted."""
    shown = tuple(skipped[:SKIPPED_SHOWN])
    return PromotionRun(slot.id, version, at, slot.free, slot.free_groups, tuple(offered), shown, len(skipped))


def why_not(slot: Slot) -> Reason:
    """Why the slot, as it is now, takes no waiting group that does not fit."""
    return "no_room_for_another_group" if slot.free_groups < 1 else "group_larger_than_free_places"
