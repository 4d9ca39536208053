"""The menu offers what a person may open, and nothing else."""

import pytest

from shared.identity import Identity
from shared.schemas.outreach import Role
from shared.ui.menu import HOMES, home_of, menu
from tests.integration.authorisation.rules import RULES
from tests.support.estate import NOBODY

KINDS = sorted(HOMES)


@pytest.mark.parametrize("kind", [*KINDS, NOBODY])
def test_every_entry_of_the_menu_opens(kind: str) -> None:
    person = None if kind == NOBODY else Identity("id", "person", "Name", (Role(kind=kind, organisation_id="own"),))
    addresses = menu(person, "de").addresses
    assert len(addresses) == len(set(addresses))
    closed = [address for address in addresses if kind not in RULES.get(("GET", address), ())]
    assert closed == []


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_begins_at_a_page_of_their_own(kind: str) -> None:
    assert kind in RULES[("GET", home_of([Role(kind=kind, organisation_id="own")]))]


def test_the_texts_of_the_menu_are_there_in_german() -> None:
    for kind in KINDS:
        person = Identity("id", "person", "Name", (Role(kind=kind, organisation_id="own"),))
        english, german = menu(person, "en"), menu(person, "de")
        same = {text for _, text in english.main} & {text for _, text in german.main}
        assert same <= {"Home", "Import", "Feedback"}, same
        assert not set(english.more) & set(german.more) - {"Mails"}
