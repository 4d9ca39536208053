"""The service as a process of its own listens where its arguments say."""

import sys

import pytest

from services.events import __main__ as alone


@pytest.mark.parametrize(
    ("arguments", "listens"),
    [([], ("127.0.0.1", 8002)), (["--host", "0.0.0.0", "--port", "18002"], ("0.0.0.0", 18002))],
)
def test_host_and_port_are_those_of_the_arguments(monkeypatch, arguments, listens):
    seen = []
    for name in ("Settings", "create_app", "front_door", "set_up_logging", "FileClock"):
        monkeypatch.setattr(alone, name, lambda *_, **__: Anything())
    monkeypatch.setattr(alone.uvicorn, "run", lambda _, host, port, **__: seen.append((host, port)))
    monkeypatch.setattr(sys, "argv", ["events", *arguments])
    alone.main()
    assert seen == [listens]


class Anything:
    """Settings and applications whose content does not matter here."""

    log_level = "INFO"
    clock_file = None
    trusted_proxies = "127.0.0.1"
