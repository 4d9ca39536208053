"""Facts of the model region: Kreise, municipalities, postal codes, school types and fields of work.

Everything is read from `shared/data` on first use and kept; `shared/data/SOURCE.md` names origins and licences.
In code a Kreis is a district, a Berufsfeld a field and a Schulform a school type.
"""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Language = Literal["de", "en"]

EARTH_RADIUS_KM = 6371.0088
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class District:
    """A Kreis with its five-digit official key, e.g. 05958 Hochsauerlandkreis."""

    ags: str
    name: str


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality with its eight-digit official key (AGS); the first five digits are its district's."""

    ags: str
    name: str
    district_ags: str
    district: str


@dataclass(frozen=True, slots=True)
class PostalCode:
    """A postal code with one point (WGS84 degrees) inside it; 59755, 59757 and 59823 share a coarse one."""

    plz: str
    place: str
    ags: str
    municipality: str
    district_ags: str
    lat: float
    lon: float


def municipality(ags: str) -> Municipality | None:
    """The municipality with this eight-digit key, or None outside the region."""
    return municipalities().get(ags)


def postal_code(plz: str) -> PostalCode | None:
    """The postal code's place and point, or None outside the region."""
    return _postal_codes().get(plz)


def districts() -> tuple[District, ...]:
    """The five districts, by key."""
    found = {each.district_ags: each.district for each in municipalities().values()}
    return tuple(District(ags, name) for ags, name in sorted(found.items()))


@cache
def municipalities() -> Mapping[str, Municipality]:
    """The 59 municipalities by key."""
    return MappingProxyType(
        {
            row["ags"]: Municipality(row["ags"], row["gemeinde"], row["kreis_ags"], row["kreis"])
            for row in _rows("gemeinden")
        }
    )


@cache
def career_fields(language: Language = "de") -> Mapping[str, str]:
    """The 16 official KAoA fields of work: code → label. The English labels are a translation of ours."""
    return _labels("berufsfelder", "label_de", "field", language)


@cache
def school_types(language: Language = "de") -> Mapping[str, str]:
    """The state's school types, offices included: code → label. The English labels are a translation of ours."""
    return _labels("schulformen", "bezeichnung", "school_type", language)


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Straight line between two points given in degrees, in kilometres (haversine on a sphere, error under 0.6 %)."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_dphi, half_dlambda = (phi2 - phi1) / 2, math.radians(lon2 - lon1) / 2
    a = math.sin(half_dphi) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_dlambda) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, a)))


@cache
def _postal_codes() -> Mapping[str, PostalCode]:
    return {row["plz"]: _postal_code_of(row) for row in _rows("plz")}


def _postal_code_of(row: dict[str, str]) -> PostalCode:
    return PostalCode(
        plz=row["plz"],
        place=row["ort"],
        ags=row["ags"],
        municipality=row["gemeinde"],
        district_ags=row["kreis_ags"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
    )


def _labels(file: str, column: str, table: str, language: Language) -> Mapping[str, str]:
    if language == "de":
        return MappingProxyType({row["code"]: row[column] for row in _rows(file)})
    return MappingProxyType({row["code"]: row["label_en"] for row in _rows("labels_en") if row["table"] == table})


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
