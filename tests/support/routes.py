"""Every route of the three services, as their applications have them."""

import importlib
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shared.clock import SystemClock

SERVICES = ("outreach", "events", "notify")
SETTINGS = {
    "mongodb_url": "mongodb://127.0.0.1:1/?replicaSet=rs0", "nats_url": "nats://127.0.0.1:1",
    "smtp_url": "smtp://127.0.0.1:1", "secret_key": "for-tests-only-" * 4,
}  # fmt: skip
Route = tuple[str, str]  # (method, path)


def all_routes() -> list[Route]:
    """(GET or POST, path) of everything that answers, sorted."""
    return sorted(route for service in SERVICES for route in routes_of(service, application(service)))


def application(service: str) -> FastAPI:
    """A service as it would start."""
    settings = importlib.import_module(f"services.{service}.settings").Settings(**SETTINGS)
    return importlib.import_module(f"services.{service}.app").create_app(settings, SystemClock())


def routes_of(service: str, app: FastAPI) -> Iterator[Route]:
    """(GET or POST, path) of everything that `app` answers below the service's name."""
    for context in iter_route_contexts(app.routes):
        for method in (context.methods or set()) - {"HEAD"}:
            yield method, f"/{service}{context.path}"


def is_api(route: Route) -> bool:
    """Whether programs call it, with a key."""
    return "/api/v1/" in route[1] and not route[1].endswith("/openapi.json")


def is_page(route: Route) -> bool:
    """Whether people call it, with a session."""
    return "/api/v1/" not in route[1] and not route[1].endswith(("/healthz", "/readyz"))
