"""What is to be found afterwards: of one campaign the rows of the three databases, the API's view, the mailbox."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from shared.clock import FileClock

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Evidence:
    """Rows by id. `told` are the outbox rows of the registrations by (registration, version); `mails` the deliveries
    about them; `arrived` how often the mail server has each Message-ID; `now` the moment by the services' clock."""

    slots: Rows
    registrations: Rows
    told: dict[tuple[str, int], list[dict[str, Any]]]
    unpublished: int
    heard: set[str]
    notify: Rows
    outreach: Rows
    mails: list[dict[str, Any]]
    arrived: Counter[str]
    set_aside: set[str]
    now: datetime


def look(mongodb: "MongoClient[dict[str, Any]]", mailbox: Path, clock: Path, campaign_id: str) -> Evidence:
    """Everything as it is now."""
    events, notify, outreach = (mongodb[f"perspektive_{name}"] for name in ("events", "notify", "outreach"))
    registrations = _by_id(events.registrations.find({"campaign_id": campaign_id}))
    abouts = [f"registration:{id}" for id in registrations]
    told: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in events.outbox.find({"aggregate": {"$in": abouts}}):
        told.setdefault((row["aggregate"].partition(":")[2], row["wire"]["aggregateversion"]), []).append(row)
    ids = {"_id": {"$in": list(registrations)}}
    notes = [f"{row['_id']}:mails" for rows in told.values() for row in rows]
    return Evidence(
        slots=_by_id(events.slots.find({"campaign_id": campaign_id})),
        registrations=registrations,
        told=told,
        unpublished=sum(db.outbox.count_documents({"published": False}) for db in (events, notify, outreach)),
        heard={row["_id"].removesuffix(":mails") for row in notify.inbox.find({"_id": {"$in": notes}}, {"_id": 1})},
        notify=_by_id(notify.registrations.find(ids)),
        outreach=_by_id(outreach.report_registrations.find(ids)),
        mails=list(notify.deliveries.find({"about": {"$in": abouts}})),
        arrived=_arrived(mailbox),
        set_aside={row["_id"] for db in (events, notify, outreach) for row in db.set_aside.find({}, {"_id": 1})},
        now=FileClock(clock).now().replace(tzinfo=None),
    )


def _by_id(rows: Any) -> Rows:
    return {row["_id"]: row for row in rows}


def _arrived(mailbox: Path) -> Counter[str]:
    with closing(sqlite3.connect(f"file:{mailbox}?mode=ro", uri=True)) as db:
        return Counter(row[0] for row in db.execute("SELECT message_id FROM mails"))
