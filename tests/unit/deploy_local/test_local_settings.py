"""What the embedded start reads from the environment, and how far the clock is asked to go."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.clock_moves import parse_span, span_until
from deploy.local.errors import CannotStart
from deploy.local.settings import read_settings


def test_without_any_setting_the_defaults_hold() -> None:
    settings = read_settings({})
    assert (settings.port, settings.mailbox_port, settings.mongodb_url) == (8000, 8025, None)
    assert settings.data_dir == Path.cwd() / ".data"


def test_an_empty_setting_counts_as_absent() -> None:
    assert read_settings({"PORT": " ", "NATS_URL": ""}) == read_settings({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eight"),
        ("PORT", "-1"),
        ("MAILBOX_PORT", "65536"),
        ("MAILBOX_PORT", "²"),
        ("MONGODB_URL", "127.0.0.1:27017"),
        ("NATS_URL", "http://127.0.0.1"),
        ("PUBLIC_URL", "perspektive.example"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(CannotStart, match=f"^{name} must be"):
        read_settings({name: value})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_a_relay_on_this_machine_may_be_named(host: str) -> None:
    assert read_settings({"SMTP_URL": f"smtp://{host}:2525"}).smtp_url == f"smtp://{host}:2525"


def test_a_relay_elsewhere_is_refused_unless_it_is_allowed() -> None:
    relay = {"SMTP_URL": "smtp://mail.agency.example:587"}
    with pytest.raises(CannotStart, match="ALLOW_REAL_MAIL=yes"):
        read_settings(relay)
    assert read_settings({**relay, "ALLOW_REAL_MAIL": "yes"}).smtp_url == relay["SMTP_URL"]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("14 days", timedelta(days=14)),
        ("1209600 seconds", timedelta(days=14)),
        ("1 day 3 hours", timedelta(days=1, hours=3)),
        ("2 Weeks, 5 minutes and 1 second", timedelta(weeks=2, minutes=5, seconds=1)),
    ],
)
def test_a_span_is_read_as_people_write_it(text: str, span: timedelta) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "days", "14", "-1 day", "1 day later", "1 dayshours"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time"):
        parse_span(text)


def test_a_moment_is_the_regions_wall_time() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert span_until("2026-07-01T16:00", now, "Europe/Berlin") == timedelta(hours=2)
    assert span_until("2026-12-01T16:00", now, "Europe/Berlin") == timedelta(days=153, hours=3)


def test_a_moment_that_is_past_is_refused() -> None:
    with pytest.raises(ValueError, match="moves forward only"):
        span_until("2026-07-01T13:59", datetime(2026, 7, 1, 12, tzinfo=UTC), "Europe/Berlin")
