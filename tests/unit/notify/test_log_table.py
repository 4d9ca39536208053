"""The mail log as a table has a word for every kind of mail, for everybody who gets one and for every state."""

from typing import get_args

import pytest

from services.notify.domain import STATES, Role
from services.notify.mails import KINDS
from services.notify.usecases import tables


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_kind_role_and_state_has_a_word_of_its_own(language) -> None:
    for labels, codes in ((tables.KINDS, KINDS), (tables.ROLES, get_args(Role)), (tables.STATES, STATES)):
        words = labels(language)
        assert set(words) == set(codes)
        assert len(set(words.values())) == len(words)


def test_the_words_are_translated() -> None:
    for labels in (tables.KINDS, tables.ROLES, tables.STATES):
        german, english = labels("de"), labels("en")
        assert [code for code in german if german[code] == english[code] and code != "person"] == []
