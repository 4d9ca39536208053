"""The MIME structure of every mail, as it was agreed on: types, parameters, encodings, file names."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from services.notify.domain import Delivery
from tests.support.notify_builders import NOW
from tests.support.notify_letters import all_deliveries
from tests.support.notify_world import writer

GOLDEN = Path(__file__).with_name("structure.txt")


def test_every_mail_has_the_structure_that_was_agreed_on() -> None:
    write = writer()
    found = []
    for delivery in (each for language in ("de", "en") for each in all_deliveries(language)):
        mail = email.message_from_bytes(write.mail(delivery, NOW), policy=email.policy.default)
        found += [f"{delivery.kind} {delivery.to.tag} {delivery.to.language}{_method(delivery)}", *_tree(mail)]
    assert found == GOLDEN.read_text().splitlines()


def _method(delivery: Delivery) -> str:
    return f" {delivery.calendar.method}" if delivery.calendar else ""


def _tree(mail: EmailMessage, depth: int = 1) -> list[str]:
    """One line per part, indented by its depth."""
    parameters = {name: value for name, value in mail["Content-Type"].params.items() if name != "boundary"}
    told = [mail.get_content_type(), *(f"{name}={value}" for name, value in sorted(parameters.items()))]
    told += [str(mail[name]) for name in ("Content-Transfer-Encoding", "Content-Disposition") if mail[name]]
    lines = ["  " * depth + "; ".join(told)]
    for each in mail.iter_parts() if mail.is_multipart() else ():
        lines += _tree(each, depth + 1)  # type: ignore[arg-type]
    return lines
