"""Both languages side by side in one process."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from shared.ui.language import clock_time, short_day
from shared.ui.templating import environment
from shared.web.pages import Pages


def shown(pages: Pages, language: str, **values: object) -> str:
    url = SimpleNamespace(path="/", query="")
    cookies = {"perspektive_language": language}
    request = SimpleNamespace(state=SimpleNamespace(), cookies=cookies, headers={}, url=url, method="GET")
    return pages.show(request, "error.html", **{"sentence": "", **values}).body.decode()


def test_each_language_has_its_own_words():
    pages = Pages("events", Path(__file__).parent, "Europe/Berlin")
    assert "Das hat nicht geklappt" in shown(pages, "de")
    assert "That did not work" in shown(pages, "en")


def test_no_page_takes_the_names_of_the_frame_around_it():
    pages = Pages("events", Path(__file__).parent, "Europe/Berlin")
    with pytest.raises(ValueError, match="home_page"):
        shown(pages, "de", home_page="a page's own value, which would become the link of the brand")


def in_german(template: str, **values: object) -> str:
    return environment([], "de", "Europe/Berlin").from_string(template).render(**values)


def test_texts_are_translated_wherever_they_stand_in_a_template():
    assert in_german('{{ _("Home") }}, {% set it = _("Home") if yes else "" %}{{ it }}', yes=True) == "Start, Start"
    assert in_german("{{ _(text) }}", text="Home") == "Start"


def test_what_is_put_into_a_text_is_escaped_also_when_the_same_went_in_before_unescaped():
    template = '{{ _("{name} x").format(name=name) }}, {{ ngettext("%(name)s y", "", 1, name=name) }}'
    made = environment([], "de", "Europe/Berlin").from_string(template)
    for put_in, seen in ((Markup("<b>"), "<b>"), ("<b>", "&lt;b&gt;"), (Markup("<b>"), "<b>")):
        assert made.render(name=put_in) == f"{seen} x, {seen} y"


AS_JINJA_WRITES_IT = [
    '{{ _("{a} and {b}").format(a=text, b=safe) }}',
    '{{ _("{a} and {a}").format(a=number) }}{{ _("{a}").format(a=none) }}',
    '{{ _("{a} < {{b}}").format(a=text) }}',
    '{{ _("{a} x").format(a=text)|upper }} {{ _("{a} x").format(a=text) ~ text }}',
    '{{ _("{a!r} {b:>9}").format(a=text, b=number) }} {{ _("{} x").format(text) }}',
    '{{ _("{a[b]} {c.real}").format(a=facts, c=number) }}',
    '{{ _("{a}").format(**facts) }}',
    '{% macro m(it, more="") %}<i>{{ it }}{{ more }}{{ caller() if caller is defined else "" }}</i>{% endmacro %}'
    "{{ m(text) }}{{ m(it=safe, more=number) }}{% call m(number) %}{{ text }}{% endcall %}",
    "{% for it in facts.values() %}{{ it.upper() }}{{ loop.index }}{{ loop.cycle('<', 'b') }}{% endfor %}",
    '{{ {"b": _("<b>{x}"), "n": 1, "t": "<i>"}[name] }}{{ {"b": text}[name] }}{{ {"b": ["<"]}.get(name) }}',
    '{% for name in ("n", "t", "b") %}{{ {"b": _("x"), "n": 1, "t": "<i>"}.get(name, "") }}{% endfor %}',
    "{% set all = namespace(n=1) %}{% set all.n = all.n + number %}{{ all.n }}{{ range(3)|join(text) }}",
    "{{ dict(a=text) }}",
]


@pytest.mark.parametrize("template", AS_JINJA_WRITES_IT)
def test_what_makes_pages_fast_changes_nothing_of_them(template: str):
    values = {
        "text": "<a> & 'b'", "safe": Markup("<b>"), "number": 7, "none": None, "name": "b",
        "facts": {"a": "<x>", "b": "y"},
    }  # fmt: skip
    plain = Environment(autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"])
    plain.install_null_translations(newstyle=False)  # type: ignore[attr-defined]
    plain.globals["_"] = Markup
    ours = environment([], "en", "Europe/Berlin").from_string(template)
    assert [ours.render(**values) for _ in range(2)] == [plain.from_string(template).render(**values)] * 2


def test_a_text_that_lacks_a_value_is_an_error_and_no_empty_place():
    with pytest.raises(KeyError):
        in_german('{{ _("{name} x").format(nam="a") }}')


def test_a_number_chooses_its_words():
    counted = '{{ ngettext("%(num)s pupil", "%(num)s pupils", count) }}'
    made = environment([], "en", "Europe/Berlin").from_string(counted)
    assert [made.render(count=count) for count in (1, 2, 1)] == ["1 pupil", "2 pupils", "1 pupil"]


def test_a_moment_is_shown_as_the_clock_of_its_own_zone_shows_it():
    berlin = datetime(2026, 12, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    for moment, shown in ((berlin, "01.12.2026 0:30 Uhr"), (berlin.astimezone(UTC), "30.11.2026 23:30 Uhr")):
        assert f"{short_day(moment, 'de')} {clock_time(moment, 'de')}" == shown


def test_moments_are_shown_in_the_regions_wall_time_and_wall_times_as_they_are():
    late = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert in_german("{{ at|short_day }} {{ at|clock_time }}", at=late) == "02.07.2026 0:30 Uhr"
    assert in_german("{{ at|day_and_time }}", at=late.replace(tzinfo=None)).endswith("1. Juli 2026, 22:30 Uhr")
