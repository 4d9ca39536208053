"""What nobody types by accident is refused with a reason; it never becomes a crash."""

import base64
import json
from datetime import datetime

import bson
import pytest
from pydantic import ValidationError
from starlette.datastructures import FormData

from services.events.usecases import inputs, paging
from services.events.usecases.search import _between
from services.events.web.series import _fields
from services.outreach.domain.campaigns import CampaignGiven
from services.outreach.domain.visit_dates import DateGiven
from services.outreach.store import core, people, schools
from shared.errors import Invalid
from shared.school_calendar import WallTimeDoesNotExist, local_to_utc
from shared.web.pages import nested
from shared.web.problems import field_errors

FAR = ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"]


def reasons(error: ValidationError) -> dict[str, str]:
    return {each["field"]: each["reason"] for each in field_errors(error.errors(), "de")}


@pytest.mark.parametrize("day", FAR)
def test_days_outside_of_the_century_are_refused_at_their_field(day: str):
    wrong = "Das Jahr muss zwischen 2000 und 2100 liegen."
    with pytest.raises(ValidationError) as caught:
        inputs.SlotFilter.model_validate({"from": day, "to": day})
    assert reasons(caught.value) == {"from": wrong, "to": wrong}
    times = {"starts_local": f"{day}T09:00", "ends_local": f"{day}T10:00"}
    for model in (inputs.MoveSlot, DateGiven):
        with pytest.raises(ValidationError) as caught:
            model.model_validate(times)
        assert reasons(caught.value) == {"starts_local": wrong, "ends_local": wrong}
    with pytest.raises(ValidationError) as caught:
        CampaignGiven.model_validate({"starts_on": day, "closes_at": f"{day}T00:00Z"})
    assert {reasons(caught.value)[name] for name in ("starts_on", "closes_at")} == {wrong}


def test_the_first_and_the_last_day_can_be_searched():
    wanted = inputs.SlotFilter.model_validate({"from": "2000-01-01", "to": "2100-12-31"})
    assert bson.encode(_between(wanted, "Europe/Berlin"))


@pytest.mark.parametrize(("year", "zone"), [(1, "Europe/Berlin"), (9999, "America/New_York")])
def test_a_wall_time_beyond_the_calendar_does_not_exist(year: int, zone: str):
    local = datetime(1, 1, 1) if year == 1 else datetime(9999, 12, 31, 23)
    with pytest.raises(WallTimeDoesNotExist):
        local_to_utc(local, zone)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "now"])
def test_a_forged_cursor_of_events_is_not_known(moment: str):
    with pytest.raises(paging.CursorUnknown):
        paging.cursor(base64.urlsafe_b64encode(f"{moment}~a".encode()).decode())


@pytest.mark.parametrize(
    "place",
    [
        ["9999-12-31T23:59:59-14:00", "a", True],
        ["0001-01-01T00:00:00+14:00", "a", True],
        [2**63, "a", False],
        [-(2**63) - 1, "a", False],
        ["\ud800", "a", False],
        ["a", "\ud800", False],
    ],
)
def test_a_forged_cursor_of_outreach_is_not_known(place: list[object]):
    with pytest.raises(core.CursorUnknown):
        core._beyond("name", base64.urlsafe_b64encode(json.dumps(place).encode()).decode())


def test_a_field_that_is_both_a_text_and_a_group_is_invalid():
    with pytest.raises(Invalid) as caught:
        nested({"group": "x", "group.pupils": "3"})
    assert caught.value.field == "group"


def test_a_series_that_is_a_text_is_invalid():
    with pytest.raises(Invalid):
        _fields(FormData([("series", "x")]), only=True)


@pytest.mark.parametrize("matching", [people.matching, lambda _, q: schools.matching(None, None, q)])
def test_a_search_passes_over_control_characters(matching):
    assert matching(None, "\x00") == matching(None, "")
    assert matching(None, "\x00Muster\x1f") == matching(None, "Muster")
    bson.encode(matching(None, "Mu\x00ster"))
