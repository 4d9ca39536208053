"""The summary above a form names each field as its label does, in the order of the form."""

import re
from pathlib import Path
from types import SimpleNamespace

from shared.ui.error_summary import PLACE
from shared.web.pages import Pages

FORM = """{% import "macros.html" as forms with context %}{{ forms.error_summary(errors) }}
{{ forms.field("name", "Name", values, errors) }}{{ forms.field("pupils", "Wie viele?", values, errors) }}
{{ forms.choices("days", "Wochentage", [(1, "Mo")], values, errors) }}"""


def shown(folder: Path, **values: object) -> str:
    (folder / "form.html").write_text(FORM)
    url = SimpleNamespace(path="/", query="")
    request = SimpleNamespace(state=SimpleNamespace(), cookies={}, headers={}, url=url, method="GET")
    return Pages("events", folder, "Europe/Berlin").show(request, "form.html", **values).body.decode()  # type: ignore[arg-type]


def entries(html: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", entry) for entry in re.findall(r"<li>(.*?)</li>", html)]


def test_each_error_is_told_with_the_label_of_its_field_in_the_order_of_the_form(tmp_path: Path) -> None:
    errors = {
        "": "Der Termin ist vorbei.",
        "days": "Fehlt.",
        "elsewhere": "Unbekannt.",
        "pupils": "Zu viele.",
        "name": "Fehlt.",
    }
    assert entries(shown(tmp_path, errors=errors)) == [
        "Name: Fehlt.", "Wie viele? Zu viele.", "Wochentage: Fehlt.", "Der Termin ist vorbei.", "Unbekannt.",
    ]  # fmt: skip


def test_a_form_without_errors_has_no_summary(tmp_path: Path) -> None:
    html = shown(tmp_path)
    assert 'id="errors"' not in html and PLACE not in html


def test_what_people_type_cannot_take_the_place_of_the_summary(tmp_path: Path) -> None:
    html = shown(tmp_path, errors={"name": "Fehlt."}, values={"name": str(PLACE)})
    assert html.count('id="errors"') == 1 and "&lt;!-- errors --&gt;" in html
