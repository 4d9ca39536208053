"""Texts that the operator answers for: own Markdown files or the default ones, with fields from the settings."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from services.outreach.settings import Settings

DEFAULTS = Path(__file__).parent.parent / "templates" / "texts"
NAMES = ("imprint", "privacy", "accessibility")
FIELDS = (
    "operator_name", "operator_address", "operator_email", "operator_phone", "operator_represented_by",
    "data_protection_officer", "supervisory_authority", "accessibility_checked",
)  # fmt: skip
LATER = {"de": "wird noch ergänzt", "en": "to be completed"}


@dataclass(frozen=True)
class Text:
    """A text ready to show, and the settings (as environment variables) that it needs and that are empty."""

    html: Markup
    missing: tuple[str, ...]


def text(settings: Settings, name: str, language: str) -> Text:
    """The text `name` in `language`: from the operator's folder when it is there, else the default one."""
    own = settings.texts_dir / f"{name}.{language}.md" if settings.texts_dir else None
    path = own if own and own.is_file() else DEFAULTS / f"{name}.{language}.md"
    html, missing = _rendered(path), []
    for field in FIELDS:
        placeholder = f"{{{field.upper()}}}"
        if placeholder in html:
            value = getattr(settings, field)
            html = html.replace(placeholder, _value(field, value, language))
            missing += [] if value else [field.upper()]
    return Text(Markup(html), tuple(missing))  # Markdown without HTML, and the values are escaped


def _value(field: str, value: str, language: str) -> str:
    if not value:
        return f"<em>[{LATER[language]}]</em>"
    if field == "operator_email":
        return f'<a href="mailto:{escape(value)}">{escape(value)}</a>'
    lines = value.split(",") if field == "operator_address" else [value]
    return "<br>".join(str(escape(line.strip())) for line in lines)


@cache
def _rendered(path: Path) -> str:
    """The file as HTML; what it holds of HTML itself is shown as text. Read once: a new text needs a restart."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text(encoding="utf-8"))
