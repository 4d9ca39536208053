"""Whatever is asked, in whatever order: never oversold, never split, counted right, and nobody waits for nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.events.domain import commands as do
from services.events.domain.deadlines import TIME_TO_ANSWER
from services.events.domain.facts import ACTIVE, ConfirmAgain, Registration
from services.events.domain.ledger import FREEING, Ledger
from shared.errors import RuleBroken
from tests.support.events_world import NOW, STARTS, about, campaign, ledger, offer, register, slot

STEPS = st.tuples(
    st.sampled_from(
        ["register"] * 6 + ["cancel"] * 3 + ["resize"] * 3 + ["approve", "decline", "accept", "expire", "expire"]
        + ["resize_slot", "move_slot", "cancel_slot", "clear", "wait", "attend"]
        + ["ask_again", "ask_again", "still_coming", "release", "release", "days_pass"]
    ),
    st.integers(0, 30),
    st.integers(1, 30),
)  # fmt: skip
SLOTS = st.builds(
    lambda places, groups, policy, approval, cap: slot(
        places=places, groups=groups, waiting_list=policy, approval=approval, groups_per_school=cap
    ),
    st.integers(1, 60), st.integers(1, 8), st.sampled_from(["none", "strict_order", "next_that_fits"]),
    st.sampled_from(["automatic", "company"]), st.sampled_from([None, None, 2]),
)  # fmt: skip


class Story:
    """Carries out random steps on one slot; the clock only moves forward."""

    def __init__(self, book: Ledger) -> None:
        self.book = book
        self.now = NOW
        self.order: list[str] = []
        self.asked = 0

    def step(self, kind: str, which: int, number: int) -> None:
        if kind == "wait":
            self.now += timedelta(hours=10 * number)
            return
        if kind == "days_pass":  # to where schools are asked, or a little later
            self.now = max(self.now, self.book.slot.starts_utc - timedelta(days=14) + timedelta(hours=12 * which))
            return
        command = self._command(kind, which, number)
        if command is None:
            return
        before = (self.book.slot, dict(self.book.registrations), len(self.book.messages))
        try:
            self.book.decide(command)
        except RuleBroken as broken:
            event(type(broken).__name__)
            assert before == (self.book.slot, self.book.registrations, len(self.book.messages)), (
                "a refusal changes nothing"
            )
            return
        self._check_rows(before[1])
        self._check_who_is_asked_and_released(before[1])
        if isinstance(command, FREEING) or kind == "register":
            self._check_nobody_waits_for_nothing()

    def _command(self, kind: str, which: int, number: int) -> do.Command | None:
        self.asked += 1
        common: dict[str, Any] = {"now": self.now, "request_id": f"request-{self.asked}"}
        if kind == "register":
            school_id = f"school-{which % 4 + 1}"
            return register(f"{which}", number, school_id=school_id, now=self.now, waitlist=which % 7 > 0)
        if kind == "resize_slot":
            return do.ResizeSlot(**common, places=number * 2, groups=which % 9 + 1)
        if kind == "move_slot" and which < 6:
            return self._move(common, number)
        if kind == "cancel_slot" and which == 0:
            return do.CancelSlot(**common)
        if kind == "clear":
            return do.ClearCancelledSlot(**common)
        return self._of_registration(kind, which, number)

    def _of_registration(self, kind: str, which: int, number: int) -> do.Command | None:
        rows = list(self.book.registrations.values())
        if not rows:
            return None
        facts = about(rows[which % len(rows)], now=self.now, request_id=f"request-{self.asked}")
        makers: dict[str, Any] = {
            "cancel": lambda: do.Cancel(**facts, by="school"),
            "resize": lambda: do.Resize(**facts, pupils=number),
            "approve": lambda: do.Approve(**facts),
            "decline": lambda: do.Decline(**facts),
            "accept": lambda: do.Accept(**facts),
            "expire": lambda: do.Expire(**facts),
            "ask_again": lambda: do.AskAgain(**facts),
            "still_coming": lambda: do.SayStillComing(**facts),
            "release": lambda: do.Release(**facts),
            "attend": lambda: do.Attend(**facts, came=number > 5, pupils=number),
        }
        return makers[kind]() if kind in makers else None

    def _move(self, common: dict[str, Any], days: int) -> do.MoveSlot:
        start = STARTS + timedelta(days=days)
        wall = start.replace(tzinfo=None) + timedelta(hours=1)
        return do.MoveSlot(
            **common, starts_utc=start, ends_utc=start + timedelta(hours=3), starts_local=wall,
            ends_local=wall + timedelta(hours=3), zone="Europe/Berlin",
        )  # fmt: skip

    def _check_rows(self, before: dict[str, Registration]) -> None:
        slot, rows = self.book.slot, list(self.book.registrations.values())
        taking = [row for row in rows if row.held]
        assert slot.taken == sum(row.group.pupils for row in taking) <= slot.places, "counted right, never oversold"
        assert slot.groups_taken == len(taking) <= slot.groups
        assert slot.waiting == sum(row.state == "waitlisted" for row in rows)
        keys = [row.key for row in rows if row.state in ACTIVE]
        assert len(keys) == len(set(keys)), "a group is registered once"
        told = {(message.aggregate, message.aggregate_version) for message in self.book.messages}
        for row in rows:
            known = before.get(row.id)
            if known is not None and known != row:
                # a waiting group that became smaller may be offered places at once: two transitions in one decision
                assert known.version < row.version <= known.version + 2
            versions = range(known.version + 1 if known else 1, row.version + 1)
            assert all((f"registration:{row.id}", version) in told for version in versions), "each version is told"

    def _check_who_is_asked_and_released(self, before: dict[str, Registration]) -> None:
        for row in self.book.registrations.values():
            known, asked = before.get(row.id), row.question
            if asked and (known is None or asked.asked_at != (known.question and known.question.asked_at)):
                event("asked")
                assert known is not None and known.state == row.state == "confirmed", "only who has places is asked"
                assert asked.until - self.now >= TIME_TO_ANSWER and asked.until <= self.book.slot.starts_utc
                assert (known.said_at or known.created_at) < self.now, "who has just registered is not asked"
            if row.cause and known is not None and known.state != row.state:
                event("released")
                assert asked and asked.confirmed_at is None and self.now >= asked.until, "whoever answers keeps places"
                assert asked.revision == self.book.slot.revision, "an answer about another date is not waited for"

    def _check_nobody_waits_for_nothing(self) -> None:
        slot = self.book.slot
        if slot.state != "open" or self.now >= slot.starts_utc:
            return
        queue = sorted(
            (row for row in self.book.registrations.values() if row.state == "waitlisted"), key=lambda row: row.position
        )
        candidates = queue[:1] if slot.waiting_list == "strict_order" else queue
        assert not any(slot.fits(row.group.pupils) for row in candidates), "a place is free and a fitting group waits"


@settings(max_examples=400, deadline=None)
@given(SLOTS, st.lists(STEPS, max_size=60))
def test_the_rules_of_places_hold_whatever_happens(held, steps):
    asking = offer(confirm_again=ConfirmAgain(8, 3))
    story = Story(ledger(held, offered=asking, during=campaign(closes_at=STARTS + timedelta(days=90))))
    for kind, which, number in steps:
        story.step(kind, which, number)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_in_strict_order_nobody_is_offered_places_before_somebody_who_stands_further_ahead(steps):
    story = Story(ledger(slot(places=20, waiting_list="strict_order"), during=campaign(closes_at=STARTS)))
    for kind, which, number in steps:
        before = dict(story.book.registrations)
        story.step(kind, which, number)
        for row in story.book.registrations.values():
            if row.state == "offered" and before[row.id].state == "waitlisted":
                ahead = [
                    r
                    for r in story.book.registrations.values()
                    if r.state == "waitlisted" and r.position < row.position
                ]
                assert not ahead


@settings(max_examples=200, deadline=None)
@given(SLOTS, st.lists(STEPS, max_size=40))
def test_every_message_has_its_own_id_and_tells_of_the_row_as_it_became(held, steps):
    story = Story(ledger(held, during=campaign(closes_at=STARTS)))
    for kind, which, number in steps:
        story.step(kind, which, number)
    ids = [message.id for message in story.book.messages]
    assert len(ids) == len(set(ids))
    said = {m.registration.registration_id: m.registration for m in story.book.messages if hasattr(m, "registration")}
    for row in story.book.registrations.values():
        facts = said[row.id]
        assert (facts.state, facts.version, facts.group) == (row.state, row.version, row.group)


def test_the_check_itself_can_fail():
    story = Story(ledger())
    story.step("register", 1, 10)
    story.book.slot = replace(story.book.slot, taken=9)
    try:
        story._check_rows({})
    except AssertionError:
        return
    raise AssertionError("a wrong counter went unnoticed")
