"""The service `events` as a process of its own: python -m services.events [--host …] [--port …]."""

import argparse

import uvicorn

from services.events.app import create_app
from services.events.settings import Settings
from shared.clock import FileClock, SystemClock
from shared.log import set_up_logging
from shared.service import KEEP_ALIVE_SECONDS, front_door, keep_what_the_start_made


def main() -> None:
    """Read the settings, build the real things and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    arguments = parser.parse_args()
    settings = Settings()
    set_up_logging(settings.log_level)
    clock = FileClock(settings.clock_file) if settings.clock_file else SystemClock()
    door = front_door({"events": create_app(settings, clock)})
    keep_what_the_start_made()
    uvicorn.run(
        door, host=arguments.host, port=arguments.port, log_config=None, access_log=False,
        forwarded_allow_ips=settings.trusted_proxies, timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )  # fmt: skip


if __name__ == "__main__":
    main()
