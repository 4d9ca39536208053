"""The map of the region as numbers to draw: outlines, places and circles in the units of one drawing.

The outlines come from `shared/data/region.geojson`, are projected once and kept. Nothing here knows colours or words;
`shared/ui/templates/region_map.html` draws it as inline SVG.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import combinations, pairwise
from pathlib import Path

ATTRIBUTION = "© GeoBasis-DE / BKG 2021 (Daten verändert)"
WIDTH = 1000
MARGIN = 30
SMALLEST, LARGEST = 27.0, 42.0
GAP = 3.0
ROUNDS = 40
# Beside the outlines, where no circle comes: (x, y of the first line, anchor, lines). A district without a place here
# has its name in its middle.
NAMES: dict[str, tuple[int, int, str, tuple[str, ...]]] = {
    "05958": (1000, 730, "end", ("Hochsauerland-", "kreis")),
    "05962": (15, 225, "start", ("Märkischer", "Kreis")),
    "05966": (190, 775, "end", ("Olpe",)),
    "05970": (525, 960, "start", ("Siegen-", "Wittgenstein")),
    "05974": (325, 70, "end", ("Soest",)),
}
_FILE = Path(__file__).parent / "data" / "region.geojson"

Point = tuple[float, float]
Ring = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Projection:
    """Degrees (WGS84) to units of the drawing: plate carrée, true to scale at the middle latitude. At the size of a
    region its error is under one per cent."""

    west: float
    north: float
    per_degree: float
    squeeze: float

    @classmethod
    def of(cls, points: Iterable[Point]) -> "Projection":
        """The one that fits `points` (longitude, latitude) into the drawing's width."""
        lons, lats = zip(*points, strict=True)
        squeeze = math.cos(math.radians((min(lats) + max(lats)) / 2))
        per_degree = (WIDTH - 2 * MARGIN) / ((max(lons) - min(lons)) * squeeze)
        return cls(min(lons), max(lats), per_degree, squeeze)

    def point(self, lon: float, lat: float) -> Point:
        """Where a place lies; x to the right, y downwards."""
        return (
            MARGIN + (lon - self.west) * self.squeeze * self.per_degree,
            MARGIN + (self.north - lat) * self.per_degree,
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """A district or municipality: its outline as an SVG path, and a point well inside it."""

    ags: str
    name: str
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a district in one line or more; `anchor` is SVG's text-anchor."""

    x: int
    y: int
    anchor: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outlines:
    """The region, ready to draw in `width` × `height` units."""

    width: int
    height: int
    projection: Projection
    districts: tuple[Shape, ...]
    municipalities: tuple[Shape, ...]
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Circle:
    """A number at a municipality; `radius` grows with it."""

    ags: str
    count: int
    x: float
    y: float
    radius: float


@cache
def outlines() -> Outlines:
    """The region's outlines, read on first use and kept."""
    features = json.loads(_FILE.read_text())["features"]
    rings = {feature["properties"]["ags"]: _largest_first(feature["geometry"]["coordinates"]) for feature in features}
    projection = Projection.of(point for parts in rings.values() for ring in parts for point in ring)
    drawn = {ags: [[projection.point(*point) for point in ring] for ring in parts] for ags, parts in rings.items()}
    kinds: dict[str, list[Shape]] = {"kreis": [], "gemeinde": []}
    for feature in features:
        facts = feature["properties"]
        kinds[facts["level"]].append(_shape(facts["ags"], facts["name"], drawn[facts["ags"]]))
    lowest = max(y for parts in drawn.values() for ring in parts for _, y in ring)
    districts, municipalities = tuple(kinds["kreis"]), tuple(kinds["gemeinde"])
    names = tuple(_name(shape) for shape in districts)
    return Outlines(WIDTH, round(lowest + MARGIN), projection, districts, municipalities, names)


def circles(counts: Mapping[str, int]) -> list[Circle]:
    """A circle for each municipality (by its key) that counts something, none over another, the largest first."""
    known = tuple(sorted((ags, count) for ags, count in counts.items() if count > 0))
    return list(_circles(known))


@lru_cache(maxsize=64)
def _circles(counts: tuple[tuple[str, int], ...]) -> tuple[Circle, ...]:
    places = {shape.ags: shape for shape in outlines().municipalities}
    there = [(places[ags], count) for ags, count in counts if ags in places]
    most = max((count for _, count in there), default=1)
    placed = [Circle(shape.ags, count, shape.x, shape.y, radius(count, most)) for shape, count in there]
    return tuple(sorted(apart(placed), key=lambda circle: (-circle.count, circle.ags)))


def radius(count: int, most: int) -> float:
    """The radius for `count` when the largest number is `most`: what is above the smallest grows like the area."""
    share = math.sqrt(min(count, most) / most) if most > 0 else 0
    return round(SMALLEST + (LARGEST - SMALLEST) * share, 1)


def apart(placed: Sequence[Circle]) -> list[Circle]:
    """The circles, those that lie over each other pushed apart as little as that takes."""
    moved = list(placed)
    for _ in range(ROUNDS):
        quiet = True
        for first, second in combinations(range(len(moved)), 2):
            pushed = _push(moved[first], moved[second])
            if pushed:
                moved[first], moved[second] = pushed
                quiet = False
        if quiet:
            break
    return [replace(circle, x=round(circle.x, 1), y=round(circle.y, 1)) for circle in moved]


def _push(one: Circle, other: Circle) -> tuple[Circle, Circle] | None:
    dx, dy = other.x - one.x, other.y - one.y
    distance, needed = math.hypot(dx, dy), one.radius + other.radius + GAP
    if distance >= needed - 0.01:
        return None
    ux, uy = (dx / distance, dy / distance) if distance > 1e-6 else (1.0, 0.0)
    half = (needed - distance) / 2
    return (
        replace(one, x=one.x - ux * half, y=one.y - uy * half),
        replace(other, x=other.x + ux * half, y=other.y + uy * half),
    )


def _shape(ags: str, name: str, rings: Sequence[Ring]) -> Shape:
    x, y = _inside(rings[0])
    return Shape(ags, name, "".join(_path(ring) for ring in rings), round(x), round(y))


def _name(shape: Shape) -> Name:
    return Name(*NAMES.get(shape.ags, (shape.x, shape.y, "middle", (shape.name,))))


def _path(ring: Ring) -> str:
    """The ring in whole units, each step relative to the last: a third of the length."""
    points = [(round(x), round(y)) for x, y in ring]
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(points)]
    moves = "".join(f"{'' if dx < 0 else ' '}{dx}{'' if dy < 0 else ' '}{dy}" for dx, dy in steps if dx or dy)
    return f"M{points[0][0]} {points[0][1]}l{moves.strip()}z"


