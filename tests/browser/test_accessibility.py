"""WCAG 2.2 AA by axe, on every page, as the role that opens it; and what else holds for every page: it fits 320 px,
the console stays silent, and no request leaves the origin."""

from urllib.parse import urlencode

import pytest

from tests.integration.authorisation.rules import LAST, RULES
from tests.support.estate import NOBODY, Estate
from tests.support.estate_traces import named
from tests.support.looks import Window, answered, html_of, open_in_all, show_in_all, too_long
from tests.support.routes import Route
from tests.support.sample_forms import FILES, FORMS, QUERIES, asked, filled

pytestmark = pytest.mark.processes_only
ORDER = ("coordinator", "teacher", "company", "ambassador", "operator", NOBODY)
PAGES = [route for route in RULES if route[0] == "GET"]
# Not on the page of this estate: the tour is not over, and the visit is no longer asked for or not yet held. What these
# answer is looked at in test_accessibility_of_states.py, where there are such.
NOT_YET = (
    "/events/registrations/{registration_id}/attend", "/outreach/visits/{visit_id}/decline",
    "/outreach/visits/{visit_id}/complete", "/outreach/visits/{visit_id}/leave",
)  # fmt: skip
# Nothing in them is typed: buttons, hidden versions, boxes to tick; and files, not pages, are the answer.
NOT_TYPED = {
    *LAST, "/notify/calendars/{scope}", "/notify/wordings/{campaign_id}/{kind}/{role}/{language}/take-back",
    "/outreach/my-visits/unblock", "/outreach/ambassadors/{ambassador_id}/unblock",
    "/outreach/people.csv", "/outreach/people.xlsx", "/outreach/visits/{visit_id}/accept",
    "/events/confirm-again/{token}", *NOT_YET,
}  # fmt: skip
TYPED = [route for route in RULES if route[0] == "POST" and route[1] in {*FORMS, *FILES} - NOT_TYPED]
CHOSEN = {"action": "resize", "change": "pause"}
# What this estate does not have: nobody's invitation is known but by its mail, there is no other provider to sign in
# at, no funder's logo, and no date of the visit that a calendar could hold.
NOT_HERE = {
    "/outreach/invitations/link": 404, "/outreach/sign-in/oidc": 404, "/outreach/sign-in/oidc/callback": 404,
    "/outreach/funder-logo": 404, "/outreach/visits/{visit_id}/calendar.ics": 404,
}  # fmt: skip
FOUND, NO_SUCH_ROW = (200, 200), (422, 404)
# What a form is answered with, sent with nothing and with what no form takes, where not both are refused. None: not
# sent, for it would be taken, and change what others look at.
ANSWERED: dict[str, tuple[int | None, int | None]] = {
    **dict.fromkeys(("/events/search", "/outreach/search", "/notify/search", "/notify/find", "/notify/stuck"), FOUND),
    "/events/company/decide": NO_SUCH_ROW,
    "/events/slots/{slot_id}/decide": NO_SUCH_ROW,
    "/events/offers/waiting": NO_SUCH_ROW,
    "/events/offers/{offer_id}/slots/withdraw": (422, 200),
    "/outreach/schools/{school_id}/movable-days": (None, 422),
    "/outreach/my-visits/settings": (None, 422),
    "/outreach/ambassadors/{ambassador_id}/settings": (None, 422),
    "/outreach/visits/{visit_id}/withdraw": (None, 422),
    "/outreach/visits/{visit_id}/cancel": (None, 422),
    "/notify/webhooks/{webhook_id}/replay": (422, None),
    "/notify/wordings/{campaign_id}/{kind}/{role}/{language}": (None, 422),
    **{f"/{service}/messages/{{message_id}}/discard": (422, None) for service in ("outreach", "events", "notify")},
    "/notify/deliveries/{delivery_id}/correct": (409, 409),  # only an address that a server refused is corrected
}


def who_opens(route: Route) -> str:
    """The one whose page it is: the most particular of those who may."""
    allowed = RULES[route]
    if NOBODY in allowed:
        return NOBODY
    return min((actor for actor in ORDER if actor in allowed), key=lambda actor: (actor == "coordinator", actor))


def address(path: str, estate: Estate) -> str:
    """The path with the ids of what there is, and what the page needs to know beside it."""
    ids = {**CHOSEN, **named(path, estate.ids)}
    query = f"?{urlencode(asked(path, ids))}" if path in QUERIES else ""
    return path.format(**ids) + query


@pytest.mark.parametrize("route", PAGES, ids=" ".join)
async def test_every_page_is_accessible(estate: Estate, windows: list[Window], route: Route) -> None:
    """The page itself, not one that says that there is none."""
    wrong = await open_in_all(windows, who_opens(route), address(route[1], estate))
    status = NOT_HERE.get(route[1], 200)
    assert {window.status for window in windows} == {status}
    assert wrong == [] or status != 200


@pytest.mark.parametrize("route", TYPED, ids=" ".join)
async def test_a_form_shown_again_with_its_errors_is_accessible(
    estate: Estate, windows: list[Window], route: Route
) -> None:
    """Sent with nothing in it, and with every field too long, too early or too large."""
    actor, path, ids = who_opens(route), address(route[1], estate), {**CHOSEN, **named(route[1], estate.ids)}
    sample = filled(route[1], ids)
    empty = {name: "" for name, value in sample.items() if isinstance(value, str)}  # what a browser sends then
    wrong = {name: too_long(value) for name, value in sample.items()}
    expected = ANSWERED.get(route[1], (422, 422))
    for window, form, status in zip(windows, (empty, wrong), expected, strict=True):
        if status is not None:
            got = await answered(estate, actor, path, window.look.language, form)
            assert got.status_code == status, got.text[:2000]
            assert await show_in_all([window], actor, [html_of(got)], route[1]) == []


async def test_axe_finds_what_is_wrong(windows: list[Window]) -> None:
    await windows[0].sign_in(NOBODY)
    wrong = (
        "<html><body><main><img src='https://elsewhere.example/x.png'><input><p style='color:#aaa'>pale</p>"
        "<a href='/'></a><script>console.log('a word')</script></main></body></html>"
    )
    found = " ".join(await windows[0].show(wrong, "wrong"))
    rules = ("image-alt", "label", "color-contrast", "link-name", "html-has-lang", "document-title")
    for rule in (*rules, "foreign request", "console: a word", "not one h1"):
        assert rule in found, rule
