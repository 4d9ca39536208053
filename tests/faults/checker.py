"""Compares what was answered with what is there. Each promise is a function that names every breach in a sentence."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from tests.faults.evidence import Evidence
from tests.faults.workload import BY_ITSELF, Group, Notes

TAKING = ("requested", "offered", "confirmed")
MAIL_OF = {
    "RegistrationRequested": "registration_requested",
    "RegistrationConfirmed": "registration_confirmed",
    "RegistrationDeclined": "registration_declined",
    "RegistrationWaitlisted": "registration_waitlisted",
    "PlacesOffered": "places_offered",
    "RegistrationCancelled": "registration_cancelled",
    "RegistrationResized": "registration_resized",
    "OfferedPlacesExpired": "offered_places_expired",
}


def check(notes: Notes, found: Evidence, repeats_allowed: int = 0) -> dict[str, list[str]]:
    """The breaches of each promise. `repeats_allowed` is how many mails were in flight at a sender when it died."""
    breaches = {name: list(promise(notes, found)) for name, promise in PROMISES.items()}
    repeats = repeats_of(found)
    if repeats > repeats_allowed:
        breaches["mailed once"].append(f"{repeats} mails came again, {repeats_allowed} may have")
    return breaches


def repeats_of(found: Evidence) -> int:
    """How many mails came again."""
    return sum(max(0, found.arrived[mail["message_id"]] - 1) for mail in found.mails)


def answers_are_true(notes: Notes, found: Evidence) -> Iterator[str]:
    """Acknowledged: there. Refused: nothing. Unknown: one or the other. Each change once."""
    yield from notes.jumps
    yield from notes.strange
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in found.registrations.values():
        rows.setdefault(row["group"]["name"], []).append(row)
    for group in notes.groups:
        yield from _of_group(group, rows.pop(group.name, []))
    yield from (f"{name} is there and nobody asked for it" for name in rows)
    for slot_id, moves in notes.moves.items():
        starts = found.slots[slot_id]["starts_local"][:16]
        if slot_id not in notes.uncertain_moves and starts != moves[-1]:
            yield f"slot {slot_id} begins at {starts}, and was moved to {moves[-1]}"


def _of_group(group: Group, rows: list[dict[str, Any]]) -> Iterator[str]:
    allowed = {"acknowledged": (1,), "refused": (0,), "unknown": (0, 1)}[group.outcome]
    if len(rows) not in allowed:
        yield f"{group.name} was {group.outcome} and is there {len(rows)} times"
    elif rows and group.outcome == "acknowledged" and group.certain:
        row = rows[0]
        there = (row["state"], row["group"]["pupils"], row["version"])
        answered = {(group.state, group.pupils, group.version)}
        for steps, state in enumerate(BY_ITSELF.get(group.state, []), 1):
            answered.add((state, group.pupils, group.version + steps))
        if there not in answered:
            yield f"{group.name} is {there}, and was answered {answered}"


def not_oversold(notes: Notes, found: Evidence) -> Iterator[str]:
    """Counted anew from the registrations, and the slot's own counters agree."""
    for slot_id, slot in found.slots.items():
        taking = [row for row in found.registrations.values() if row["slot_id"] == slot_id and row["state"] in TAKING]
        pupils = sum(row["group"]["pupils"] for row in taking)
        if pupils > slot["places"] or len(taking) > slot["groups"]:
            yield f"slot {slot_id}: {pupils} of {slot['places']} places, {len(taking)} of {slot['groups']} groups"
        if (pupils, len(taking)) != (slot["taken"], slot["groups_taken"]):
            yield f"slot {slot_id} counts {slot['taken']}/{slot['groups_taken']}, there are {pupils}/{len(taking)}"


def waiting_list_not_idle(notes: Notes, found: Evidence) -> Iterator[str]:
    """Nobody waits for whom there is room: of a strict list the first one, else anybody."""
    for slot_id, slot in found.slots.items():
        rows = [row for row in found.registrations.values() if row["slot_id"] == slot_id]
        taking = [row["group"]["pupils"] for row in rows if row["state"] in TAKING]
        waiting = sorted((row for row in rows if row["state"] == "waitlisted"), key=lambda row: row["position"])
        first = waiting[:1] if slot["waiting_list"] == "strict_order" else waiting
        free = slot["places"] - sum(taking)
        fits = [row["group"]["name"] for row in first if row["group"]["pupils"] <= free]
        if fits and len(taking) < slot["groups"]:
            yield f"slot {slot_id} has {free} places free, and {fits} wait"


