"""Deliveries are collected here, and written in the transaction of what they tell of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.notify import domain
from services.notify.domain import CalendarPart, Delivery, Letter, Recipient
from services.notify.store.former_addresses import BY_ROLE
from services.notify.urgency import REMINDER, urgency_of
from services.notify.usecases.context import Context
from shared.mongo import Session
from shared.schemas.base import Message


@dataclass
class Planner:
    """Collects the deliveries about one thing, and writes them together. `first` when it is heard of for the first
    time, so that nothing planned earlier can be outdated."""

    context: Context
    about: str
    now: datetime
    erase_after: datetime
    cause: str = ""
    first: bool = False

    def __post_init__(self) -> None:
        self.deliveries = self.context.store.deliveries
        self.copies = self.context.store.copies
        self._reminders = self.context.store.reminders
        self._collected: list[Delivery] = []

    def add_all(
        self,
        letters: Sequence[Letter],
        key: Callable[[Letter], str],
        facts: dict[str, Any],
        entries: domain.CalendarEntries,
        *,
        based_on: int,
        revision: int,
        gives_up_at: datetime | None = None,
    ) -> dict[str, domain.CalendarEntry]:
        """Mails about a transition, worthless after `gives_up_at` when that is given; returns the calendar entries as
        they are afterwards."""
        parts, after = domain.with_calendar(letters, entries, self.about, self.context.writer.domain)
        for letter, part in zip(letters, parts, strict=True):
            self.add(
                letter, key(letter), facts, calendar=part, gives_up_at=gives_up_at, based_on=based_on, revision=revision
            )
        return after

    def add_superseded(
        self, letters: Sequence[Letter], key: Callable[[Letter], str], facts: dict[str, Any], **based_on: int
    ) -> None:
        """The trace of mails that are outdated before they could be planned."""
        for letter in letters:
            self.add(letter, key(letter), facts, state="cancelled", reason="superseded", **based_on)

    def add(
        self,
        letter: Letter,
        key: str,
        facts: dict[str, Any],
        *,
        due_at: datetime | None = None,
        gives_up_at: datetime | None = None,
        calendar: CalendarPart | None = None,
        keep_facts: bool = True,
        **more: Any,
    ) -> None:
        """One mail, due now unless told otherwise; nobody is written to without an address.

        Without `keep_facts` they are read again when it is sent.
        """
        if not letter.to.email:
            return
        writer = self.context.writer
        self._collected.append(
            Delivery(
                key=key,
                kind=letter.kind,
                to=_cleaned(letter.to),
                about=self.about,
                priority=urgency_of(letter.kind),
                due_at=due_at or self.now,
                gives_up_at=gives_up_at or self._worthless_at(letter.kind, facts),
                erase_after=self.erase_after,
                planned_at=self.now,
                message_id=domain.message_id(key, writer.domain),
                facts=facts if keep_facts else None,
                subject=writer.subject(letter.kind, letter.to, facts),
                calendar=calendar,
                cause=self.cause,
                **more,
            )
        )

    def _worthless_at(self, kind: str, facts: dict[str, Any]) -> datetime:
        """When nobody needs a mail any more: after days, and one about a date to come at the latest when it begins."""
        horizon = self.now + domain.TRANSITION_HORIZON
        date = (facts.get("registration") or {}).get("slot") or (facts.get("visit") or {}).get("chosen")
        if kind not in domain.TRUE_WHILE or not date:
            return horizon
        starts = domain.instant(datetime.fromisoformat(date["starts_local"]), date["zone"])
        return min(horizon, starts) if starts > self.now else horizon

    def add_reminder(
        self,
        letter: Letter,
        key: str,
        facts: dict[str, Any],
        due_at: datetime,
        starts_at: datetime,
        based_on: int,
        revision: int,
        day: str = "",
    ) -> None:
        """A reminder; its facts are read again when it is sent, so none are kept until then. Those of one `day` to one
        address go out together."""
        self.add(
            letter,
            key,
            facts,
            due_at=due_at,
            gives_up_at=starts_at,
            based_on=based_on,
            revision=revision,
            keep_facts=False,
            day=day,
        )

    async def write(self, session: Session) -> None:
        """Write what was collected; whoever has gone gets nothing, whatever a copy or message still names."""
        await self._follow_addresses(session)
        if self._collected:
            await self.deliveries.add(self._collected, session)
            reminders = [delivery for delivery in self._collected if delivery.priority == REMINDER]
            if reminders:
                await self._reminders.wake([delivery.key for delivery in reminders], session)
                if not self.first:
                    await self._reminders.readdress(reminders, session)

    async def _follow_addresses(self, session: Session) -> None:
        emails = {each.to.email for each in self._collected if each.to.role in BY_ROLE}
        present = await self.context.store.former_addresses.present(sorted(emails), session) if emails else {}
        if present:
            moved = [(each, present.get(each.to.email, each.to.email)) for each in self._collected]
            self._collected = [replace(each, to=replace(each.to, email=email)) for each, email in moved if email]


def _cleaned(to: Recipient) -> Recipient:
    return replace(to, name=domain.clean(to.name), email=to.email.strip())


def cause_of(message: Message) -> str:
    """What a delivery names as the message that it comes from."""
    return f"{message.type_name()} {message.id}"
