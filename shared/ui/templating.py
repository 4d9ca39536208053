"""Templates in one language: what stands in them is translated once, when they are compiled."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from shared.ui import language as words

FILTERS = ("day", "clock_time", "day_and_time", "time_span", "weekday", "month", "short_day", "timestamp")


def environment(folders: Sequence[Path], code: str, zone: str) -> Environment:
    """One for each language: Jinja's overlays share their globals, and with them the translations. Moments are shown in
    the wall time of `zone`."""
    made = _InOneLanguage(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words.translations(code), newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"_": _translator(code), "ngettext": _counter(code)}
    for name in FILTERS:
        made.filters[name] = _with_language(getattr(words, name), code, ZoneInfo(zone))
    return made


class _InOneLanguage(Environment):
    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:
        """The hook that Jinja has for this: what it makes Python of is the translated template."""
        return super()._generate(_Translation(self.globals["_"]).visit(source), *args, **named)


class _Translation(NodeTransformer):
    """Puts the translated text where `_("text")` stands, so that a page with 120 rows does not look it up 600 times."""

    def __init__(self, translated: Callable[[str], Markup]) -> None:
        self._translated = translated

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        """A call of `_` with nothing but a text becomes the text; what else is called stays."""
        self.generic_visit(node)
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], kwargs=[]):
                return nodes.TemplateData(str(self._translated(text)), lineno=node.lineno)
        return node


def _translator(code: str) -> Callable[[str], Markup]:
    """What `_` is in a template: Jinja's own looks up, wraps and formats a text afresh at each use."""

    @words.remembered
    def translated(text: str) -> Markup:
        return Markup(words.translations(code).gettext(text)) % {}

    return translated


def _counter(code: str) -> Callable[..., Markup]:
    """What `ngettext` is in a template. A text with more values than its number is not kept: what is put in is escaped
    or not by its type, which makes no difference to what is remembered."""

    @words.remembered
    def counted(one: str, many: str, num: int) -> Markup:
        return Markup(words.translations(code).ngettext(one, many, num)) % {"num": num}

    def with_values(one: str, many: str, num: int, **values: object) -> Markup:
        if not values:
            return counted(one, many, num)
        return Markup(words.translations(code).ngettext(one, many, num)) % {"num": num, **values}

    return with_values


def _with_language(formatter: Any, code: str, zone: ZoneInfo) -> Any:
    return lambda *values: formatter(*(_wall(value, zone) for value in values), code)


def _wall(value: date, zone: ZoneInfo) -> date:
    """A moment as its wall time; a wall date or time as it is."""
    return value.astimezone(zone).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value