def told(notes: Notes, found: Evidence) -> Iterator[str]:
    """Each version of each registration is told by exactly one message, which is relayed and handled."""
    if found.unpublished:
        yield f"{found.unpublished} messages are not relayed"
    for id, row in found.registrations.items():
        for version in range(1, row["version"] + 1):
            messages = found.told.get((id, version), [])
            if len(messages) != 1:
                yield f"{row['group']['name']}, version {version}: {len(messages)} messages"
            yield from (f"{each['_id']} was not noted" for each in messages if each["_id"] not in found.heard)


def copies_agree(notes: Notes, found: Evidence) -> Iterator[str]:
    """notify and outreach hold the newest version of every registration."""
    for id, row in found.registrations.items():
        truth = (row["version"], row["state"], row["group"]["pupils"])
        heard = found.notify.get(id, {})
        facts = heard.get("facts") or {"state": None, "group": {"pupils": None}}
        if (heard.get("version"), facts["state"], facts["group"]["pupils"]) != truth:
            yield f"notify holds another {row['group']['name']} than {truth}"
        counted = found.outreach.get(id, {})
        if tuple(counted.get(name) for name in ("version", "state", "pupils")) != truth:
            yield f"outreach holds another {row['group']['name']} than {truth}"


def mailed_once(notes: Notes, found: Evidence) -> Iterator[str]:
    """The contact of the group gets one mail per transition, but for those that were no longer true."""
    planned: Counter[tuple[str, str, int]] = Counter()
    for mail in found.mails:
        id = mail["about"].partition(":")[2]
        if mail["recipient_role"] == "teacher":
            planned[mail["kind"], id, mail["based_on"]] += 1
        if mail["state"] == "sent" and not found.arrived[mail["message_id"]]:
            yield f"{mail['_id']} was sent and has not arrived"
        row = found.registrations[id]
        moved = mail["revision"] < found.slots[row["slot_id"]]["revision"]  # another mail tells of the newer date
        outdated = mail["based_on"] < row["version"] or moved or mail["kind"] == "slot_moved"
        worthless = mail["state"] == "refused" and mail["reason"] == "gave_up" and mail["gives_up_at"] <= found.now
        done = mail["state"] == "sent" or (mail["state"] == "cancelled" and outdated) or worthless
        if mail["kind"] != "slot_reminder" and not done:  # reminders wait for their day
            yield f"{mail['_id']} is {mail['state']}"
    for (id, version), messages in found.told.items():
        kind = MAIL_OF[messages[0]["wire"]["type"].partition(".")[0]]
        if planned[kind, id, version] != 1:
            yield f"{planned[kind, id, version]} mails {kind} for version {version} of {id}"


def calendars_count(notes: Notes, found: Evidence) -> Iterator[str]:
    """Each mail raises the SEQUENCE of its recipient's calendar entry by one, and the copy knows the last one told."""
    told: dict[str, list[int]] = {}
    known: dict[str, int] = {}
    for mail in found.mails:
        if part := mail["calendar"]:
            told.setdefault(part["uid"], []).append(part["sequence"])
            copy = found.notify.get(mail["about"].partition(":")[2], {}).get("calendar", {})
            tag = part["uid"].partition("@")[0].rpartition("-")[2]
            known[part["uid"]] = copy.get(tag, {}).get("sequence")
    for uid, sequences in told.items():
        if sorted(sequences) != list(range(len(sequences))) or known[uid] != max(sequences):
            yield f"{uid} was told {sorted(sequences)}, and {known[uid]} is known"


def nothing_stuck(notes: Notes, found: Evidence) -> Iterator[str]:
    """No batch is left behind, no message was set aside, no mail is held longer than its lease."""
    now = datetime.now(UTC).replace(tzinfo=None)
    yield from (f"slot {id} has a batch left behind" for id, slot in found.slots.items() if "pending" in slot)
    late = [mail["_id"] for mail in found.mails if "lease" in mail and mail["lease"]["until"] < now]
    yield from (f"{each} is held longer than its lease" for each in late)
    yield from (f"message {each} was set aside" for each in found.set_aside)


Promise = Callable[[Notes, Evidence], Iterator[str]]
PROMISES: dict[str, Promise] = {
    "answers true": answers_are_true,
    "not oversold": not_oversold,
    "waiting list": waiting_list_not_idle,
    "told": told,
    "copies": copies_agree,
    "mailed once": mailed_once,
    "calendars": calendars_count,
    "nothing stuck": nothing_stuck,
}
