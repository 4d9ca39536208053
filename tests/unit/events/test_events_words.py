"""Every rule of this service can be read in German."""

import re
from importlib import import_module

import pytest

from shared.errors import RuleBroken
from shared.ui.language import translations

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
