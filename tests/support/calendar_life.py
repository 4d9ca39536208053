"""python -m tests.support.calendar_life docs/pictures/calendar-life.svg: the life of a teacher's calendar entry, drawn.

A class is confirmed, grows, is moved and is called off. Every figure is read from the mails and the feed of that run: a
real mongod, a real SMTP server, the calendar parts parsed by another library than the one that writes them.
"""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import vobject

from services.notify.usecases import feeds
from shared.auth import Identity
from shared.ids import random_id
from shared.mongo import database
from shared.schemas import events
from tests.support.notify_builders import (
    NOW,
    STARTS,
    TEACHER,
    coordinator,
    registration,
    said,
    slot,
    slot_moved,
)
from tests.support.notify_world import ScriptedServer, World, build_world, part
from tests.support.servers import running_mongod

COLUMNS = (("What happens", 0), ("Mail", 230), ("METHOD", 570), ("SEQUENCE", 690), ("STATUS", 800), ("DTSTART", 930))
FEED_AT, WIDTH, ROW, TOP = 1150, 1370, 56, 96
STYLE = "text{font:15px 'Noto Sans',sans-serif;fill:#1c2421}.head{font-weight:700;fill:#55615c}.strong{font-weight:700}"
TONES = {"REQUEST": "#0b5d4e", "CANCEL": "#9b1c1c"}


@dataclass(frozen=True)
class Step:
    """One change: what the mail's calendar part says, and what the feed says afterwards."""

    happens: str
    subject: str
    method: str
    uid: str
    sequence: str
    status: str
    starts: datetime
    feed: str


def main() -> int:
    """Write the picture; 2 without a path for it."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, running_mongod(Path(folder)) as url:
        steps = asyncio.run(live(url))
    Path(sys.argv[1]).write_text(picture(steps))
    print(f"{sys.argv[1]}: {len(steps)} steps, one UID: {steps[0].uid}")
    return 0


async def live(mongodb_url: str) -> list[Step]:
    """Let the entry live, in a database of its own."""
    server = await ScriptedServer().start()
    async with database(mongodb_url, f"calendar_life_{random_id()[:8]}") as db:
        world = await build_world(db, server)
        secret = await _feed(world)
        moved = slot(2, STARTS + timedelta(days=1, hours=1))
        changes = (
            ("confirmed", said(events.RegistrationConfirmed, registration())),
            ("three pupils more", said(events.RegistrationResized, _resized())),
            ("moved by the company", slot_moved(moved)),
            ("called off by the school", said(events.RegistrationCancelled, _cancelled(moved))),
        )
        steps = [await _step(world, secret, happens, message) for happens, message in changes]
        await world.mailer.close()
        await db.client.drop_database(db.name)
    await server.stop()
    return steps


async def _feed(world: World) -> str:
    teacher = coordinator().model_copy(update={"person_id": "tessa", "email": TEACHER.email, "roles": []})
    await world.hear(teacher)
    return (await feeds.renew_feed(world.context, Identity("tessa", "person", "Tessa"), "me", 0, now=NOW)).secret


def _resized() -> Any:
    group = registration().group.model_copy(update={"pupils": 27})
    return registration(version=2, group=group, previous_pupils=24)


def _cancelled(moved: Any) -> Any:
    return registration("cancelled", 3, slot=moved, cancelled_by="school", group=_resized().group)


async def _step(world: World, secret: str, happens: str, message: Any) -> Step:
    before = len(world.server.mails)
    await world.hear(message)
    await world.send_all()
    fresh = zip(world.server.recipients[before:], world.server.mails[before:], strict=True)
    mail = next(mail for recipient, mail in fresh if recipient == TEACHER.email)
    calendar = vobject.readOne(part(mail, "text/calendar").get_content())
    found = await feeds.read_feed(world.context, secret, now=NOW)
    entry, fed = calendar.vevent, vobject.readOne(found.ics).vevent
    told = f"{fed.status.value}, {fed.sequence.value}" + (", same UID" if fed.uid.value == entry.uid.value else "")
    return Step(
        happens, str(mail["Subject"]), calendar.method.value, entry.uid.value, entry.sequence.value,
        entry.status.value, entry.dtstart.value, told,
    )  # fmt: skip


def picture(steps: list[Step]) -> str:
    """The steps as a table with a line of life."""
    height = TOP + ROW * len(steps)
    head = [_text(x + 40, 62, name, "head") for name, x in COLUMNS] + [_text(FEED_AT, 62, "Feed afterwards", "head")]
    rows = [line for number, step in enumerate(steps) for line in _row(number, step)]
    life = f'<line x1="20" x2="20" y1="{TOP}" y2="{TOP + ROW * (len(steps) - 1)}" stroke="#0b5d4e" stroke-width="4"/>'
    title = _text(8, 28, f"UID {steps[0].uid}", "strong")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">'
        f"<title>The life of a calendar entry</title><style>{STYLE}</style>"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{title}{life}{"".join(head + rows)}</svg>\n'
    )


def _row(number: int, step: Step) -> list[str]:
    y = TOP + ROW * number
    subject = step.subject if len(step.subject) < 42 else step.subject[:40] + "…"
    cells = (step.happens, subject, step.method, step.sequence, step.status, f"{step.starts:%Y-%m-%d %H:%M %Z}")
    texts = [_text(x + 40, y + 5, cell) for (_, x), cell in zip(COLUMNS, cells, strict=True)]
    dot = f'<circle cx="20" cy="{y}" r="9" fill="{TONES[step.method]}"/>'
    line = f'<line x1="40" x2="{WIDTH - 20}" y1="{y + ROW / 2}" y2="{y + ROW / 2}" stroke="#d5dad6"/>'
    return [dot, *texts, _text(FEED_AT, y + 5, step.feed), line]


def _text(x: float, y: float, text: str, css: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{css}">{escape(text)}</text>'


if __name__ == "__main__":
    sys.exit(main())
