"""The coordinator's picture of who was not reached: a map by municipality, its table, and the schools."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.outreach.domain.coverage import WITHOUT_TOURS
from services.outreach.edge import ThePages, TheStore
from services.outreach.usecases import campaigns, coverage
from services.outreach.web.addresses import with_query
from shared import region
from shared.region_map import Circle, circles, outlines
from shared.ui.language import translate
from shared.web.callers import Person
from shared.web.pages import language_of

router = APIRouter()
Text = Annotated[str, Query(max_length=100)]
PATH = "/outreach/coverage"


@router.get("/coverage")
async def show(
    request: Request,
    pages: ThePages,
    store: TheStore,
    person: Person,
    campaign_id: Text = "",
    school_type: Text = "",
    municipality: Text = "",
    after: Text = "",
) -> Response:
    """Schools and municipalities that a campaign has not reached."""
    person.must_coordinate()
    found, _ = await campaigns.list_campaigns(store, person, limit=200)
    if not found:
        return pages.show(request, "coverage.html", campaigns=[], seen=None)
    asked = {"campaign_id": campaign_id or found[-1].id, "school_type": school_type}
    seen = await coverage.show_coverage(
        store, person, asked["campaign_id"], school_type=school_type, municipality_ags=municipality, after=after
    )
    here = {**asked, "municipality": municipality}
    types = region.school_types(language_of(request))
    return pages.show(
        request, "coverage.html", campaigns=[(each.id, each.name) for each in reversed(found)], seen=seen,
        values=here, types=types, usual=[(code, name) for code, name in types.items() if code in _taught(types)],
        outlines=outlines(), marks=_marks(request, seen, asked), rows=_rows(seen, asked),
        shades={ags: f"share-{share.step}" for ags, share in seen.by_municipality.items()},
        place=region.municipality(municipality), places=region.municipalities(), everywhere=with_query(PATH, **asked),
        rest=with_query(PATH, **here, after=seen.following) + "#schools" if seen.following else None,
    )  # fmt: skip


def _marks(request: Request, seen: coverage.Coverage, asked: dict[str, str]) -> list[tuple[Circle, str, str]]:
    marks = []
    for circle in circles({ags: share.left_out for ags, share in seen.by_municipality.items()}):
        share, place = seen.by_municipality[circle.ags], region.municipalities()[circle.ags]
        words = translate(
            "{name}: {left_out} of {schools} schools have nothing", language_of(request), name=place.name,
            left_out=share.left_out, schools=share.schools,
        )  # fmt: skip
        marks.append((circle, words, with_query(PATH, **asked, municipality=circle.ags) + "#schools"))
    return marks


def _rows(seen: coverage.Coverage, asked: dict[str, str]) -> list[tuple[Any, Any, str]]:
    known = region.municipalities()
    rows = [
        (known[ags], share, with_query(PATH, **asked, municipality=ags) + "#schools")
        for ags, share in seen.by_municipality.items()
        if ags in known
    ]
    return sorted(rows, key=lambda row: (row[1].reached / row[1].schools, row[0].name))


def _taught(types: Any) -> set[str]:
    """The school types of the register that are schools and no offices."""
    return {code for code in types if code.isdigit() and ("02" <= code <= "30" or code in WITHOUT_TOURS)}
