"""Nobody is reminded without every consent that is needed, whatever happens in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.notify import consent, domain
from services.notify.consent import (
    Asking,
    FirstNameNotPlain,
    LinkIsOver,
    NotConfirmedYet,
    ParentAddressIsOwn,
    ParentAddressNeeded,
    Participant,
)
from services.notify.domain import Known, Recipient
from services.notify.mails import pupil_question
from shared.errors import RuleBroken
from tests.support.notify_builders import NOW, participant
from tests.support.notify_letters import all_deliveries

STARTS = NOW + timedelta(days=20)
ERASE = STARTS + timedelta(days=2)


def asking(under_16: bool = False, parent: str = "mutter@post.example", name: str = "Lena") -> Asking:
    return Asking(name, "lena@post.example", under_16, parent if under_16 else "", "de")


class Consents(RuleBasedStateMachine):
    """A model that only remembers who said what; the rules must never remind more people than it allows."""

    @initialize(under_16=st.booleans())
    def ask(self, under_16: bool) -> None:
        self.now = NOW
        self.said_under_16, self.parent_yes, self.own_yes = under_16, False, False
        self.there: Participant | None = consent.new_participant(
            asking(under_16), id="p", registration_id="r", nonce="1", now=NOW, starts=STARTS, erase_after=ERASE
        )

    def change(self, changed: Participant) -> None:
        assert self.there is not None
        assert changed is self.there or changed.version == self.there.version + 1
        self.there = changed

    @precondition(lambda self: self.there)
    @rule(under_16=st.booleans(), parent=st.sampled_from(["mutter@post.example", "vater@post.example"]))
    def ask_again(self, under_16: bool, parent: str) -> None:
        before = self.there
        given, nonce = asking(under_16, parent), f"n{before.version}"
        again = consent.asked_again(before, given, nonce=nonce, now=self.now, starts=STARTS)
        if under_16 and not self.said_under_16:  # the own yes is worth nothing before the parent's
            self.said_under_16, self.own_yes = True, False
        self.change(again)
        assert again.times_asked <= consent.MOST_MAILS_ASKED_FOR
        assert again.nonce != before.nonce or again.parent_email == before.parent_email

    @precondition(lambda self: self.there)
    @rule()
    def parent_says_yes(self) -> None:
        try:
            self.change(consent.parent_says_yes(self.there, self.now, STARTS))
        except RuleBroken:
            return
        self.parent_yes = True

    @precondition(lambda self: self.there)
    @rule()
    def pupil_confirms(self) -> None:
        try:
            self.change(consent.pupil_confirms(self.there, self.now))
        except RuleBroken:
            return
        self.own_yes = True

    @precondition(lambda self: self.there)
    @rule(coming=st.sampled_from([True, False, None]))
    def comes(self, coming: bool | None) -> None:
        try:
            self.change(consent.comes(self.there, coming))
        except NotConfirmedYet:
            assert not self.own_yes

    @precondition(lambda self: self.there)
    @rule()
    def is_forgotten(self) -> None:
        self.there = None

    @rule(days=st.integers(1, 8))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def nobody_is_reminded_without_every_consent(self) -> None:
        one = getattr(self, "there", None)
        if one is None:
            return
        allowed = self.own_yes and (self.parent_yes or not self.said_under_16)
        assert not one.is_reminded or allowed
        assert one.standing != "confirmed" or allowed
        assert one.complete == (one.state == "confirmed")

    @invariant()
    def nobody_comes_and_cannot_come(self) -> None:
        one = getattr(self, "there", None)
        assert one is None or not (one.coming and one.cannot_come)

    @invariant()
    def the_parent_is_asked_before_the_pupil(self) -> None:
        one = getattr(self, "there", None)
        if one is not None and one.under_16 and one.parent_consented_at is None:
            assert [letter.to.role for letter in pupil_question(one)] == ["parent"]

    @invariant()
    def no_reminder_passes_the_check_at_sending_without_every_consent(self) -> None:
        one = getattr(self, "there", None)
        if one is None:
            return
        known = Known(one.standing, one.version, REMINDER.revision)
        if domain.reason_not_to_send(REMINDER, known, self.now) == "":
            assert self.own_yes and (self.parent_yes or not self.said_under_16) and not one.cannot_come


REMINDER = next(each for each in all_deliveries("de") if each.kind == "pupil_reminder")
TestConsents = Consents.TestCase


def test_a_pupil_under_16_needs_a_parents_own_address() -> None:
    with pytest.raises(ParentAddressNeeded):
        asking(True, "").check()
    with pytest.raises(ParentAddressIsOwn):
        asking(True, "LENA@post.example").check()
    asking(True).check()
    asking(False, "").check()


@pytest.mark.parametrize("name", ["Lena", "Zoë-Marie", "Jean Luc", "D’Arcy", "Ömer", "李"])
def test_a_first_name_is_letters(name: str) -> None:
    asking(name=name).check()


@pytest.mark.parametrize(
    "name", ["", "www.werbung.example", "Klick http://x", "L3na", "Lena\nBcc", "{first_name}", "-"]
)
def test_what_is_no_first_name_is_refused_because_it_stands_in_the_parents_mail(name: str) -> None:
    with pytest.raises(FirstNameNotPlain):
        asking(name=name).check()


def test_a_question_is_open_for_a_week_and_no_longer_than_the_visit_is_ahead() -> None:
    one = participant("parent_asked", under_16=True)
    with pytest.raises(LinkIsOver):
        consent.parent_says_yes(one, NOW + timedelta(days=7), STARTS)
    soon = consent.parent_says_yes(one, NOW, NOW + timedelta(days=1))
    assert soon.question_ends_at == NOW + timedelta(days=1)
    with pytest.raises(LinkIsOver):
        consent.pupil_confirms(soon, NOW + timedelta(days=1))


def test_a_second_click_on_confirm_changes_nothing() -> None:
    one = participant("confirmed")
    assert consent.pupil_confirms(one, NOW + timedelta(days=30)) is one


def test_whoever_is_marked_confirmed_without_the_parents_consent_is_not_reminded() -> None:
    broken = replace(participant("confirmed", under_16=True), parent_consented_at=None)
    assert broken.standing == "incomplete" and not broken.is_reminded


def test_half_as_many_again_as_the_class_has_may_ask() -> None:
    assert [consent.room(pupils) for pupils in (0, 1, 24, 25)] == [0, 2, 36, 38]


def test_pupils_data_goes_at_the_start_of_the_day_after_the_retention() -> None:
    ends = datetime(2026, 12, 1, 12, 0)
    assert consent.retention_ends(ends, "Europe/Berlin", 1) == datetime(2026, 12, 2, 23, 0, tzinfo=UTC)
    assert consent.retention_ends(ends, "Europe/Berlin", 0) == datetime(2026, 12, 1, 23, 0, tzinfo=UTC)
    summer = datetime(2026, 10, 23, 12, 0)  # the clocks change on the 25th
    assert consent.retention_ends(summer, "Europe/Berlin", 2) == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)


def test_the_mail_log_shows_only_the_first_letters_of_a_pupils_address() -> None:
    shown = domain.masked(replace(REMINDER, to=Recipient("pupil", "Lena", "lena@post.example", "de", "p")))
    assert (shown.to.email, shown.to.name) == ("l…@p…", "")
    teacher = next(each for each in all_deliveries("de") if each.to.role == "teacher")
    assert domain.masked(teacher) is teacher
