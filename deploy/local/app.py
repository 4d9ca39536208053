"""The front door of the embedded start: the three services in one process, on one origin, with a movable clock."""

import argparse
import hmac
import importlib
import os
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Message

from deploy.local.clock_moves import parse_span, span_until, within_reach
from shared.clock import FileClock
from shared.log import set_up_logging
from shared.service import KEEP_ALIVE_SECONDS, front_door, keep_what_the_start_made

SERVICES = ("outreach", "events", "notify")
ZONE = "Europe/Berlin"


class ClockMove(BaseModel):
    """A span ("14 days 3 hours") or a local moment ("2026-12-01T08:00") to which the clock moves forward."""

    model_config = ConfigDict(extra="forbid")
    forward: str | None = None
    forward_to: str | None = None


def create_app(services: Mapping[str, FastAPI], clock: FileClock, api_key: Path) -> Starlette:
    """The services below their prefixes, and what the embedded start adds; `api_key` is the key file's path."""
    app = front_door(services)

    async def start_page(request: Request) -> Response:
        return RedirectResponse("/outreach/start", status_code=303)

    async def alive(request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(request: Request) -> Response:
        states = {name: await _is_ready(service) for name, service in services.items()}
        return JSONResponse({"ready": all(states.values()), "services": states}, 200 if all(states.values()) else 503)

    async def move_clock(request: Request) -> Response:
        if not _comes_from_here(request):
            return _problem(403, "The clock is moved from this machine only.")
        if not _has_key(request, api_key):
            return _problem(401, "Please send the API key: Authorization: Bearer <key>.")
        try:
            span = _span(await request.body(), clock)
            now = clock.forward(within_reach(span, clock.now()))
        except (ValueError, OverflowError) as error:
            return _problem(422, _sentence(error))
        return JSONResponse({"now": now.isoformat(timespec="seconds")})

    app.add_route("/", start_page, ["GET"])
    app.add_route("/healthz", alive, ["GET"])
    app.add_route("/readyz", ready, ["GET"])
    app.add_route("/local/clock", move_clock, ["POST"])
    return app


def _span(body: bytes, clock: FileClock) -> timedelta:
    move = ClockMove.model_validate_json(body)
    if move.forward is not None and move.forward_to is None:
        return parse_span(move.forward)
    if move.forward_to is not None and move.forward is None:
        return span_until(move.forward_to, clock.now(), ZONE)
    raise ValueError('Send either {"forward": "14 days"} or {"forward_to": "2026-12-01T08:00"}.')


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return 'Send JSON: {"forward": "14 days"} or {"forward_to": "2026-12-01T08:00"}.'
    return "The clock can be moved up to the year 2100." if isinstance(error, OverflowError) else str(error)


def _comes_from_here(request: Request) -> bool:
    return request.client is not None and ip_address(request.client.host).is_loopback


def _has_key(request: Request, api_key: Path) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected = api_key.read_text().strip() if api_key.exists() else ""
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), expected.encode())


def _problem(status: int, detail: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    body = {"type": "about:blank", "title": detail, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


async def _is_ready(service: FastAPI) -> bool:
    """Ask the service's own /readyz, within this process."""
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "GET", "path": "/readyz", "raw_path": b"/readyz", "root_path": "", "headers": []}
    scope |= {"query_string": b"", "http_version": "1.1", "scheme": "http", "server": None, "client": None}
    await service(scope, receive, send)
    return statuses == [200]


def build_services(clock: FileClock) -> dict[str, FastAPI]:
    """The three services, each with its own settings from the environment."""
    services = {}
    for name in SERVICES:
        settings = importlib.import_module(f"services.{name}.settings").Settings()
        services[name] = importlib.import_module(f"services.{name}.app").create_app(settings, clock)
    return services


def main(build: Callable[[FileClock], Mapping[str, FastAPI]] = build_services) -> None:
    """Serve on the listening socket that the launcher hands over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True, help="a listening socket")
    listener = socket.socket(fileno=parser.parse_args().fd)
    set_up_logging(os.environ.get("LOG_LEVEL", "INFO"))
    clock = FileClock(Path(os.environ["CLOCK_FILE"]))
    app = create_app(build(clock), clock, Path(os.environ["DATA_DIR"], "coordinator-api-key"))
    keep_what_the_start_made()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        backlog=4096,
        timeout_graceful_shutdown=4,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        server_header=False,
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
