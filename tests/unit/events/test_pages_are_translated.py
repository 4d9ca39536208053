"""Every text of the pages is there in German."""

from pathlib import Path

import pytest
from jinja2 import Environment

from shared.ui.language import translations

ROOT = Path(__file__).parents[3]
TEMPLATES = [*(ROOT / "services/events/templates").glob("*.html"), *(ROOT / "shared/ui/templates").glob("*.html")]


def untranslated(template: str) -> list[str]:
    """The texts of a template without a German one (a text may be the same in both)."""
    german = translations("de")
    environment = Environment(extensions=["jinja2.ext.i18n"])
    found = []
    for _, function, texts in environment.extract_translations(template):
        known = set(getattr(german, "_catalog", {}))
        first = texts[0] if isinstance(texts, tuple) else texts
        key = (first, 0) if function == "ngettext" else first
        if key not in known:
            found.append(str(first))
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_text_of_the_template_is_there_in_german(path: Path) -> None:
    assert untranslated(path.read_text()) == []


def test_a_text_without_a_translation_is_found() -> None:
    assert untranslated('{{ _("Nobody has translated this") }}') == ["Nobody has translated this"]
    assert untranslated('{{ ngettext("%(num)s unknown", "%(num)s unknowns", 2) }}') == ["%(num)s unknown"]
