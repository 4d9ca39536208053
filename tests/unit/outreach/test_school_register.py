import json
import tracemalloc
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.outreach.school_register import (
    OperatingStatus,
    RegisterTooLarge,
    RegisterUnreadable,
    School,
    difference,
    parse_register,
)
from shared import region

DATA = Path(region.__file__).parent / "data"
REGISTER = (DATA / "schuldaten.csv").read_bytes()
PUPILS = (DATA / "schuelerzahlen.csv").read_bytes()
SEP, HEADER, FIRST, SECOND = REGISTER.split(b"\n")[:4]
COLUMNS = HEADER.decode().rstrip(";").split(";")
COARSE_POSTAL_CODES = {"59755", "59757", "59823"}


@pytest.fixture(scope="module")
def parsed():
    return parse_register(REGISTER, PUPILS)


def by_id(parsed):
    return {school.id: school for school in parsed.schools}


def file_of(*lines: bytes, end: bytes = b"\n") -> bytes:
    return end.join([SEP, HEADER, *lines]) + end


def line_with(base: bytes = FIRST, **values: str) -> bytes:
    cells = dict(zip(COLUMNS, base.decode().strip('"').split('";"'), strict=True))
    assert values.keys() <= cells.keys()
    return ";".join(f'"{cell}"' for cell in (cells | values).values()).encode()


def test_the_packaged_file_has_482_schools_and_18_offices(parsed):
    assert (len(parsed.schools), len(parsed.set_aside), parsed.errors) == (482, 18, ())


def test_a_school_is_read_with_all_its_facts(parsed):
    school = by_id(parsed)["100022"]
    assert school == School(
        id="100022",
        name="Sekundarschule Medebach-Winterberg",
        short_name="Medebach, SK Medebach-Winterberg",
        school_type="14",
        street="Schützenstr. 12",
        postal_code="59964",
        town="Medebach",
        municipality_ags="05958028",
        district_ags="05958",
        lat=school.lat,
        lon=school.lon,
        operating_status=OperatingStatus.RUNS,
        running_since=date(2017, 8, 1),
        legal_form="1",
        authority="81644",
        website="http://www.sek-medebach-winterberg.de",
        pupils=790,
    )
    assert (school.lat, school.lon) == pytest.approx((51.19428, 8.70103), abs=1e-5)


def test_an_office_is_set_aside_with_its_line_and_reason(parsed):
    office = next(each for each in parsed.set_aside if each.school_id == "600958")
    assert office.name == "Arnsberg, Schulamt Hochsauerlandkreis"
    assert f'"{office.school_id}"'.encode() in REGISTER.split(b"\n")[office.line - 1]
    assert office.reason_de == "Keine Schule, sondern: Schulaufsicht"
    assert office.reason_en == "Not a school but: School supervisory authority"


def test_schools_that_close_carry_their_closing_date(parsed):
    schools = by_id(parsed)
    closing = {
        school.id: (school.operating_status, school.closes_on) for school in schools.values() if school.closes_on
    }
    assert closing == {
        "170343": (OperatingStatus.CLOSES_LATER, date(2030, 7, 31)),
        "197051": (OperatingStatus.CLOSES_LATER, date(2029, 7, 31)),
        "199370": (OperatingStatus.CLOSES_THIS_YEAR, date(2026, 7, 31)),
    }
    assert schools["199370"].running_since is None


def test_every_school_of_the_packaged_file_has_its_pupils(parsed):
    assert sum(school.pupils is not None for school in parsed.schools) == 482
    assert 150_000 < sum(school.pupils for school in parsed.schools) < 230_000


def test_without_the_file_of_pupils_their_number_is_unknown():
    assert {school.pupils for school in parse_register(REGISTER).schools} == {None}


def test_every_school_is_near_its_postal_code(parsed):
    for school in parsed.schools:
        place = region.postal_code(school.postal_code)
        limit = 16 if school.postal_code in COARSE_POSTAL_CODES else 13
        assert region.distance_km(school.lat, school.lon, place.lat, place.lon) < limit, school.short_name


def test_every_school_stands_in_its_own_municipality(parsed):
    features = json.loads((DATA / "region.geojson").read_text())["features"]
    shapes = {feature["properties"]["ags"]: feature["geometry"] for feature in features}
    outside = [school.id for school in parsed.schools if not stands_in(school, shapes[school.municipality_ags])]
    assert outside == []


def stands_in(school, geometry) -> bool:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return any(is_inside(school.lon, school.lat, polygon[0]) for polygon in polygons)


def is_inside(x, y, ring) -> bool:
    crossings = 0
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossings += 1
    return crossings % 2 == 1


