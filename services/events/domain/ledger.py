"""The one place where places are taken and given back: every change to a registration of a slot is decided here.

A ledger is one slot with those of its registrations that the commands at hand are about. It decides one command after
the other in memory; what changed, and what is to be said about it, is then written in one conditional write.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from services.events.domain import booking, confirming, errors
from services.events.domain import commands as do
from services.events.domain.booking import may_book, must_be_ahead, must_not_have_started, wall_time
from services.events.domain.deadlines import offer_deadline
from services.events.domain.entry import new_registration
from services.events.domain.facts import Campaign, Offer, Registration, School, Slot, group_key
from services.events.domain.messages import registration_facts, slot_facts
from services.events.domain.promotion import PromotionRun, Skipped, run_on, why_not
from shared.schemas import events as say
from shared.schemas.base import Message

MOST_WAITING = 2000
CLEARED_AT_ONCE = 100


@dataclass
class Ledger:
    """A slot and the registrations that its next commands can touch.

    `registrations` must hold those commanded, the active ones of the same groups (of the same schools when the slot
    limits groups per school) and, before a command that can free places, everyone who waits.
    """

    slot: Slot
    offer: Offer
    campaign: Campaign | None
    schools: Mapping[str, School]
    registrations: dict[str, Registration]
    messages: list[Message] = field(default_factory=list)
    runs: list[PromotionRun] = field(default_factory=list)
    created: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._active = {r.key: r.id for r in self.registrations.values() if r.active}
        waiting = [r for r in self.registrations.values() if r.state == "waitlisted"]
        self._queue = dict.fromkeys(r.id for r in sorted(waiting, key=lambda r: r.position or 0))
        self._facts: say.SlotFacts | None = None

    @classmethod
    def of(
        cls, slot: Slot, offer: Offer, campaign: Campaign | None, schools: Iterable[School],
        registrations: Iterable[Registration],
    ) -> "Ledger":  # fmt: skip
        """A ledger of these rows."""
        by_id = {registration.id: registration for registration in registrations}
        return cls(slot, offer, campaign, {school.id: school for school in schools}, by_id)

    def decide(self, command: do.Command) -> Registration | Slot:
        """What becomes of `command`: the registration or slot afterwards. Raises a RuleBroken and changes nothing
        when a rule forbids it."""
        return _DECISIONS[type(command)](self, command)

    def register(self, command: do.Register) -> Registration:
        """A new group gets places, asks for them, or waits."""
        if made := self.registrations.get(command.registration_id):
            return made
        school = may_book(command, self.slot, self.offer, self.campaign, self.schools)
        self._is_new(command, school)
        pupils = command.group.pupils
        if pupils > self.slot.places:
            raise errors.GroupTooLarge(asked=pupils, places=self.slot.places)
        first_in_line = self.slot.waiting == 0 or self.slot.waiting_list != "strict_order"
        if self.slot.fits(pupils) and first_in_line:
            return self._take_places(command, school)
        return self._join_queue(command, school, first_in_line)

    def approve(self, command: do.Approve) -> Registration:
        """requested → confirmed."""
        before = self.commanded(command)
        if before.last_request_id == command.request_id:
            return before
        if before.state == "confirmed":
            raise errors.AlreadyConfirmed
        self._must_ask_for_approval(before, command)
        return self.change(before, command, say.RegistrationConfirmed, state="confirmed")

    def decline(self, command: do.Decline) -> Registration:
        """requested → declined; its places go to those who wait."""
        before = self.commanded(command)
        if before.last_request_id == command.request_id:
            return before
        if before.state == "declined":
            raise errors.AlreadyDeclined
        self._must_ask_for_approval(before, command)
        after = self.change(before, command, say.RegistrationDeclined, state="declined", reason=command.reason)
        self.promote(command)
        return after

    def accept(self, command: do.Accept) -> Registration:
        """offered → confirmed."""
        before = self.commanded(command)
        if before.last_request_id == command.request_id:
            return before
        if before.state == "confirmed":
            raise errors.AlreadyConfirmed
        if before.state == "expired" or before.offer_is_over(command.now):
            raise errors.OfferHasExpired(expired=wall_time(before.offer_expires_at or before.changed_at, self.slot))
        if before.state != "offered":
            raise errors.NothingOffered
        must_be_ahead(self.slot, command.now)
        said = {"offer_expires_at": None, "said_at": command.now}
        return self.change(before, command, say.RegistrationConfirmed, state="confirmed", **said)

    def expire(self, command: do.Expire) -> Registration:
        """offered → expired once its time is over; the places go to the next."""
        before = self.commanded(command)
        if not before.offer_is_over(command.now):
            return before
        after = self.change(before, command, say.OfferedPlacesExpired, state="expired")
        self.promote(command)
        return after

    def cancel(self, command: do.Cancel) -> Registration:
        """Any active state → cancelled, before the slot starts; places it held go to those who wait."""
        before = self.commanded(command)
        if before.last_request_id == command.request_id:
            return before
        self.must_be_as_seen(before, command.seen)
        if before.state == "cancelled":
            raise errors.AlreadyCancelled
        if not before.active:
            raise errors.RegistrationHasEnded
        must_not_have_started(self.slot, command.now)
        after = self._cancelled(before, command, command.by, command.reason)
        self.promote(command)
        return after

    def resize(self, command: do.Resize) -> Registration:
        """Another head count. A larger group that does not fit, or that others wait before, changes nothing; a
        smaller one gives places back."""
        before = self.commanded(command)
        adults = before.group.adults if command.adults is None else command.adults
        if before.last_request_id == command.request_id:
            return before
        if not before.active:
            raise errors.RegistrationHasEnded
        must_not_have_started(self.slot, command.now)
        booking.must_have_room_to_grow(self.slot, before, command.pupils)
        if (command.pupils, adults) == (before.group.pupils, before.group.adults):
            return before
        group = before.group.model_copy(update={"pupils": command.pupils, "adults": adults})
        said = {"question": confirming.by_the_way(before, self.slot, command.now), "said_at": command.now}
        after = self.change(before, command, say.RegistrationResized, group=group, **said)
        self.promote(command)
        return after

    def attend(self, command: do.Attend) -> Registration:
        """The group came or not; a wrong entry can be put right by another one."""
        before = self.commanded(command)
        if before.last_request_id == command.request_id:
            return before
        if before.state not in ("requested", "confirmed", "attended", "no_show"):
            raise errors.HoldsNoPlaces
        if command.now < self.slot.starts_utc - booking.ARRIVING:
            raise errors.SlotHasNotStarted
        if command.came and command.pupils < 1:
            raise errors.AttendedByNobody
        most = max(self.slot.places, before.group.pupils)
        if command.came and command.pupils > most:
            raise errors.AttendedByTooMany(most=most)
        came: Literal["attended", "no_show"] = "attended" if command.came else "no_show"
        pupils = command.pupils if command.came else 0
        if (before.state, before.pupils_attended) == (came, pupils):
            raise errors.AlreadyRecorded
        if before.pupils_attended is not None and command.version not in (None, before.version):
            raise errors.RecordedMeanwhile
        message = say.RegistrationAttended if command.came else say.RegistrationMissed
        return self.change(before, command, message, state=came, pupils_attended=pupils)

    def move_slot(self, command: do.MoveSlot) -> Slot:
        """Another date or time; the registrations stay."""
        if self.slot.last_request_id == command.request_id:
            return self.slot
        must_be_ahead(self.slot, command.now)
        previous = self.slot
        if (previous.starts_utc, previous.ends_utc) == (command.starts_utc, command.ends_utc):
            raise errors.NothingToMove
        self._change_slot(
            command, starts_local=command.starts_local, ends_local=command.ends_local, zone=command.zone,
            starts_utc=command.starts_utc, ends_utc=command.ends_utc, revision=previous.revision + 1,
            moves=previous.moved(command.now),
        )  # fmt: skip
        self._say_of_slot(
            say.SlotMoved, command, previous_starts_local=previous.starts_local,
            previous_ends_local=previous.ends_local, reason=command.reason,
        )  # fmt: skip
        return self.slot

    def resize_slot(self, command: do.ResizeSlot) -> Slot:
        """More or fewer places or groups, never fewer than are taken; new places go to those who wait."""
        if self.slot.last_request_id == command.request_id:
            return self.slot
        must_be_ahead(self.slot, command.now)
        if command.places < self.slot.taken or command.groups < self.slot.groups_taken:
            raise errors.SlotHoldsMore(taken=self.slot.taken, groups_taken=self.slot.groups_taken)
        largest = max((r.group.pupils for r in self._waiting()), default=0)
        if largest > command.places:
            raise errors.WaitingGroupIsLarger(pupils=largest, places=command.places)
        if (command.places, command.groups) == (self.slot.places, self.slot.groups):
            return self.slot
        self._change_slot(command, places=command.places, groups=command.groups)
        self._say_of_slot(say.SlotResized, command)
        self.promote(command)
        return self.slot

    def cancel_slot(self, command: do.CancelSlot) -> Slot:
        """Nobody can book any more; `clear` then cancels the registrations."""
        if self.slot.last_request_id == command.request_id:
            return self.slot
        if self.slot.state == "cancelled":
            raise errors.AlreadyCancelled
        must_not_have_started(self.slot, command.now)
        if command.only_if_empty and self.slot.groups_taken + self.slot.waiting:
            raise errors.SlotHasGroups
        self._change_slot(command, state="cancelled", reason=command.reason, revision=self.slot.revision + 1)
        self._say_of_slot(say.SlotCancelled, command, reason=command.reason)
        return self.slot

    def clear(self, command: do.ClearCancelledSlot) -> Slot:
        """Cancel the active registrations at hand of a slot that was called off."""
        if self.slot.state == "cancelled":
            for registration in [r for r in self.registrations.values() if r.active][:CLEARED_AT_ONCE]:
                self._cancelled(registration, command, "company", self.slot.reason)
        return self.slot

    def _is_new(self, command: do.Register, school: School) -> None:
        held_by = self._active.get(group_key(school.id, command.group.name))
        if held_by:
            raise errors.AlreadyRegistered(
                group=command.group.name, school=school.name, registration_id=held_by, slot_id=self.slot.id
            )
        most = self.slot.groups_per_school
        if most is None:
            return
        if sum(r.active and r.school_id == school.id for r in self.registrations.values()) >= most:
            raise errors.SchoolHasItsGroups(most=most)

    def _take_places(self, command: do.Register, school: School) -> Registration:
        if self.slot.approval == "company":
            return self._enter(
                new_registration(self.slot, command, school, "requested"), command, say.RegistrationRequested
            )
        return self._enter(
            new_registration(self.slot, command, school, "confirmed"), command, say.RegistrationConfirmed
        )

    def _join_queue(self, command: do.Register, school: School, first_in_line: bool) -> Registration:
        slot = self.slot
        if slot.waiting_list == "none" or (not command.waitlist and first_in_line):
            raise errors.SlotIsFull(free=slot.free, free_groups=slot.free_groups, asked=command.group.pupils)
        if not command.waitlist:
            raise errors.OthersWaitFirst(waiting=slot.waiting)
        if slot.waiting >= MOST_WAITING:
            raise errors.WaitingListIsFull(most=MOST_WAITING)
        waiting = new_registration(slot, command, school, "waitlisted", position=slot.next_position)
        self.slot = replace(slot, next_position=slot.next_position + 1)
        return self._enter(waiting, command, say.RegistrationWaitlisted)

    def commanded(self, command: do.OfRegistration) -> Registration:
        """The registration that the command is about. RegistrationNotFound."""
        registration = self.registrations.get(command.registration_id)
        if registration is None:
            raise errors.RegistrationNotFound
        return registration

    def must_be_as_seen(self, registration: Registration, seen: do.Seen | None) -> None:
        """AnswerLinkIsOver when the registration or its date has changed since a mail told of it."""
        if seen and (registration.version, self.slot.revision) != (seen.version, seen.revision):
            raise errors.AnswerLinkIsOver

    def _must_ask_for_approval(self, registration: Registration, command: do.Command) -> None:
        if registration.state != "requested":
            raise errors.NotWaitingForApproval(group=registration.group.name, school=registration.school_name)
        must_be_ahead(self.slot, command.now)

    def _cancelled(self, before: Registration, command: do.Command, by: Any, reason: str) -> Registration:
        return self.change(
            before, command, say.RegistrationCancelled,
            state="cancelled", cancelled_by=by, reason=reason, offer_expires_at=None,
        )  # fmt: skip

    def promote(self, command: do.Command) -> None:
        """Offer what is free to those who wait: in order, and in strict order only while the first one fits."""
        slot = self.slot
        if slot.state != "open" or command.now >= slot.starts_utc or not slot.waiting or slot.free < 1:
            return
        offered: list[str] = []
        skipped: list[Skipped] = []
        for waiting in self._waiting():
            if self.slot.free < 1 or (skipped and slot.waiting_list == "strict_order"):
                break
            if self.slot.fits(waiting.group.pupils):
                offered.append(self._offer_places(waiting, command).id)
            else:
                skipped.append(Skipped(waiting.id, waiting.group.pupils, why_not(self.slot)))
        self.runs.append(run_on(slot, self.slot.version, command.now, offered, skipped))

    def _waiting(self) -> Iterator[Registration]:
        """Those who wait at this moment, in order; the list may change meanwhile."""
        return (self.registrations[each] for each in list(self._queue))

    def _offer_places(self, waiting: Registration, command: do.Command) -> Registration:
        school = self.schools.get(waiting.school_id)
        movable = school.movable_days if school else frozenset()
        until = offer_deadline(command.now, self.slot, movable)
        return self.change(waiting, command, say.PlacesOffered, state="offered", offer_expires_at=until)

    def change(
        self, before: Registration, command: do.Command, message: type[say.RegistrationMessage], **fields: Any
    ) -> Registration:
        """The registration with other `fields` in its next version; `message` tells of it."""
        asked = command.request_id if getattr(command, "registration_id", None) == before.id else before.last_request_id
        after = replace(
            before, version=before.version + 1, changed_at=command.now, last_request_id=asked, **fields
        )  # fmt: skip
        return self._put(before, after, command, message)

    def _enter(self, new: Registration, command: do.Command, message: type[say.RegistrationMessage]) -> Registration:
        self.created.add(new.id)
        return self._put(None, new, command, message)

    def _put(
        self, before: Registration | None, after: Registration, command: do.Command,
        message: type[say.RegistrationMessage],
    ) -> Registration:  # fmt: skip
        """Keep `after` and count the difference: the counters can only ever be the sum of the rows."""
        slot, held = self.slot, before.held if before else 0
        waited = before is not None and before.state == "waitlisted"
        self.slot = replace(
            slot,
            taken=slot.taken + after.held - held,
            groups_taken=slot.groups_taken + (after.held > 0) - (held > 0),
            waiting=slot.waiting + (after.state == "waitlisted") - waited,
            version=slot.version + 1,
        )
        self.registrations[after.id] = after
        self.changed.add(after.id)
        if after.state == "waitlisted":
            self._queue[after.id] = None
        else:
            self._queue.pop(after.id, None)
        if after.active:
            self._active[after.key] = after.id
        elif self._active.get(after.key) == after.id:
            del self._active[after.key]
        previous = before.group.pupils if before and message is say.RegistrationResized else None
        facts = registration_facts(after, self._slot_facts(), previous)
        self._say(message, f"registration:{after.id}", after.version, command, registration=facts)
        return after

    def _change_slot(self, command: do.Command, **fields: Any) -> None:
        self.slot = replace(self.slot, version=self.slot.version + 1, last_request_id=command.request_id, **fields)
        self._facts = None

    def _say_of_slot(self, kind: type[say.EventsMessage], command: do.Command, **facts: Any) -> None:
        self._say(kind, f"slot:{self.slot.id}", self.slot.version, command, slot=self._slot_facts(), **facts)

    def _say(self, kind: type[say.EventsMessage], about: str, version: int, command: do.Command, **facts: Any) -> None:
        origin = {"now": command.now, "correlation_id": command.correlation_id}
        self.messages.append(kind.about(about, version, **origin, **facts))

    def _slot_facts(self) -> say.SlotFacts:
        if self._facts is None:
            self._facts = slot_facts(self.slot, self.offer)
        return self._facts


_DECISIONS: dict[type[do.Command], Callable[[Ledger, Any], Registration | Slot]] = {
    do.Register: Ledger.register,
    do.Approve: Ledger.approve,
    do.Decline: Ledger.decline,
    do.Accept: Ledger.accept,
    do.Expire: Ledger.expire,
    do.Cancel: Ledger.cancel,
    do.AskAgain: confirming.ask_again,
    do.SayStillComing: confirming.say_still_coming,
    do.Release: confirming.release,
    do.Resize: Ledger.resize,
    do.Attend: Ledger.attend,
    do.MoveSlot: Ledger.move_slot,
    do.ResizeSlot: Ledger.resize_slot,
    do.CancelSlot: Ledger.cancel_slot,
    do.ClearCancelledSlot: Ledger.clear,
}
FREEING = (do.Decline, do.Expire, do.Cancel, do.Release, do.Resize, do.ResizeSlot)
