"""The service `notify` as a process of its own: python -m services.notify [--host …] [--port …]."""

import argparse
import sys

import uvicorn

from services.notify.app import create_app
from services.notify.settings import CannotStart, read_settings
from shared.clock import FileClock, SystemClock
from shared.log import set_up_logging
from shared.service import front_door


def main() -> None:
    """Read the settings, build the real things and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8003)
    arguments = parser.parse_args()
    try:
        settings = read_settings()
    except CannotStart as error:
        sys.exit(str(error))
    set_up_logging(settings.log_level)
    clock = FileClock(settings.clock_file) if settings.clock_file else SystemClock()
    app = front_door({"notify": create_app(settings, clock)})
    uvicorn.run(
        app, host=arguments.host, port=arguments.port, log_config=None, access_log=False,
        forwarded_allow_ips=settings.trusted_proxies,
    )  # fmt: skip


if __name__ == "__main__":
    main()
