"""The pages for own words and for calendar addresses, and what calendar programs get there, over HTTP."""

import re
from typing import Any

import httpx
import pytest

from shared.schemas import events
from tests.integration.notify.test_own_words import heard_of
from tests.integration.notify.test_pupil_pages import Site, site
from tests.support.notify_builders import registration, said

pytestmark = pytest.mark.processes_only
__all__ = ["site"]
PAGE = "/notify/wordings/campaign1/registration_waitlisted/teacher/de"


def hidden(page: httpx.Response) -> dict[str, str]:
    """What every form of the page carries."""
    return {name: re.findall(rf'name="{name}" value="(\w+)"', page.text)[0] for name in ("csrf", "request_id")}


async def send(http: httpx.AsyncClient, page: str, path: str, **form: Any) -> httpx.Response:
    return await http.post(path, data={**hidden(await http.get(page)), **form})


async def test_words_are_looked_at_tried_saved_and_taken_back(site: Site) -> None:
    await site.world.hear(heard_of())
    async with site.http("coordinator") as http:
        assert "Herbst" in (await http.get("/notify/wordings")).text
        typed = {"subject": "Noch nichts für {{ group }}", "heading": "", "before": "Geduld", "after": ""}
        looked = await send(http, PAGE, PAGE, **typed, version="0", action="preview")
        assert looked.status_code == 200 and "Noch nichts für 8a" in looked.text and "srcdoc=" in looked.text
        assert await site.world.db.wordings.count_documents({}) == 0
        tried = await send(http, PAGE, PAGE, **typed, version="0", action="test")
        assert "Eine Probemail ist unterwegs" in tried.text
        saved = await send(http, PAGE, PAGE, **typed, version="0", action="save")
        assert saved.headers["location"] == f"{PAGE}?done=saved"
        second = await send(http, PAGE, PAGE, **{**typed, "before": "Anders"}, version="0", action="save")
        assert second.status_code == 409 and "gleichzeitig geändert" in second.text and "Anders" in second.text
        back = await send(http, PAGE, f"{PAGE}/take-back", version="0")
        assert back.headers["location"] == f"{PAGE}?done=back"
        for version in ("²", "9" * 30):
            odd = await send(http, PAGE, PAGE, **typed, version=version, action="save")
            assert odd.status_code == 409, version
        again = await send(http, PAGE, f"{PAGE}/take-back", version="0")
        assert again.status_code == 409 and "schon in Gebrauch" in again.text


async def test_a_broken_text_comes_back_with_its_line_beside_the_field(site: Site) -> None:
    await site.world.hear(heard_of())
    async with site.http("coordinator") as http:
        broken = {"subject": "", "heading": "", "before": "Gut\r\n{{ scool }}", "after": "", "version": "0"}
        answer = await send(http, PAGE, PAGE, **broken, action="save")
        assert answer.status_code == 422 and 'id="before-error"' in answer.text
        assert "Zeile 2: Diese Mail hat kein Feld „scool“" in answer.text and "{{ scool }}" in answer.text
        assert (await http.get(PAGE.replace("/de", "/fr"))).status_code == 404


async def test_the_frame_of_a_preview_may_use_the_mail_s_own_style_and_nothing_else(site: Site) -> None:
    await site.world.hear(heard_of())
    async with site.http("coordinator") as http:
        policy = (await http.get(PAGE)).headers["content-security-policy"]
    style = next(each for each in policy.split("; ") if each.startswith("style-src"))
    assert re.fullmatch(r"style-src 'self'( 'sha256-[\w+/=]+')+", style) and "unsafe" not in policy


async def test_a_calendar_program_fetches_only_what_is_new(site: Site) -> None:
    await site.world.hear(said(events.RegistrationConfirmed, registration(id="calendar")))
    page = "/notify/calendars"
    async with site.http("teacher") as http:
        made = await send(http, page, f"{page}/teacher-school1", version="0")
        assert made.headers["location"] == f"{page}?done=made"
        address = re.findall(
            r'value="https://perspektive\.example(/notify/calendar/[^"]+\.ics)"', (await http.get(page)).text
        )
        assert (await send(http, page, f"{page}/teacher-school2", version="0")).status_code == 404
        assert (await send(http, page, f"{page}/teacher-school1", version="²")).status_code == 409
    async with site.http() as program:
        first = await program.get(address[0])
        assert first.headers["content-type"] == "text/calendar; charset=utf-8" and "registration-calendar" in first.text
        assert first.headers["cache-control"] == "private, no-cache"
        before = await site.fingerprint()
        known = await program.get(address[0], headers={"If-None-Match": first.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        assert (await program.get(address[0], headers={"If-None-Match": '"other"'})).status_code == 200
        assert await site.fingerprint() == before
    async with site.http("teacher") as http:
        assert (await send(http, page, f"{page}/teacher-school1/revoke")).headers["location"] == f"{page}?done=revoked"
    async with site.http() as program:
        assert (await program.get(address[0])).status_code == 404
