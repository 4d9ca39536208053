"""python -m deploy.backup create | check | restore | held | sent | release"""

import argparse
import asyncio
import fileinput
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from deploy.backup import after, files, target
from deploy.backup.create import create
from deploy.backup.errors import BackupRefused
from deploy.backup.restore import check, restore
from deploy.local.errors import CannotStart
from services.notify.store.sent_log import Sent
from shared.mongo import Client, StoreError, connect

MEGA = 1_000_000
Result = TypeVar("Result")


def main() -> int:
    """Do what the command line asks; 2 when that is not possible, with one sentence on standard error."""
    asked = _command_line().parse_args()
    try:
        asked.work(asked)
    except (BackupRefused, CannotStart) as reason:
        say(str(reason))
        return 2
    except StoreError as error:  # its text may hold the address with the password
        say(f"MongoDB cannot be reached, or gave up: {type(error).__name__}.")
        return 2
    except BrokenPipeError:
        say("Whoever was to take the backup has gone.")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _create(asked: argparse.Namespace) -> None:
    async def work() -> None:
        client = connect(source.mongodb_url, most_connections=2)
        try:
            with files.written(asked.target) as (stream, name):
                counts = await create(client, source.prefix, stream, say)
        finally:
            client.close()
        spent = time.monotonic() - began
        say(f"{counts.total:,} documents, {counts.size / MEGA:.1f} MB uncompressed, in {spent:.1f} s: {name}")

    source, began = target.running(os.environ), time.monotonic()
    say("The databases as they are at this moment:")
    asyncio.run(work())


def _check(asked: argparse.Namespace) -> None:
    with files.read(asked.source) as stream:
        reader = check(stream)
    for service, counter in reader.counts.documents.items():
        say(f"  {service}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counter.items()) if count))
    say(f"Whole: {reader.counts.total:,} documents as they were at {reader.header['taken_at']}.")


def _restore(asked: argparse.Namespace) -> None:
    if asked.source != files.PIPE:  # what is damaged is known before anything is written
        _check(asked)

    async def work() -> None:
        client = connect(there.mongodb_url, most_connections=4)
        try:
            with files.read(asked.source) as stream:
                done = await restore(client, there.prefix, stream, say)
        finally:
            client.close()
        say(f"Restored: {done.documents:,} documents in {time.monotonic() - began:.1f} s. The services may start.")
        say(f"{done.in_doubt:,} mails were in a sender's hands at the backup, and may have been sent.")
        say("No mail but a sign-in's goes out before: python -m deploy.backup release")

    with target.empty(os.environ) as there:
        began = time.monotonic()
        asyncio.run(work())


def _held(asked: argparse.Namespace) -> None:
    there = target.running(os.environ)
    held = _with_client(there, lambda client: after.look(client, there.prefix, there.now))
    say(_since(held.taken_at))
    if held.under_way:
        say(f"{held.under_way:,} messages are still under way, and more mails may come of them: look again at 0.")
    say(f"{len(held.due):,} mails go out when you release them:")
    for row in held.due:
        print(f"{row['due_at']:%Y-%m-%dT%H:%MZ} {row['_id']}")


def _sent(asked: argparse.Namespace) -> None:
    there = target.running(os.environ)
    with fileinput.input(asked.logs, encoding="utf-8", errors="replace") as lines:
        done = _with_client(there, lambda client: after.note_sent(client, there.prefix, lines))
    say(_since(done.taken_at))
    say(f"{len(done.noted):,} mails that are held were sent after it; they do not go out again:")
    _print(done.noted)
    say(f"{len(done.unknown):,} mails were sent after it of which nothing is known here; they tell of what is lost:")
    _print(done.unknown)


def _release(asked: argparse.Namespace) -> None:
    there = target.running(os.environ)
    released = _with_client(there, lambda client: after.release_mails(client, there.prefix))
    say("Mails go out again." if released else "No mails are held.")


def _with_client(there: target.Target, work: Callable[[Client], Awaitable[Result]]) -> Result:
    async def connected() -> Result:
        client = connect(there.mongodb_url, most_connections=2)
        try:
            return await work(client)
        finally:
            client.close()

    return asyncio.run(connected())


def _since(taken_at: datetime) -> str:
    return f"Restored from a backup of {taken_at.isoformat(timespec='seconds')}; mails are held."


def _print(mails: Sequence[Sent]) -> None:
    for sent in mails:
        print(f"{sent.at.isoformat(timespec='seconds')} {sent.key}")


def _command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.backup",
        description="Backups of the three databases, while everything runs. MONGODB_URL names the replica set; without"
        " it the embedded start of DATA_DIR is meant.",
    )
    commands = parser.add_subparsers(required=True)
    make = commands.add_parser("create", help="write a backup; nothing needs to stop")
    make.add_argument("target", help="a new file, a folder for one with the time in its name, or - for standard output")
    make.set_defaults(work=_create)
    look = commands.add_parser("check", help="read a whole backup, and say what is in it")
    look.add_argument("source", help="a file, or - for standard input")
    look.set_defaults(work=_check)
    bring = commands.add_parser("restore", help="fill an empty MongoDB from a backup")
    bring.add_argument("source", help="a file, or - for standard input")
    bring.set_defaults(work=_restore)
    waiting = commands.add_parser("held", help="after a restore: which mails wait for their release")
    waiting.set_defaults(work=_held)
    sent = commands.add_parser("sent", help="after a restore: which mails the log says were sent after the backup")
    sent.add_argument("logs", nargs="+", help="files with the log lines of notify, or - for standard input")
    sent.set_defaults(work=_sent)
    release = commands.add_parser("release", help="after a restore: let the mails that are held go out")
    release.set_defaults(work=_release)
    return parser


def say(text: str) -> None:
    """One line for whoever looks on; standard output may be the backup itself."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
