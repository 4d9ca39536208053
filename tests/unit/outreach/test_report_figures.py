from hypothesis import given
from hypothesis import strategies as st

from services.outreach.domain.reports import COUNTED, FIGURES, Row, add_up

NAMES = st.none() | st.sampled_from(["a", "b", "c"])
ROWS = st.lists(
    st.builds(
        Row, district=NAMES, school_type=NAMES, field=NAMES, school=NAMES, company=NAMES,
        counts=st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 40)),
    ),
    max_size=12,
)  # fmt: skip


@given(ROWS)
def test_every_count_is_the_sum_over_the_rows_and_over_the_districts_that_are_known(rows):
    totals = add_up(rows)
    for name in COUNTED:
        assert totals.totals[name] == sum(row.counts.get(name, 0) for row in rows)
        known = sum(row.counts.get(name, 0) for row in rows if row.district)
        assert sum(figures[name] for figures in totals.by_district.values()) == known


@given(ROWS)
def test_a_school_and_a_company_count_once_however_many_rows_name_them(rows):
    totals = add_up(rows).totals
    assert totals["schools"] == len({row.school for row in rows if row.school})
    assert totals["companies"] == len({row.company for row in rows if row.company})


def test_a_district_of_the_campaign_without_any_row_has_zeros():
    assert add_up([], ["05958"]).by_district == {"05958": dict.fromkeys(FIGURES, 0)}
