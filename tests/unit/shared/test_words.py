"""Words to search by, and the short number of a registration."""

import re

import pytest

from shared.ids import derived_id, registration_number
from shared.words import beginning_with, search_words, typed_words


def test_words_have_no_accents_and_no_capitals():
    assert search_words("Städtische Realschule Lüdenscheid", "Straße") == [
        "ludenscheid", "realschule", "stadtische", "strasse",
    ]  # fmt: skip


def test_a_mail_address_is_found_whole_and_in_its_parts():
    found = search_words("Tessa.Muster@schule.example")
    assert {"tessa.muster@schule.example", "tessa", "muster", "schule"} <= set(found)


def test_what_is_typed_is_folded_the_longest_word_first_and_an_address_stays_whole():
    assert typed_words(" 8a  Müster tessa@SCHULE.example ") == ["tessa@schule.example", "muster", "8a"]
    assert typed_words("K7M2-9QX4") == ["9qx4", "k7m2"]
    assert typed_words(" -- ") == [] and len(typed_words("a b c d e f g h i j k")) == 8


@pytest.mark.parametrize("typed", [".*", "a$", "(((", "[x", "\\"])
def test_nothing_typed_becomes_a_pattern(typed: str):
    for condition in beginning_with(["muster" + typed])["$and"]:
        assert re.match(condition["words"]["$regex"], "muster" + typed)
        assert not re.match(condition["words"]["$regex"], "musterxyz")


def test_the_number_follows_from_the_id_and_has_no_letters_that_look_alike():
    id = derived_id("request", "registration")
    number = registration_number(id)
    assert number == registration_number(id) and len(number) == 9 and number[4] == "-"
    numbers = {registration_number(derived_id(n)) for n in range(2000)}
    assert len(numbers) == 2000 and not set("".join(numbers)) & set("ILOU")