def test_a_school_without_reference_system_is_taken_with_a_warning(parsed):
    warned = {warning.school_id: (warning.line, warning.field) for warning in parsed.warnings}
    assert warned == {
        "100154": (11, "EPSG"),
        "100165": (12, "EPSG"),
        "100175": (13, "EPSG"),
        "100198": (14, "EPSG"),
        "100222": (15, "EPSG"),
    }


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("Städt. Realschule", "- Sekundarstufe I -", ""), "Städt. Realschule"),
        (("Burgschule", "- Marienschule -", "( Primarstufe )"), "Burgschule - Marienschule -"),
        (("Berufskolleg f. Kosmetik u. Ge-", "staltung", ""), "Berufskolleg f. Kosmetik u. Gestaltung"),
        (("Grund-", "und Hauptschule", ""), "Grund- und Hauptschule"),
        (("Gymnasium der Stadt", "Sekundarstufen I und II", ""), "Gymnasium der Stadt"),
        (("Sekundarstufe I", "", ""), "Sekundarstufe I"),
    ],
)
def test_a_name_is_put_together_from_its_three_columns(parts, name):
    values = {f"Schulbezeichnung_{i}": part for i, part in enumerate(parts, start=1)}
    assert parse_register(file_of(line_with(**values))).schools[0].name == name


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + REGISTER,
        REGISTER.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + REGISTER.replace(b"\n", b"\r\n"),
        REGISTER.removeprefix(SEP + b"\n"),
        REGISTER.rstrip(b"\n"),
        REGISTER.replace(HEADER, HEADER.rstrip(b";")),
        REGISTER.replace(b'"\n', b'";\n'),
    ],
    ids=["BOM", "CRLF", "BOM and CRLF", "no sep", "no last line end", "header without ;", "rows with ;"],
)
def test_the_same_file_in_another_guise_is_the_same(data, parsed):
    assert parse_register(data, PUPILS).schools == parsed.schools


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"Schulnummer": ""}, "Schulnummer"),
        ({"Schulnummer": "10002"}, "Schulnummer"),
        ({"Schulnummer": "10002x"}, "Schulnummer"),
        ({"Schulnummer": "١٠٠٠٢٢"}, "Schulnummer"),
        ({"Schulform": "77"}, "Schulform"),
        ({"Schulform": ""}, "Schulform"),
        ({"Schulbezeichnung_1": " "}, "Schulbezeichnung_1"),
        ({"Kurzbezeichnung": ""}, "Kurzbezeichnung"),
        ({"Ort": ""}, "Ort"),
        ({"PLZ": "5996"}, "PLZ"),
        ({"PLZ": "D-59964"}, "PLZ"),
        ({"Gemeindeschluessel": "5958028"}, "Gemeindeschluessel"),
        ({"Gemeindeschluessel": "06531005"}, "Gemeindeschluessel"),
        ({"Gemeindeschluessel": "05958999"}, "Gemeindeschluessel"),
        ({"Schulbetriebsschluessel": "3"}, "Schulbetriebsschluessel"),
        ({"Schulbetriebsdatum": "31.02.2017"}, "Schulbetriebsdatum"),
        ({"Schulbetriebsdatum": "1.8.2017"}, "Schulbetriebsdatum"),
        ({"Schulbetriebsdatum": "2017-08-01"}, "Schulbetriebsdatum"),
        ({"Schulbetriebsschluessel": "2", "Schulbetriebsdatum": ""}, "Schulbetriebsdatum"),
        ({"EPSG": "EPSG:25833"}, "EPSG"),
        ({"UTMRechtswert": "zwölf"}, "UTMRechtswert"),
        ({"UTMHochwert": ""}, "UTMHochwert"),
        ({"UTMRechtswert": "5671472", "UTMHochwert": "479109"}, "UTMRechtswert"),
        ({"UTMRechtswert": "690000"}, "UTMRechtswert"),
        ({"UTMHochwert": "5420000"}, "UTMRechtswert"),
    ],
)
def test_a_broken_line_is_named_with_line_and_field_and_stops_no_other(values, field):
    result = parse_register(file_of(SECOND, line_with(**values)))
    assert [school.id for school in result.schools] == ["100038"]
    (error,) = result.errors
    assert (error.line, error.field) == (4, field)
    assert error.reason_de and error.reason_en
    assert values.get(field, "").strip() in error.value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (FIRST + b';"x"', "25 Spalten"),
        (b'"100022";"14"', "2 Spalten"),
        (FIRST.replace(b'"Medebach"', b'"Medebach'), "Anführungszeichen"),
        (FIRST.replace(b"Sekundarschule", b"Sek\xfcndarschule"), "0xFC"),
        (FIRST.replace(b"Sekundarschule", b"Sek\x00ndarschule"), "Steuerzeichen"),
    ],
)
def test_a_line_that_cannot_be_split_is_one_error(line, said):
    result = parse_register(file_of(line, SECOND))
    assert [school.id for school in result.schools] == ["100038"]
    (error,) = result.errors
    assert (error.line, error.field) == (3, "")
    assert said in error.reason_de


