"""Both languages side by side in one process."""

from pathlib import Path

import pytest
from starlette.requests import Request

from shared.web.pages import Pages


@pytest.mark.parametrize(("language", "words"), [("de", "Das hat nicht geklappt"), ("en", "That did not work")])
def test_each_language_has_its_own_words(language, words):
    cookie = f"perspektive_language={language}".encode()
    request = Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"cookie", cookie)]}
    )
    page = Pages("events", Path(__file__).parent).show(request, "error.html", sentence="")
    assert words in page.body.decode()
