import csv
from pathlib import Path

import pytest

from shared import region

DATA = Path(region.__file__).parent / "data"


def test_a_municipality_is_found_by_its_key():
    assert region.municipality("05958028") == region.Municipality(
        ags="05958028", name="Medebach", district_ags="05958", district="Hochsauerlandkreis"
    )
    assert region.municipality("05315000") is None


def test_a_postal_code_knows_place_municipality_and_point():
    found = region.postal_code("59964")
    assert (found.place, found.municipality, found.ags, found.district_ags) == (
        "Medebach",
        "Medebach",
        "05958028",
        "05958",
    )
    assert (found.lat, found.lon) == (51.1971, 8.7063)
    assert region.postal_code("50667") is None


def test_every_row_of_the_region_is_there():
    assert len(region.municipalities()) == 59
    with (DATA / "plz.csv").open(encoding="utf-8") as file:
        codes = [row["plz"] for row in csv.DictReader(file)]
    assert len(codes) == 80
    assert all(region.postal_code(code).ags in region.municipalities() for code in codes)


def test_the_region_has_five_districts():
    assert [(each.ags, each.name) for each in region.districts()] == [
        ("05958", "Hochsauerlandkreis"),
        ("05962", "Märkischer Kreis"),
        ("05966", "Kreis Olpe"),
        ("05970", "Kreis Siegen-Wittgenstein"),
        ("05974", "Kreis Soest"),
    ]


def test_sixteen_fields_of_work_have_a_german_and_an_english_label():
    assert len(region.career_fields()) == 16
    assert region.career_fields()["M"] == "Metall, Maschinenbau"
    assert region.career_fields("en")["M"] == "Metalworking, mechanical engineering"
    assert list(region.career_fields("en")) == list(region.career_fields())
    assert all(region.career_fields("en").values())


def test_every_school_type_has_a_german_and_an_english_label():
    assert region.school_types()["30"] == "Berufskolleg"
    assert region.school_types("en")["30"] == "Vocational college"
    assert list(region.school_types("en")) == list(region.school_types())


def test_the_tables_cannot_be_changed_by_a_reader():
    with pytest.raises(TypeError):
        region.career_fields()["M"] = "x"


def test_distance_is_the_straight_line_in_kilometres():
    assert region.distance_km(51.0, 8.0, 52.0, 8.0) == pytest.approx(111.195, abs=0.01)
    assert region.distance_km(51.0, 8.0, 51.0, 9.0) == pytest.approx(69.98, abs=0.05)
    assert region.distance_km(51.0, 8.0, 51.0, 8.0) == 0
