"""Templates in one language: what stands in them is translated once, when they are compiled."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from string import Formatter
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.runtime import Context, Macro
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


class _Context(Context):
    """Calls what takes no part of the context at once: Jinja's own `call` looks at each of a page's thousand calls for
    that in a way that takes a fourth of the time in which the page is written."""

    def call(self, called: Any, /, *args: Any, **named: Any) -> Any:
        """What `called` gives."""
        kind = type(called)
        if kind is Macro:
            args = (self.eval_ctx, *args)
        elif kind not in _FUNCTIONS or hasattr(called, "jinja_pass_arg"):
            return super().call(called, *args, **named)
        named.pop("_loop_vars", None)
        named.pop("_block_vars", None)
        return called(*args, **named)


_FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType, type(words.remembered(len)))


class _InOneLanguage(Environment):
    context_class = _Context

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tables: list[dict[Any, Any]] = []

    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:
        """The hook that Jinja has for this: what it makes Python of is the translated template."""
        return super()._generate(_Translation(self).visit(source), *args, **named)


class _Translation(NodeTransformer):
    """Puts the translated text where `_("text")` stands, so that a page with 120 rows does not look it up 600 times;
    a dictionary of such texts is made once and kept in the environment's `tables`."""

    def __init__(self, environment: _InOneLanguage) -> None:
        self._translated: Callable[[str], Markup] = environment.globals["_"]
        self._tables = environment.tables
        self._context = nodes.EvalContext(environment)

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:
        """A call of `_` with nothing but a text becomes the text; what else is called stays."""
        self.generic_visit(node)
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], kwargs=[]):
                return nodes.TemplateData(str(self._translated(text)), lineno=node.lineno)
        return node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:
        """What is the same each time is made once."""
        self.generic_visit(node)
        try:
            table = node.as_const(self._context)
        except nodes.Impossible:
            return node
        self._tables.append(table)
        kept = nodes.EnvironmentAttribute("tables", lineno=node.lineno)
        return nodes.Getitem(kept, nodes.Const(len(self._tables) - 1), "load", lineno=node.lineno)

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        """A text whose `{places}` are filled is written piece by piece, without being put together first."""
        self.generic_visit(node)
        node.nodes = [piece for each in node.nodes for piece in _pieces(each)]
        return node


def _pieces(node: nodes.Expr) -> list[nodes.Expr]:
    """`_("Class {name}").format(name=group.name)`, translated, as its text and its values in turn."""
    match node:
        case nodes.Call(
            node=nodes.Getattr(node=nodes.TemplateData(data=text), attr="format"), args=[], kwargs=named,
            dyn_args=None, dyn_kwargs=None,
        ):  # fmt: skip
            values = {each.key: each.value for each in named}
            parts = list(Formatter().parse(text))
            if all(name is None or (name in values and not form and not how) for _, name, form, how in parts):
                return [
                    piece
                    for before, name, _, _ in parts
                    for piece in (
                        nodes.TemplateData(before, lineno=node.lineno),
                        *([values[name]] if name is not None else []),
                    )
                ]
    return [node]


def _translator(code: str) -> Callable[[str], Markup]:
    """What `_` is in a template: Jinja's own looks up, wraps and formats a text afresh at each use."""

    @words.remembered
    def translated(text: str) -> Markup:
        return Markup(words.translations(code).gettext(text)) % {}

    return translated


def _counter(code: str) -> Callable[..., Markup]:
    """What `ngettext` is in a template. What is put in is escaped or not by its type, so texts are remembered by it."""

    @lru_cache(maxsize=4096, typed=True)
    def counted(one: str, many: str, num: int, **values: object) -> Markup:
        return Markup(words.translations(code).ngettext(one, many, num)) % {"num": num, **values}

    return counted


def _with_language(formatter: Any, code: str, zone: ZoneInfo) -> Any:
    if formatter is words.time_span:
        return lambda start, end: formatter(_wall(start, zone), _wall(end, zone), code)
    return lambda value: formatter(_wall(value, zone), code)


def _wall(value: date, zone: ZoneInfo) -> date:
    """A moment as its wall time; a wall date or time as it is."""
    return value.astimezone(zone).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value
