"""Every text of a page or an error has its German words."""

import importlib
import re
from pathlib import Path

import pytest
from jinja2 import Environment

from shared import errors
from shared.errors import RuleBroken
from shared.ui.language import translations
from shared.web.problems import REASONS

ROOT = Path(errors.__file__).parents[1]
PARTS = ("shared", "services/outreach")
PLACEHOLDER = re.compile(r"{(\w+)}")


def texts_of_templates(part):
    environment = Environment(extensions=["jinja2.ext.i18n"])
    for template in sorted((ROOT / part).rglob("templates/*.html")):
        for _, _, text in environment.extract_translations(template.read_text()):
            yield text[0] if isinstance(text, tuple) else text


def texts_of_errors(part):
    for path in sorted((ROOT / part).rglob("*.py")):
        if path.name != "__main__.py":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    waiting = [RuleBroken]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error.__module__.startswith(part.replace("/", ".")):
            yield error.template()


@pytest.mark.parametrize("part", PARTS)
def test_every_text_is_there_in_german_with_the_same_placeholders(part):
    german = translations("de")
    texts = {*texts_of_templates(part), *texts_of_errors(part), *(REASONS.values() if part == "shared" else ())}
    assert len(texts) > 40
    assert not [text for text in texts if not {text, (text, 0)} & german._catalog.keys()]
    for text in texts:
        wanted = {re.sub("_en$", "_de", name) for name in PLACEHOLDER.findall(text)}
        assert set(PLACEHOLDER.findall(german.gettext(text))) == wanted, text
