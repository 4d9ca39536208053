"""Every rule of this service can be read in German."""

import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from services.events.domain.facts import OfferState
from services.events.usecases.tables.offers import STATES as OFFER_STATES
from shared.errors import RuleBroken
from shared.ui.language import translations

ROOT = Path(__file__).parents[3]
MODULES = ["domain.errors", "usecases.inputs", "usecases.paging", "usecases.slots"]
RULES = [
    rule
    for module in MODULES
    for rule in vars(import_module(f"services.events.{module}")).values()
    if isinstance(rule, type) and issubclass(rule, RuleBroken) and rule.__module__.startswith("services.events")
]


def placeholders(text: str) -> set[str]:
    return {name.replace("name_de", "name_en") for name in re.findall(r"{(\w+)}", text)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_german_sentence_with_the_same_facts(rule):
    german = translations("de").gettext(rule.template())
    assert german != rule.template()
    assert placeholders(german) == placeholders(rule.template())


def test_every_state_of_an_offer_has_a_word_in_its_list():
    english, german = (OFFER_STATES(language) for language in ("en", "de"))
    assert set(english) == set(german) == set(get_args(OfferState))
    assert all(english[state] != german[state] for state in english)


def test_every_heading_of_a_search_has_a_german_word():
    pages = sorted(ROOT.glob("services/*/web/search.py"))
    headings = {heading for page in pages for heading in re.findall(r'hits\("(.+?)"', page.read_text())}
    assert len(pages) == 3 and headings == {"Registrations", "Offers", "Dates", "Mails"}
    others = {
        "Schools",
        "Companies",
        "People",
        "School visits",
        "Campaigns",
    }
    assert headings | others <= set(translations("de")._catalog)