def test_all_faults_of_a_line_are_told_at_once():
    errors = parse_register(file_of(line_with(PLZ="1", Schulform="77", EPSG="x"))).errors
    assert {error.field for error in errors} == {"PLZ", "Schulform", "EPSG"}
    assert {error.school_id for error in errors} == {"100022"}


def test_a_lost_leading_zero_is_explained():
    (error,) = parse_register(file_of(line_with(Gemeindeschluessel="5958028"))).errors
    assert "führende Nullen" in error.hint_de and "leading zeros" in error.hint_en


def test_a_number_given_twice_names_the_line_that_was_taken():
    result = parse_register(file_of(FIRST, SECOND, FIRST))
    assert [school.id for school in result.schools] == ["100022", "100038"]
    (error,) = result.errors
    assert (error.line, error.field, error.value) == (5, "Schulnummer", "100022")
    assert "Zeile 3" in error.reason_de and "line 3" in error.reason_en


def test_a_broken_line_does_not_take_the_number_from_a_good_one():
    result = parse_register(file_of(line_with(PLZ="x"), FIRST))
    assert [school.id for school in result.schools] == ["100022"]


def test_line_numbers_count_blank_lines_and_line_ends_of_windows():
    result = parse_register(file_of(FIRST, b"", line_with(SECOND, PLZ="x"), b"kaputt", end=b"\r\n"))
    assert [(error.line, error.value) for error in result.errors] == [(5, "x"), (6, "kaputt")]


@pytest.mark.parametrize("column", ["Schulnummer", "UTMHochwert", "Gemeindeschluessel"])
def test_a_missing_column_makes_the_file_unreadable(column):
    with pytest.raises(RegisterUnreadable) as caught:
        parse_register(REGISTER.replace(column.encode(), b"Anderes"))
    assert caught.value.missing == (column,)
    assert column in caught.value.reason_de and column in caught.value.reason_en


@pytest.mark.parametrize("data", [b"", b"\n\n", b"sep=;\n", b"\xef\xbb\xbf", b"%PDF-1.7\n%\xe2\xe3", b"\x00\xff" * 50])
def test_something_else_than_the_register_is_unreadable(data):
    with pytest.raises(RegisterUnreadable):
        parse_register(data)


def test_a_column_given_twice_makes_the_file_unreadable():
    with pytest.raises(RegisterUnreadable, match="PLZ"):
        parse_register(REGISTER.replace(b"Homepage", b"PLZ"))


def test_columns_may_come_in_another_order():
    columns = HEADER.rstrip(b";").split(b";")
    header, line = b";".join(reversed(columns)), b";".join(reversed(FIRST.split(b";")))
    assert parse_register(header + b"\n" + line).schools == parse_register(file_of(FIRST)).schools


@pytest.mark.parametrize("data", [b"x" * (20 * 1024 * 1024 + 1), b"x\n" * 50_001])
def test_a_file_too_large_is_refused(data):
    with pytest.raises(RegisterTooLarge) as caught:
        parse_register(data)
    assert "zu groß" in caught.value.reason_de


def test_a_file_saved_as_windows_1252_is_read_with_a_warning(parsed):
    result = parse_register(REGISTER.decode().encode("cp1252"), PUPILS)
    assert result.schools == parsed.schools
    assert "Windows-1252" in result.warnings[0].reason_de


def test_contact_details_are_kept_when_the_file_has_them():
    contact = {"Telefonvorwahl": "02982", "Telefon": "1234", "E-Mail": "100022@schule.example"}
    (school,) = parse_register(file_of(line_with(**contact))).schools
    assert (school.phone, school.email) == ("02982 1234", "100022@schule.example")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Homepage", "javascript:alert(1)"),
        ("Homepage", "keine"),
        ("Homepage", "https://schule.example@boese.example/"),
        ("E-Mail", "siehe Homepage"),
        ("E-Mail", "a@b.example, c@d.example"),
    ],
)
def test_unusable_contact_details_leave_the_field_empty_with_a_warning(column, value):
    result = parse_register(file_of(line_with(**{column: value})))
    assert (result.schools[0].website if column == "Homepage" else result.schools[0].email) is None
    assert [(warning.line, warning.field) for warning in result.warnings] == [(3, column)]


def test_a_website_without_scheme_gets_one():
    assert parse_register(file_of(line_with(Homepage="www.schule.example/a"))).schools[0].website == (
        "https://www.schule.example/a"
    )


