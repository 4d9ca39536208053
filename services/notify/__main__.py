"""The service `notify` as a process of its own: python -m services.notify [--host …] [--port …].

`python -m services.notify bounce < mail` hears one bounce, for a mail server that pipes them into a program.
"""

import argparse
import asyncio
import os
import sys

import uvicorn

from services.notify.app import create_app, writer_of
from services.notify.settings import CannotStart, Settings, read_settings
from services.notify.store.core import Store
from services.notify.usecases.bouncing import hear_bounce
from services.notify.usecases.context import Context
from services.notify.usecases.tokens import Tokens
from shared.clock import Clock, FileClock, SystemClock
from shared.log import set_up_logging
from shared.mongo import StoreError, database
from shared.service import KEEP_ALIVE_SECONDS, front_door, keep_what_the_start_made


def main() -> None:
    """Read the settings, build the real things and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "bounce"], default="serve")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8003)
    arguments = parser.parse_args()
    try:
        settings = read_settings()
    except CannotStart as error:
        sys.exit(str(error))
    set_up_logging(settings.log_level)
    clock = FileClock(settings.clock_file) if settings.clock_file else SystemClock()
    if arguments.command == "bounce":
        sys.exit(asyncio.run(_hear_bounce(settings, clock, sys.stdin.buffer.read())))
    app = front_door({"notify": create_app(settings, clock)})
    keep_what_the_start_made()
    uvicorn.run(
        app, host=arguments.host, port=arguments.port, log_config=None, access_log=False,
        forwarded_allow_ips=settings.trusted_proxies, timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )  # fmt: skip


async def _hear_bounce(settings: Settings, clock: Clock, content: bytes) -> int:
    """The exit code that a mail server understands: 75 means that it is to try again later."""
    tokens = Tokens(settings.secret_key.get_secret_value(), settings.public_url)
    try:
        async with database(settings.mongodb_url, f"{settings.database_prefix}_notify") as db:
            store = Store(
                db, settings.retention_days, pupil_retention_days=settings.pupil_retention_days,
                secret_key=settings.secret_key.get_secret_value(),
            )  # fmt: skip
            print(await hear_bounce(Context(store, writer_of(settings), tokens), content, now=clock.now()))
    except StoreError:
        return os.EX_TEMPFAIL
    return os.EX_OK


if __name__ == "__main__":
    main()
