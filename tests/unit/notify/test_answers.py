"""What a mail server's answer means, and how a mail is shown."""

from datetime import date

import pytest

from services.notify.answers import INVALID_ADDRESS, is_hard_bounce, meaning_of
from services.notify.preview import preview_of
from services.notify.samples import sample_deliveries
from services.notify.store.mail_log import Tally
from services.notify.suppression import address_hash, masked
from services.notify.web.pictures import HIGH, stacked
from tests.support.notify_builders import NOW, STARTS
from tests.support.notify_world import writer


@pytest.mark.parametrize(
    ("answer", "hard"),
    [
        ("550 5.1.1 No such user", True), ("550 no such user", True), ("553 5.1.3 bad syntax", True),
        ("550 5.2.1 Mailbox disabled", True), ("556 5.1.10 null MX", True), (INVALID_ADDRESS, True),
        ("550 5.7.1 blocked by policy", False), ("552 5.2.2 mailbox full", False), ("554 refused", False),
        ("550 Message rejected as SPAM", False), ("550 SPF check failed", False), ("553 listed on a blocklist", False),
       
        ("550 5.1.1 blocked: no such user", True), ("551 poor reputation", False), ("550 DMARC policy", False),
       
        ("550 no such user: policyholder@x", True),
        ("450 4.1.1 later", False), ("no connection: x", False), ("SMTPNotSupported: x", False), ("", False),
    ],
)  # fmt: skip
def test_only_what_the_server_says_of_the_address_is_a_hard_bounce(answer: str, hard: bool) -> None:
    assert is_hard_bounce(answer) is hard


@pytest.mark.parametrize(
    ("answer", "reason", "meaning"),
    [
        ("550 5.1.1 No such user", "refused", "address_unknown"), ("452 4.2.2 full", "", "mailbox_full"),
        ("550 DMARC", "refused", "not_wanted"), ("550 5.7.26 DMARC", "refused", "not_wanted"),
        ("552 5.3.4 too big", "refused", "too_large"),
        ("451 4.7.1 greylisted", "", "busy"), ("gave up: 451 later", "gave_up", "busy"),
        ("no connection: refused", "", "no_connection"), ("535 5.7.8 bad password", "", "our_access"),
        ("internal: KeyError", "", "our_fault"), ("", "gave_up", "too_late"), ("250 OK", "", "accepted"),
        ("550 5.1.1 x", "suppressed", "suppressed"), ("gibberish", "refused", "unclear"),
    ],
)  # fmt: skip
def test_an_answer_has_a_meaning(answer: str, reason: str, meaning: str) -> None:
    assert meaning_of(answer, reason) == meaning


def test_an_address_is_shortened_and_found_by_its_hash_whatever_its_case() -> None:
    assert masked("Tessa.Muster@Schule.example") == "te…@schule.example"
    assert (masked("abc@x.example"), masked("")) == ("a…@x.example", "")
    assert address_hash(" Tessa@schule.EXAMPLE ", "key") == address_hash("tessa@schule.example", "key")
    assert address_hash("tessa@schule.example", "key") != address_hash("tessa@schule.example", "another")


@pytest.mark.parametrize(
    "delivery", list(sample_deliveries("de", STARTS, NOW)), ids=lambda each: f"{each.kind}-{each.to.tag}"
)
def test_a_preview_keeps_its_looks_without_any_inline_style_and_loads_nothing(delivery) -> None:
    preview = preview_of(writer().content(delivery, NOW).html)
    assert ' style="' not in preview.html and "max-width:600px" in preview.html
    assert "unsafe" not in preview.policy and preview.policy.startswith("default-src 'none'; img-src 'none'")
    assert preview.policy.count("'sha256-") == preview.html.count("<style>") == 2


def test_a_picture_has_a_column_per_day_and_the_highest_fills_it() -> None:
    days = [date(2026, 11, 1), date(2026, 11, 2)]
    tallies = [Tally("2026-11-01", "sent", 3), Tally("2026-11-02", "sent", 5), Tally("2026-11-02", "refused", 1)]
    picture = stacked(days, tallies, ("sent", "deferred", "refused"))
    assert (picture.names, picture.highest) == (("sent", "refused"), 6)
    first, second = picture.columns
    assert (first.total, second.total) == (3, 6)
    assert sum(part.height for part in second.parts) == pytest.approx(HIGH, abs=0.2)
    assert second.parts[-1].y == pytest.approx(0, abs=0.2)
