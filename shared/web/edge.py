"""The HTTP edge that every service has: errors, sessions, idempotency, security headers, health, static files."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth import Directory, Sessions
from shared.ids import random_id
from shared.log import correlation_id
from shared.mongo import Database
from shared.settings import CommonSettings
from shared.web import set_aside
from shared.web.assets import takes_gzip
from shared.web.idempotency import Idempotency
from shared.web.openapi import describe_edge
from shared.web.pages import Pages, add_page_handlers
from shared.web.problems import add_problem_handlers, handler_for
from shared.web.set_aside_api import set_aside_api

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
DISPENSABLE = {"broker"}  # shown, but without it requests are answered and messages wait
Checks = dict[str, Callable[[], Awaitable[bool]]]


class _Envelope:
    """Gives each request a correlation id, and each answer the security headers. Nobody keeps an answer that does not
    say so itself, and no browser a page of a person, who may have signed out on a shared machine. HEAD is answered as
    GET is, without the body.
    """

    def __init__(self, app: ASGIApp, search_engines: bool = False) -> None:
        self._app = app
        self._headers = HEADERS if search_engines else {**HEADERS, "X-Robots-Tag": "noindex, nofollow"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = correlation_id.set(random_id())
        started = False
        only_head = scope["method"] == "HEAD"
        scope = {**scope, "method": "GET"} if only_head else scope
        api = "/api/" in scope["path"]

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-Id"] = correlation_id.get()
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                signed_in = scope.get("state", {}).get("person") is not None
                headers.setdefault("Cache-Control", "no-store" if api or signed_in else "no-cache, private")
            elif only_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:
            if started:
                raise
            # Here and not further out: the answer gets its headers, and the log line its correlation id.
            answer = await handler_for(scope["app"].exception_handlers, error)(Request(scope), error)
            await answer(scope, receive, with_headers)
        finally:
            correlation_id.reset(token)


class _Compression(GZipMiddleware):
    """GZipMiddleware, for who does not say that gzip has the weight 0."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["type"] != "http" or takes_gzip(Headers(scope=scope).get("accept-encoding", ""))
        await (super().__call__ if wanted else self.app)(scope, receive, send)


def build_edge(
    service: str,
    settings: CommonSettings,
    db: Database,
    pages: Pages,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]],
    checks: Checks,
) -> FastAPI:
    """The service's application, still without its own routes.

    `checks` say by name which parts work; it is ready when all but the dispensable ones do.
    """
    app = FastAPI(
        title=f"Perspektive {service}",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.directory = Directory(db)
    app.state.sessions = Sessions(settings.secret_key.get_secret_value())
    app.state.public_url = settings.public_url
    app.state.pages = pages
    app.state.db = db
    app.add_middleware(Idempotency, db=db)
    app.add_middleware(_Envelope, search_engines=settings.search_engines)
    app.add_middleware(_Compression, minimum_size=1024, compresslevel=5)
    add_problem_handlers(app)
    add_page_handlers(app, pages)
    describe_edge(app)
    _add_health(app, checks)
    app.include_router(set_aside.router)
    app.include_router(set_aside_api(service), prefix="/api/v1")
    app.mount("/static", pages.assets, name="static")
    return app


def _add_health(app: FastAPI, checks: Checks) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def alive() -> Response:
        return JSONResponse({"alive": True})

    @app.get("/readyz", include_in_schema=False)
    async def ready(request: Request) -> Response:
        results = {name: await _holds(check) for name, check in checks.items()}
        is_ready = all(holds for name, holds in results.items() if name not in DISPENSABLE)
        return JSONResponse({"ready": is_ready, "parts": results}, 200 if is_ready else 503)


async def _holds(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await check()
    except Exception:  # whatever is wrong, the answer is: not ready
        return False
