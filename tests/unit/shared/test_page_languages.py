"""Both languages side by side in one process."""

from pathlib import Path
from types import SimpleNamespace

from shared.web.pages import Pages


def shown(pages: Pages, language: str) -> str:
    url = SimpleNamespace(path="/", query="")
    cookies = {"perspektive_language": language}
    request = SimpleNamespace(state=SimpleNamespace(), cookies=cookies, headers={}, url=url, method="GET")
    return pages.show(request, "error.html", sentence="").body.decode()


def test_each_language_has_its_own_words():
    pages = Pages("events", Path(__file__).parent)
    assert "Das hat nicht geklappt" in shown(pages, "de")
    assert "That did not work" in shown(pages, "en")