def _largest_first(polygons: Sequence[Sequence[Ring]]) -> list[Ring]:
    outer = [polygon[0] for polygon in polygons]
    return sorted(outer, key=lambda ring: -abs(_area(ring)))


def _area(ring: Ring) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring)) / 2


def _inside(ring: Ring) -> Point:
    """The centre of gravity; for a bent shape, whose centre lies outside, the point farthest from its edges."""
    area = _area(ring)
    weights = [(ax * by - bx * ay, ax + bx, ay + by) for (ax, ay), (bx, by) in pairwise(ring)]
    centre = (sum(w * x for w, x, _ in weights) / (6 * area), sum(w * y for w, _, y in weights) / (6 * area))
    if contains(ring, *centre):
        return centre
    grid = [point for point in _grid(ring, 16) if contains(ring, *point)]
    return max(grid, key=lambda point: min(math.dist(point, corner) for corner in ring), default=centre)


def _grid(ring: Ring, steps: int) -> list[Point]:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    width, height = (max(xs) - min(xs)) / steps, (max(ys) - min(ys)) / steps
    return [(min(xs) + width * i, min(ys) + height * j) for i in range(1, steps) for j in range(1, steps)]


def contains(ring: Ring, x: float, y: float) -> bool:
    """Whether the point lies within the ring (a ray to the right crosses it an odd number of times)."""
    crossings = 0
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            crossings += 1
    return crossings % 2 == 1