def test_broken_pupil_lines_are_named_and_stop_no_other():
    pupils = b"schulnummer,schueler_2024_25\n100022,viele\n100038,120\n1000,5\n100038,7\n100084,\n100074\n"
    result = parse_register(REGISTER, pupils)
    assert by_id(result)["100038"].pupils == 120
    assert by_id(result)["100022"].pupils is None
    assert {error.file for error in result.errors} == {"pupils"}
    assert [(error.line, error.field) for error in result.errors] == [
        (2, "schueler_2024_25"),
        (4, "schulnummer"),
        (5, "schulnummer"),
        (7, ""),
    ]


def test_a_file_of_pupils_without_its_columns_is_unreadable():
    for header in (b"nummer,schueler\n", b"schulnummer,zahl\n"):
        with pytest.raises(RegisterUnreadable):
            parse_register(REGISTER, header + b"100022,5\n")


def test_importing_the_same_file_again_changes_nothing(parsed):
    again = difference(by_id(parsed), parse_register(REGISTER, PUPILS))
    assert (again.created, again.changed, again.missing_from_file) == ((), (), ())
    assert len(again.unchanged) == 482


def test_a_difference_names_new_changed_and_missing_schools(parsed):
    known = by_id(parsed)
    del known["100038"]
    known["100022"] = replace(known["100022"], town="Winterberg", pupils=1)
    known["999999"] = replace(known["100022"], id="999999")
    found = difference(known, parsed)
    assert [school.id for school in found.created] == ["100038"]
    assert [(change.school.town, change.fields) for change in found.changed] == [("Medebach", ("town", "pupils"))]
    assert found.missing_from_file == ("999999",)
    assert len(found.unchanged) == 480


def test_a_school_whose_line_is_broken_is_not_missing(parsed):
    result = parse_register(file_of(line_with(PLZ="x"), SECOND))
    known = {id: school for id, school in by_id(parsed).items() if id in {"100022", "100038", "100074"}}
    assert difference(known, result).missing_from_file == ("100074",)


def test_a_file_without_pupils_forgets_no_pupils(parsed):
    moved = parse_register(REGISTER.replace("Nüggelnstück 3".encode(), b"Am Markt 1"))
    found = difference(by_id(parsed), moved)
    (change,) = found.changed
    assert (change.school.id, change.fields, change.school.pupils) == ("100074", ("street",), 320)
    assert len(found.unchanged) == 481


BROKEN_VALUES = st.sampled_from(
    [
        {"PLZ": "x"},
        {"Schulform": "77"},
        {"EPSG": "EPSG:4326"},
        {"UTMRechtswert": "1"},
        {"Schulbetriebsdatum": "99.99.9999"},
        {"Gemeindeschluessel": ""},
        {"Schulnummer": "zwölf"},
    ]
)
broken_lines = st.one_of(
    BROKEN_VALUES.map(lambda values: line_with(**values)),
    st.binary(max_size=80).filter(lambda line: b"\n" not in line),
    st.text(alphabet='";\r\v\x00\x85\u2028äA1', max_size=60).map(lambda text: text.encode()),
    st.integers(0, len(FIRST) - 1).map(lambda end: FIRST[:end]),
)


@given(st.lists(broken_lines, max_size=8), st.lists(broken_lines, max_size=8), st.sampled_from([b"\n", b"\r\n"]))
@example([b'"'], [b'"'], b"\n")
@example([b"\xfc"], [], b"\n")
def test_a_good_line_stays_good_whatever_broken_lines_surround_it(before, after, end):
    result = parse_register(file_of(*before, FIRST, *after, end=end))
    assert result.schools == parse_register(file_of(FIRST)).schools
    assert {error.line for error in result.errors}.isdisjoint({len(before) + 3})
    blank = sum(not line.strip() for line in [*before, *after])
    assert len({error.line for error in result.errors}) == len(before) + len(after) - blank


def test_the_whole_states_register_is_read_in_little_memory():
    lines = REGISTER.split(b"\n")[2:-1]
    many = [b'"%06d"' % (200000 + i) + lines[i % len(lines)][8:] for i in range(5637)]
    data = file_of(*many)
    tracemalloc.start()
    result = parse_register(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(result.schools) + len(result.set_aside) == 5637
    assert peak < 100 * 1024 * 1024


def test_another_file_is_refused_with_the_first_columns_that_it_lacks():
    with pytest.raises(RegisterUnreadable) as caught:
        parse_register(b"Name;Anschrift\n")
    assert "Schulnummer, Schulform, Schulbezeichnung_1 und 10 weitere." in caught.value.reason_de
    assert "and 10 more." in caught.value.reason_en and "UTMHochwert" not in caught.value.reason_de
    assert len(caught.value.missing) == 13
