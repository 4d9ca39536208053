"""What the coordinator's own words may say, what is refused with its line, and how a mail looks with them."""

import pytest

from services.notify import wording
from services.notify.domain import Delivery
from services.notify.wording import FIXED, Parts, faults_of, key_of
from services.notify.wording_fields import REQUIRED, fields_of
from shared.errors import RuleBroken
from shared.ui.language import translate
from tests.support.notify_builders import NOW
from tests.support.notify_letters import all_deliveries
from tests.support.notify_world import writer

CHANGEABLE = [d for language in ("de", "en") for d in all_deliveries(language) if d.kind not in FIXED]
WRITER = writer()
RULES = [each for each in vars(wording).values() if isinstance(each, type) and issubclass(each, RuleBroken)]


def name(delivery: Delivery) -> str:
    return f"{delivery.kind}-{delivery.to.tag}-{delivery.to.language}"


def one(kind: str, role: str = "teacher", language: str = "de") -> Delivery:
    return next(d for d in CHANGEABLE if (d.kind, d.to.role, d.to.language) == (kind, role, language))


def faults(delivery: Delivery, **parts: str) -> dict[str, str]:
    found = faults_of(delivery.kind, Parts(**parts), [(delivery.to, WRITER.values(delivery, NOW))])
    return {part: str(fault) for part, fault in found.items()}


@pytest.mark.parametrize("delivery", CHANGEABLE, ids=name)
def test_what_was_not_changed_is_the_standard_mail(delivery: Delivery) -> None:
    standard = WRITER.content(delivery, NOW)
    with_heading = WRITER.content(delivery, NOW, wording=Parts(heading="Neu"))
    assert (with_heading.subject, with_heading.text) == (standard.subject, standard.text)
    assert ">Neu</h1>" in with_heading.html


@pytest.mark.parametrize("delivery", CHANGEABLE, ids=name)
def test_facts_link_and_calendar_note_stay_whatever_was_written(delivery: Delivery) -> None:
    standard = WRITER.content(delivery, NOW)
    own = WRITER.content(delivery, NOW, wording=Parts("S", "H", "Vorher & <b>fett</b>", "Nachher"))
    link = next(line for line in standard.text.splitlines() if line.startswith("https://"))
    assert link in own.text and own.text.index("Vorher") < own.text.index("Nachher") < own.text.rindex(link)
    assert "Vorher &amp; &lt;b&gt;fett&lt;/b&gt;" in own.html and own.subject == "S"
    facts = [line for line in standard.text.splitlines() if line.startswith(("Wann: ", "When: ", "Wo: ", "Where: "))]
    assert all(line in own.text for line in facts)
    if delivery.calendar:
        note = "Kalender" if delivery.to.language == "de" else "calendar"
        assert note in own.text.split("Nachher")[1] and note in own.html.split("Nachher")[1]


@pytest.mark.parametrize("delivery", CHANGEABLE, ids=name)
def test_every_field_can_be_named_and_the_standard_words_can_be_saved(delivery: Delivery) -> None:
    every = "\n".join(f"{{{{ {field} }}}}" for field in fields_of(delivery.kind, delivery.to.role))
    carrier, _ = REQUIRED.get(delivery.kind, ("before", ()))
    assert faults(delivery, **{carrier: every}) == {}
    start = WRITER.standard_parts(delivery, NOW)
    assert "\x03" not in str(start)
    if delivery.kind not in ("registration_cancelled", "offer_changed"):  # theirs differ from case to case
        assert faults(delivery, **{part: getattr(start, part) for part in wording.PARTS}) == {}


@pytest.mark.parametrize("delivery", CHANGEABLE, ids=name)
def test_what_a_reader_needs_stands_in_the_part_that_is_asked_for_it(delivery: Delivery) -> None:
    carrier, names = REQUIRED.get(delivery.kind, ("before", ()))
    start = getattr(WRITER.standard_parts(delivery, NOW), carrier)
    by_case = {"cancelled_by", "changed"}
    known = fields_of(delivery.kind, delivery.to.role)
    assert [n for n in names if n in known and n not in by_case and f"{{{{ {n} }}}}" not in start] == []
    if names:
        assert list(faults(delivery, **{carrier: "Ohne."})) == [carrier]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Gut\n{{ scool }}", "Line 2: this mail has no field “scool”"),
        ("{{ group }", "Line 1: this cannot be read"),
        ("a\nb\n{% if group %}", "Line 3: this cannot be read"),
        ("{% for x in group %}{{ x }}{% endfor %}", "Line 1: only fields"),
        ("\n{{ group.__class__ }}", "Line 2: only fields"),
        ("{{ group|upper }}", "Line 1: only fields"),
        ("{{ group * 1000000 }}", "Line 1: only fields"),
        ("{{ range(9) }}", "Line 1: only fields"),
        ("{% set a = 1 %}", "Line 1: only fields"),
        ('{% include "common/layout.html" %}', "Line 1: only fields"),
        ("{% if group < 3 %}x{% endif %}", "Line 1: only fields"),
        ("{{ " + "(" * 900 + "group" + ")" * 900 + " }}", "Line 1: only fields"),
        ("{% if group %}" * 40 + "x" + "{% endif %}" * 40, "Line 1: only fields"),
        ("{% if company == 'x' %}nie{% endif %}", "This stays empty in some cases"),
        ("x" * 2001, "This is longer than 2000 characters."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_line(text: str, reason: str) -> None:
    assert faults(one("registration_confirmed"), before=text)["before"].startswith(reason)


def test_a_subject_is_one_line_and_never_names_a_pupil() -> None:
    assert "one line" in faults(one("registration_confirmed"), subject="a\nb")["subject"]
    assert "first_name" in faults(one("pupil_reminder", "pupil"), subject="{{ first_name }}")["subject"]
    assert faults(one("pupil_reminder", "pupil"), before="{{ first_name }}") == {}


def test_a_text_that_is_empty_without_a_reason_is_refused_and_one_under_a_condition_is_not() -> None:
    declined = one("registration_declined")
    assert list(faults(declined, before="{{ reason }}")) == ["before"]
    assert faults(declined, before="Leider nein.{% if reason %} Grund: {{ reason }}{% endif %}") == {}


def test_what_is_consented_to_and_what_lets_in_is_nobodys_to_change() -> None:
    fixed = {d.kind for d in all_deliveries("de") if key_of(d) is None}
    consents = {"parent_question", "pupil_confirmation"}
    ours = {"sign_in", "invitation", "address_suppressed", "webhook_paused", "reminder_digest", "contact_changed"}
    assert fixed == ours | consents | {"visit_team_smaller"}, "it must name who does not come"


@pytest.mark.parametrize("rule", [r for r in RULES if r.__module__ == wording.__name__], ids=lambda r: r.__name__)
def test_every_refusal_is_told_in_german(rule: type[RuleBroken]) -> None:
    assert translate(rule.template(), "de") != rule.template()


def test_every_field_is_explained_in_german() -> None:
    meanings = {f.meaning for d in CHANGEABLE for f in fields_of(d.kind, d.to.role).values()}
    assert [text for text in meanings if translate(text, "de") == text] == []
