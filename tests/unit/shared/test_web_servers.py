"""How each service starts its web server: whose word is taken for the address of a browser, and who hangs up first."""

import importlib
import sys
from typing import Any

import httpx
import pytest
import uvicorn

BROWSER, PROXY, STRANGER = "203.0.113.7", "10.1.2.3", "198.51.100.9"


async def says_who_calls(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that answers with the address that rate limits would count."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


class Given:
    """The settings that matter here."""

    log_level = "INFO"
    clock_file = None
    trusted_proxies = "127.0.0.1,10.0.0.0/8"


def started(monkeypatch: pytest.MonkeyPatch, service: str) -> uvicorn.Config:
    """The web server's settings as the service gives them."""
    alone, seen = importlib.import_module(f"services.{service}.__main__"), []
    for name in ("create_app", "set_up_logging"):
        monkeypatch.setattr(alone, name, lambda *_, **__: None)
    monkeypatch.setattr(alone, "read_settings" if service == "notify" else "Settings", Given)
    monkeypatch.setattr(alone, "front_door", lambda _: says_who_calls)
    monkeypatch.setattr(alone.uvicorn, "run", lambda app, **given: seen.append(uvicorn.Config(app, **given)))
    monkeypatch.setattr(sys, "argv", [service])
    alone.main()
    seen[0].load()
    return seen[0]


@pytest.mark.parametrize("service", ["outreach", "events", "notify"])
@pytest.mark.parametrize(
    ("caller", "named", "counted"),
    [
        (PROXY, BROWSER, BROWSER),
        (STRANGER, BROWSER, STRANGER),
        (PROXY, f"{BROWSER}, {STRANGER}", STRANGER),
        (PROXY, f"{BROWSER}, 10.9.9.9", BROWSER),
    ],
)
async def test_only_a_trusted_proxy_is_believed(
    monkeypatch: pytest.MonkeyPatch, service: str, caller: str, named: str, counted: str
) -> None:
    transport = httpx.ASGITransport(app=started(monkeypatch, service).loaded_app, client=(caller, 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://door.example") as http:
        assert (await http.get("/", headers={"X-Forwarded-For": named})).text == counted


@pytest.mark.parametrize("service", ["outreach", "events", "notify"])
def test_a_proxy_hangs_up_before_the_service_does(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """Else a form that is sent at that moment gets no answer, and nobody knows whether it was taken."""
    caddy_keeps = 120  # seconds; nginx and the balancers of the clouds keep 60
    assert started(monkeypatch, service).timeout_keep_alive > caddy_keeps
