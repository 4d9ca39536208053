"""Words for codes that several tables of this service hold."""

from collections.abc import Mapping
from typing import Literal

from shared import region
from shared.tables.columns import labelled

LANGUAGES = labelled(de="German", en="English")


def fields(language: str) -> Mapping[str, str]:
    """The fields of work."""
    return region.career_fields(known(language))


def school_types(language: str) -> Mapping[str, str]:
    """The types of schools."""
    return region.school_types(known(language))


def districts(language: str = "de") -> Mapping[str, str]:
    """The districts by key."""
    return {district.ags: district.name for district in region.districts()}


def known(language: str) -> Literal["de", "en"]:
    """One of the two languages."""
    return "en" if language == "en" else "de"
