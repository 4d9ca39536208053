"""Which mails were sent is said in the log, and read back from it."""

import json
import logging

import pytest

from services.notify.store.sent_log import Sent, say_sent, sent_in

KEY = "registration_confirmed:17:1:teacher"


def as_line(text: str) -> str:
    return json.dumps({"time": "2026-12-01T08:00:00.000+00:00", "level": "info", "text": text})


def test_what_was_said_is_read_back_among_other_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        say_sent(KEY)
    line = as_line(caplog.messages[0])
    lines = [f"Dez 01 08:00:00 host perspektive[17]: {line}", as_line("something else"), line[:-9], "", "[]", "{}"]
    (found,) = sent_in(lines)
    assert isinstance(found, Sent)
    assert (found.key, found.at.isoformat()) == (KEY, "2026-12-01T08:00:00+00:00")
