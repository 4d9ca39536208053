"""Run this service alone: python -m services.events (settings from the environment; HOST and PORT to listen on)."""

import os

import uvicorn

from services.events.app import create_app
from services.events.settings import Settings
from shared.clock import FileClock, SystemClock
from shared.log import set_up_logging
from shared.service import front_door


def main() -> None:
    """Serve until stopped."""
    settings = Settings()
    set_up_logging(settings.log_level)
    clock = FileClock(settings.clock_file) if settings.clock_file else SystemClock()
    door = front_door({"events": create_app(settings, clock)})
    uvicorn.run(
        door, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), log_config=None,
        access_log=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
