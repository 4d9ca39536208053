"""Links by which teachers answer: in which mails they stand, for whom, and what nobody else sees of them."""

import pytest

from services.notify.domain import Delivery
from services.notify.rendering import SECRET
from services.notify.wording import Parts
from shared.answer_links import AnswerLinkUnknown, AsSeen
from tests.support.notify_builders import NOW
from tests.support.notify_letters import all_deliveries
from tests.support.notify_world import LINKS, writer

EVERY = [delivery for language in ("de", "en") for delivery in all_deliveries(language)]
CANNOT_COME = LINKS.address("cannot-come", AsSeen("reg1", 1, 1))


def of(*kinds: str, role: str = "teacher") -> list[Delivery]:
    return [each for each in EVERY if each.kind in kinds and each.to.role == role]


@pytest.mark.parametrize("delivery", of("slot_reminder", "reminder_digest"), ids=lambda d: f"{d.kind}-{d.to.language}")
def test_a_teachers_reminder_leads_to_the_page_on_which_to_cancel(delivery: Delivery) -> None:
    content = writer().content(delivery, NOW)
    assert CANNOT_COME in content.text and f'href="{CANNOT_COME}"' in content.html


def test_the_link_stays_when_the_coordinator_writes_own_words() -> None:
    own = Parts(before="Liebe Schule, {{ day }}, {{ time }}", after="Bis bald")
    for delivery in of("slot_reminder"):
        content = writer().content(delivery, NOW, wording=own)
        assert CANNOT_COME in content.text and f'href="{CANNOT_COME}"' in content.html


def test_nobody_but_the_teacher_gets_such_a_link() -> None:
    for delivery in EVERY:
        if delivery.to.role != "teacher":
            content = writer().content(delivery, NOW)
            assert "/events/cannot-come/" not in content.text + content.html, (delivery.kind, delivery.to.role)


def test_the_mail_log_shows_no_such_link() -> None:
    for delivery in of("slot_reminder", "reminder_digest"):
        content = writer().content(delivery, NOW, secrets=False)
        assert CANNOT_COME not in content.text + content.html and SECRET in content.text


def test_a_token_is_good_for_its_own_action_alone() -> None:
    seen = AsSeen("reg1", 3, 2)
    token = LINKS.token("cannot-come", seen)
    assert LINKS.read("cannot-come", token) == seen
    for action, text in (("confirm-again", token), ("cannot-come", token + "x"), ("cannot-come", "")):
        with pytest.raises(AnswerLinkUnknown):
            LINKS.read(action, text)  # type: ignore[arg-type]
