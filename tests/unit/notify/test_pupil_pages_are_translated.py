"""Every text for pupils, parents and teachers is there in German, and consents keep to their wording."""

import hashlib
from pathlib import Path

import pytest
from jinja2 import Environment

from services.notify import consent
from shared.errors import RuleBroken
from shared.ui.language import translate, translations

TEMPLATES = sorted((Path(__file__).parents[3] / "services/notify/templates").glob("*.html"))
RULES = [each for each in vars(consent).values() if isinstance(each, type) and issubclass(each, RuleBroken)]
OWN_RULES = [each for each in RULES if each.__module__ == consent.__name__]
TEXTS = (consent.PARENT_QUESTION, consent.PUPIL_STATEMENT)
WORDINGS = {"2026-11": "7ebd9d721d560a55"}


def untranslated(template: str) -> list[str]:
    """The texts of a template without a German one."""
    known = set(getattr(translations("de"), "_catalog", {}))
    found = []
    for _, function, texts in Environment(extensions=["jinja2.ext.i18n"]).extract_translations(template):
        first = texts[0] if isinstance(texts, tuple) else texts
        if ((first, 0) if function == "ngettext" else first) not in known:
            found.append(str(first))
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_text_of_the_template_is_there_in_german(path: Path) -> None:
    assert untranslated(path.read_text()) == []


@pytest.mark.parametrize("rule", OWN_RULES, ids=lambda rule: rule.__name__)
def test_every_rule_about_pupils_is_told_in_german(rule: type[RuleBroken]) -> None:
    assert translate(rule.template(), "de") != rule.template()


def test_whoever_changes_what_people_consent_to_gives_it_a_new_wording() -> None:
    both = "\n".join(translate(text, language) for text in TEXTS for language in ("en", "de"))
    assert hashlib.sha256(both.encode()).hexdigest()[:16] == WORDINGS[consent.WORDING]
    assert all("{first_name}" in translate(consent.PARENT_QUESTION, language) for language in ("en", "de"))
