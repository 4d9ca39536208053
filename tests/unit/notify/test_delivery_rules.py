"""Keys, times, and what a mail may still claim."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.notify import domain, timing, urgency
from services.notify.answers import without_address
from services.notify.domain import CalendarEntry, Delivery, Known, Letter, Recipient
from services.notify.mails import KINDS
from shared.offsets import DaysBefore, Offset

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TEACHER = Recipient("teacher", "Tessa Muster", "tessa@schule.example", "de")
COMPANY = Recipient("company", "Konrad Beispiel", "konrad@betrieb.example", "de")
AMBASSADOR = Recipient("ambassador", "Ada Botschaft", "ada@betrieb.example", "de", "amb1")


def test_what_somebody_waits_for_goes_before_what_goes_to_many() -> None:
    of = {kind: urgency.urgency_of(kind) for kind in KINDS}
    assert [kind for kind in KINDS if of[kind] == 0] == ["sign_in"]
    assert sorted(kind for kind in KINDS if of[kind] == 2) == ["pupil_reminder", "slot_reminder", "visit_reminder"]
    bulk = sorted(kind for kind in KINDS if of[kind] == 3)
    assert bulk == ["address_suppressed", "contact_changed", "offer_changed", "webhook_paused"]
    assert set(of.values()) == {0, 1, 2, 3}, "all others tell what became of a registration or visit"


def no_day_off(day: date, offset: Offset) -> bool:
    return False


def delivery(**changes: Any) -> Delivery:
    plain = Delivery(
        key="registration_confirmed:reg1:2:teacher",
        kind="registration_confirmed",
        to=TEACHER,
        about="registration:reg1",
        priority=urgency.TRANSITION,
        due_at=NOW,
        gives_up_at=NOW + timedelta(days=3),
        erase_after=NOW + timedelta(days=90),
        planned_at=NOW,
        message_id="<x@perspektive.example>",
        revision=1,
        facts={"registration": {}},
    )
    return replace(plain, **changes)


def test_each_kind_has_a_key_that_names_its_transition() -> None:
    registration_kinds = [
        "registration_requested", "registration_confirmed", "registration_declined", "registration_waitlisted",
        "places_offered", "offered_places_expired", "registration_cancelled", "registration_resized",
    ]  # fmt: skip
    assert [domain.registration_key(kind, "reg1", 2, TEACHER) for kind in registration_kinds] == [
        "registration_requested:reg1:2:teacher",
        "registration_confirmed:reg1:2:teacher",
        "registration_declined:reg1:2:teacher",
        "registration_waitlisted:reg1:2:teacher",
        "places_offered:reg1:2:teacher",
        "offered_places_expired:reg1:2:teacher",
        "registration_cancelled:reg1:2:teacher",
        "registration_resized:reg1:2:teacher",
    ]
    assert domain.sign_in_key("message1") == "sign_in:message1"
    assert domain.slot_moved_key("reg1", 3, COMPANY) == "slot_moved:reg1:3:company"
    assert domain.slot_reminder_key("reg1", 3, DaysBefore(14), COMPANY) == "slot_reminder:reg1:3:14d:company"
    assert domain.visit_key("visit_proposed", "visit1", 4, AMBASSADOR) == "visit_proposed:visit1:4:ambassador:amb1"
    assert domain.visit_reminder_key("visit1", 4, DaysBefore(2), TEACHER) == "visit_reminder:visit1:4:2d:teacher"


def test_a_message_id_stays_the_same_until_a_sent_mail_is_sent_once_more() -> None:
    key = "registration_confirmed:reg1:2:teacher"
    first = domain.message_id(key, "perspektive.example")
    assert first == "<8782502b65e8bd85b7c2172caa08114dd147cc17@perspektive.example>"
    assert first == domain.message_id(key, "perspektive.example")
    assert first != domain.message_id(key, "perspektive.example", generation=2)


@pytest.mark.parametrize(
    ("starts", "two_days", "two_weeks"),
    [
        # 25 October 2026, 3:00 → 2:00: the reminder before it is in summer time, the one after in winter time.
        (datetime(2026, 10, 26, 9), datetime(2026, 10, 24, 6, tzinfo=UTC), datetime(2026, 10, 12, 6, tzinfo=UTC)),
        (datetime(2026, 10, 27, 9), datetime(2026, 10, 25, 7, tzinfo=UTC), datetime(2026, 10, 13, 6, tzinfo=UTC)),
        # 28 March 2027, 2:00 → 3:00.
        (datetime(2027, 3, 29, 9), datetime(2027, 3, 27, 7, tzinfo=UTC), datetime(2027, 3, 15, 7, tzinfo=UTC)),
        (datetime(2027, 3, 30, 9), datetime(2027, 3, 28, 6, tzinfo=UTC), datetime(2027, 3, 16, 7, tzinfo=UTC)),
    ],
)
def test_reminders_come_at_eight_local_time_on_both_sides_of_a_clock_change(
    starts: datetime, two_days: datetime, two_weeks: datetime
) -> None:
    long_before = datetime(2026, 9, 1, tzinfo=UTC)
    offsets = [DaysBefore(2), DaysBefore(14)]
    times = timing.reminder_times(starts, "Europe/Berlin", offsets, long_before, no_day_off)
    assert times == [(DaysBefore(14), two_weeks), (DaysBefore(2), two_days)]


def test_a_reminder_whose_time_has_come_is_not_created() -> None:
    starts = datetime(2026, 12, 1, 9)
    at_eight = datetime(2026, 11, 17, 7, tzinfo=UTC)
    assert _days(starts, at_eight) == [2]
    just_before = at_eight - timedelta(seconds=1)
    assert _days(starts, just_before) == [14, 2]


def _days(starts: datetime, now: datetime) -> list[int]:
    times = timing.reminder_times(starts, "Europe/Berlin", [DaysBefore(14), DaysBefore(2)], now, no_day_off)
    return [offset.days for offset, _ in times if isinstance(offset, DaysBefore)]


def test_a_reminder_on_the_day_itself_must_come_before_the_start() -> None:
    same_day = [DaysBefore(0)]
    early, late = datetime(2026, 12, 1, 7, 30), datetime(2026, 12, 1, 9)
    assert timing.reminder_times(early, "Europe/Berlin", same_day, NOW, no_day_off) == []
    assert len(timing.reminder_times(late, "Europe/Berlin", same_day, NOW, no_day_off)) == 1


def test_pauses_double_up_to_a_cap_and_jitter_spreads_them() -> None:
    seconds = [domain.pause_after(n, urgency.TRANSITION, 0.5).total_seconds() for n in range(1, 13)]
    assert seconds == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert domain.pause_after(1, urgency.TRANSITION, 0.0) == timedelta(seconds=1.5)
    assert domain.pause_after(1, urgency.TRANSITION, 1.0) == timedelta(seconds=2.5)
    assert domain.pause_after(1000, urgency.SIGN_IN, 0.5) == timedelta(seconds=30)


def test_a_mail_gives_up_when_the_next_try_would_come_after_its_horizon() -> None:
    hasty = delivery(gives_up_at=NOW + timedelta(seconds=2))
    assert domain.after_deferral(hasty, NOW, 0.5).reason == "gave_up"
    assert domain.after_deferral(delivery(), NOW, 0.5).again_at == NOW + timedelta(seconds=2)


def test_a_mail_in_its_turn_is_sent_although_the_next_transition_is_known() -> None:
    assert domain.reason_not_to_send(delivery(), Known("cancelled", 3, 1), NOW) == ""


def test_a_mail_that_is_tried_again_must_still_be_true_for_the_next_one_may_have_gone_before_it() -> None:
    again = delivery(attempt_count=1, planned_at=NOW - timedelta(seconds=3))
    assert domain.reason_not_to_send(again, Known("cancelled", 3, 1), NOW) == "superseded"
    assert domain.reason_not_to_send(again, Known("confirmed", 3, 1), NOW) == ""
    held_before = delivery(version=2)
    assert domain.reason_not_to_send(held_before, Known("cancelled", 3, 1), NOW) == "superseded"


def test_a_late_mail_is_written_from_what_is_known_now() -> None:
    again = delivery(attempt_count=1, planned_at=NOW - timedelta(seconds=3))
    same = Known("confirmed", again.based_on, again.revision)
    assert not domain.is_outdated(again, same, NOW)
    assert domain.is_outdated(again, replace(same, version=same.version + 1), NOW)
    assert not domain.is_outdated(delivery(), replace(same, version=same.version + 1), NOW), "it goes in its turn"
    told = delivery(kind="registration_cancelled", attempt_count=1)
    assert not domain.is_outdated(told, replace(same, version=same.version + 1), NOW), "it tells of what happened"


@pytest.mark.parametrize("late", [{"planned_at": NOW - timedelta(minutes=11)}])
def test_a_late_mail_must_still_be_true(late: dict[str, Any]) -> None:
    assert domain.reason_not_to_send(delivery(**late), Known("cancelled", 3, 1), NOW) == "superseded"
    assert domain.reason_not_to_send(delivery(**late), Known("confirmed", 3, 2), NOW) == "superseded"
    assert domain.reason_not_to_send(delivery(**late), Known("confirmed", 3, 1), NOW) == ""
    gone = delivery(kind="registration_cancelled", **late)
    assert domain.reason_not_to_send(gone, Known("cancelled", 3, 7), NOW) == ""


def test_that_a_visit_takes_place_with_a_smaller_team_is_not_said_when_it_no_longer_does() -> None:
    told = delivery(kind="visit_team_smaller", attempt_count=1)
    assert domain.reason_not_to_send(told, Known("cancelled", 4, 1), NOW) == "superseded"
    assert domain.reason_not_to_send(told, Known("confirmed", 4, 2), NOW) == "superseded", "day and time are others"
    assert domain.reason_not_to_send(told, Known("confirmed", 4, 1), NOW) == ""


@pytest.mark.parametrize("known", [None, Known("cancelled", 3, 1), Known("confirmed", 2, 2), Known("attended", 3, 1)])
def test_a_reminder_is_checked_every_time(known: Known | None) -> None:
    reminder = delivery(kind="slot_reminder", priority=urgency.REMINDER)
    assert domain.reason_not_to_send(reminder, known, NOW) == "superseded"
    assert domain.reason_not_to_send(reminder, Known("confirmed", 5, 1), NOW) == ""


def test_each_calendar_part_raises_the_sequence_of_its_own_entry() -> None:
    request = [
        Letter("registration_confirmed", TEACHER, "REQUEST"),
        Letter("registration_confirmed", COMPANY, "REQUEST"),
    ]
    parts, entries = domain.with_calendar(
        request, {"teacher": CalendarEntry(4, True)}, "registration:reg1", "x.example"
    )
    assert [(part.uid, part.sequence) for part in parts if part] == [
        ("registration-reg1-teacher@x.example", 5),
        ("registration-reg1-company@x.example", 0),
    ]
    assert entries == {"teacher": CalendarEntry(5, True), "company": CalendarEntry(0, True)}


def test_a_cancel_goes_only_to_whom_an_entry_was_sent() -> None:
    cancel = [Letter("registration_cancelled", TEACHER, "CANCEL"), Letter("registration_cancelled", COMPANY, "CANCEL")]
    parts, entries = domain.with_calendar(cancel, {"teacher": CalendarEntry(0, True)}, "registration:reg1", "x.example")
    assert parts[0] and (parts[0].method, parts[0].sequence) == ("CANCEL", 1)
    assert parts[1] is None
    again, _ = domain.with_calendar(cancel, entries, "registration:reg1", "x.example")
    assert again == [None, None]


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        ("planned", domain.AlreadyOnItsWay), ("sending", domain.AlreadyOnItsWay), ("cancelled", domain.NoLongerTrue),
        ("sent", domain.AlreadySent),
    ],
)  # fmt: skip
def test_a_mail_is_not_sent_again_without_need(state: Any, rule: type[Exception]) -> None:
    with pytest.raises(rule):
        domain.resent(delivery(state=state), NOW, "x.example", "request1", even_if_sent=False)


def test_a_refused_mail_keeps_its_message_id_and_a_sent_one_gets_another() -> None:
    later = NOW + timedelta(days=5)
    refused = delivery(
        state="refused", message_id=domain.message_id("registration_confirmed:reg1:2:teacher", "x.example")
    )
    again = domain.resent(refused, later, "x.example", "request1", even_if_sent=False)
    assert (again.state, again.message_id, again.version) == ("planned", refused.message_id, 2)
    assert again.gives_up_at == later + timedelta(days=3)
    sent = replace(refused, state="sent", sent_at=NOW)
    came_back = replace(sent, state="refused")
    for gone in (sent, came_back):
        again = domain.resent(gone, later, "x.example", "request1", even_if_sent=True)
        assert again.message_id != sent.message_id, "a late bounce of the first copy is not about the second"


def test_a_reminder_is_not_sent_again_after_the_event() -> None:
    late = delivery(kind="slot_reminder", priority=urgency.REMINDER, state="refused", gives_up_at=NOW)
    with pytest.raises(domain.TooLateToSend):
        domain.resent(late, NOW, "x.example", "request1", even_if_sent=False)


def test_an_erased_mail_cannot_be_sent_again() -> None:
    with pytest.raises(domain.ContentErased):
        domain.resent(delivery(state="refused", facts=None), NOW, "x.example", "request1", even_if_sent=False)


def test_an_answer_is_kept_without_the_address() -> None:
    assert without_address("550 <Tessa@Schule.example>\r\nunknown", "tessa@schule.example") == (
        "550 <<address>> unknown"
    )


def test_a_servers_answer_is_kept_without_the_form_in_which_it_knows_an_address() -> None:
    answer = "550 5.1.1 <Tessa@xn--mller-kva.example>: unknown; tessa@müller.example"
    assert without_address(answer, "tessa@müller.example") == "550 5.1.1 <<address>>: unknown; <address>"
    assert without_address("550 x@\u200b..", "x@\u200b..") == "550 <address>"
