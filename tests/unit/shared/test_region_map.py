"""The map: what is projected keeps its place, circles never lie over each other, and the outlines stay small."""

import math
import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.region import distance_km, districts, municipalities
from shared.region_map import GAP, LARGEST, SMALLEST, Circle, Projection, apart, circles, contains, outlines, radius

LON, LAT = st.floats(7.4, 8.98), st.floats(50.65, 51.72)
PLACED = st.lists(st.tuples(st.floats(100, 900), st.floats(100, 900), st.floats(SMALLEST, LARGEST)), max_size=12)
STEP = re.compile(r"-?\d+")


def drawn(path: str) -> list[list[tuple[int, int]]]:
    """The rings of an SVG path of the map, read back in whole units."""
    rings = []
    for part in path.split("M")[1:]:
        start, moves = part.removesuffix("z").split("l")
        x, y = (int(number) for number in STEP.findall(start))
        numbers = [int(number) for number in STEP.findall(moves)]
        ring = [(x, y)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x, y))
        rings.append(ring)
    return rings


def test_every_municipality_and_district_is_on_the_map() -> None:
    assert {shape.ags for shape in outlines().municipalities} == set(municipalities())
    assert {shape.ags for shape in outlines().districts} == {each.ags for each in districts()}


def test_the_outlines_close_and_stay_within_the_drawing() -> None:
    for shape in (*outlines().municipalities, *outlines().districts):
        for ring in drawn(shape.path):
            assert ring[0] == ring[-1], shape.name
            assert all(0 <= x <= outlines().width and 0 <= y <= outlines().height for x, y in ring), shape.name


def test_each_municipality_has_its_point_within_its_outline() -> None:
    for shape in outlines().municipalities:
        assert any(contains(ring, shape.x, shape.y) for ring in drawn(shape.path)), shape.name


def test_all_paths_together_are_small() -> None:
    assert sum(len(shape.path) for shape in (*outlines().municipalities, *outlines().districts)) < 12_000


@given(LON, LAT, LON, LAT)
def test_north_is_up_and_east_is_right(lon: float, lat: float, other_lon: float, other_lat: float) -> None:
    (x, y), (other_x, other_y) = (outlines().projection.point(*at) for at in ((lon, lat), (other_lon, other_lat)))
    assert (lon < other_lon) <= (x <= other_x)
    assert (lat < other_lat) <= (y >= other_y)


@given(LON, LAT, LON, LAT)
def test_distances_on_the_map_are_true(lon: float, lat: float, other_lon: float, other_lat: float) -> None:
    unit = distance_km(51.2, 8.2, 51.3, 8.2) / (outlines().projection.per_degree * 0.1)
    at, other = (outlines().projection.point(*each) for each in ((lon, lat), (other_lon, other_lat)))
    true = distance_km(lat, lon, other_lat, other_lon)
    assert abs(math.dist(at, other) * unit - true) <= 0.02 * true + 0.01


def test_any_points_fit_into_the_width_of_the_drawing() -> None:
    projection = Projection.of([(10.0, 50.0), (12.0, 51.0)])
    assert projection.point(10.0, 51.0) == (30, 30)
    assert round(projection.point(12.0, 51.0)[0]) == 970


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_larger_number_never_has_a_smaller_circle(count: int, other: int) -> None:
    most = max(count, other)
    assert (count < other) <= (radius(count, most) <= radius(other, most))
    assert SMALLEST <= radius(count, most) <= LARGEST


@settings(deadline=None, derandomize=True)
@given(PLACED)
def test_pushing_apart_loses_no_circle_and_leaves_none_over_another(placed: list[tuple[float, float, float]]) -> None:
    before = [Circle(str(number), 1, x, y, round(r, 1)) for number, (x, y, r) in enumerate(placed)]
    after = apart(before)
    assert [(each.ags, each.radius) for each in after] == [(each.ags, each.radius) for each in before]
    for one, other in combinations(after, 2):
        assert math.hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius - GAP


def test_circles_that_do_not_touch_stay_where_they_are() -> None:
    placed = [Circle("a", 1, 100, 100, 30), Circle("b", 1, 300, 100, 30)]
    assert apart(placed) == placed


def test_a_circle_at_every_municipality_leaves_each_readable() -> None:
    marks = circles({ags: number for number, ags in enumerate(municipalities(), 1)})
    assert len(marks) == len(municipalities())
    for one, other in combinations(marks, 2):
        assert math.hypot(one.x - other.x, one.y - other.y) >= one.radius + other.radius - 1, (one, other)


def test_what_counts_nothing_and_what_lies_elsewhere_has_no_circle() -> None:
    assert [each.ags for each in circles({"05958004": 3, "05958008": 0, "99999999": 7})] == ["05958004"]
