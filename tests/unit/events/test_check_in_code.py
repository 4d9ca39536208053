"""The code in a group's QR picture."""

import string

from services.events.domain.check_in import check_in_code, is_check_in_code

KEY = "a secret of this installation"
LETTERS = set(string.ascii_uppercase + "234567")


def test_the_code_is_sixteen_characters_that_can_be_read_aloud() -> None:
    code = check_in_code("one", KEY)
    assert len(code) == 16
    assert set(code) <= LETTERS


def test_the_same_registration_has_the_same_code_every_time() -> None:
    assert check_in_code("one", KEY) == check_in_code("one", KEY)


def test_another_registration_or_another_key_has_another_code() -> None:
    assert len({check_in_code("one", KEY), check_in_code("two", KEY), check_in_code("one", KEY + "!")}) == 3


def test_only_the_registrations_own_code_is_accepted_in_small_letters_too() -> None:
    code = check_in_code("one", KEY)
    assert is_check_in_code(code, "one", KEY)
    assert is_check_in_code(code.lower(), "one", KEY)
    assert not is_check_in_code(code, "two", KEY)
    assert not is_check_in_code("", "one", KEY)
    assert not is_check_in_code("ä" * 16, "one", KEY)
