"""The HTTP side of the mailbox: pages for people, JSON for programs. GET changes nothing."""

import os
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.local.mailbox.content import opening_new_tabs, read_content, with_links
from deploy.local.mailbox.store import MailStore
from deploy.local.mailbox.words import words_for
from shared.web.assets import STYLES, Assets

HERE = Path(__file__).parent
ASSETS = HERE.parents[2] / "shared/ui/static"
PAGE_SIZE = 50
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The designed version of a mail is foreign HTML: no script, nothing from the network, its links open in new tabs.
MAIL_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
MAIL_POLICY = (
    f"sandbox {MAIL_SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def create_app(store: MailStore) -> Starlette:
    """The pages and the API over `store`; they answer to loopback's names only, so that no other site reads mails."""
    pages, api = _Pages(store), _Api(store)
    routes = [
        Route("/", pages.list),
        Route("/mails/{mail_id:int}", pages.show),
        Route("/mails/{mail_id:int}/html", pages.designed),
        Route("/mails/{mail_id:int}.eml", pages.source),
        Route("/mailbox.css", _style),
        Route("/api/mails", api.list, methods=["GET"]),
        Route("/api/mails", api.delete, methods=["DELETE"]),
        Route("/api/mails/{mail_id:int}", api.show),
        Route("/api/count", api.count),
        Route("/readyz", _ready),
    ]
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])]
    )


class _Pages:
    def __init__(self, store: MailStore) -> None:
        self._store = store
        self._templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape())
        zone = ZoneInfo(os.environ.get("ZONE", "Europe/Berlin"))
        self._templates.filters["wall"] = lambda moment: moment.astimezone(zone).strftime("%d.%m.%Y %H:%M:%S")

    async def list(self, request: Request) -> Response:
        to, subject = _wanted(request)
        mails = self._store.newest(to, subject, _number(request, "before"), PAGE_SIZE + 1)
        older = mails[PAGE_SIZE - 1].id if len(mails) > PAGE_SIZE else None
        total, _ = self._store.count(to, subject)
        found = {"mails": mails[:PAGE_SIZE], "older": older, "total": total}
        return self._page(request, "list.html", to=to, about=subject, **found)

    async def show(self, request: Request) -> Response:
        found = self._store.find(request.path_params["mail_id"])
        if found is None:
            return self._page(request, "missing.html", status=404)
        mail, source = found
        content = read_content(source)
        linked = Markup(with_links(content.text))
        return self._page(request, "mail.html", mail=mail, content=content, text=linked, sandbox=MAIL_SANDBOX)

    async def designed(self, request: Request) -> Response:
        found = self._store.find(request.path_params["mail_id"])
        html = read_content(found[1]).html if found else ""
        headers = {"Content-Security-Policy": MAIL_POLICY, "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(opening_new_tabs(html), 200 if html else 404, headers)

    async def source(self, request: Request) -> Response:
        mail_id = request.path_params["mail_id"]
        if (found := self._store.find(mail_id)) is None:
            return PlainTextResponse("", 404)
        headers = {"Content-Disposition": f'attachment; filename="{mail_id}.eml"', "X-Content-Type-Options": "nosniff"}
        return Response(found[1], media_type="message/rfc822", headers=headers)

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        words = words_for(request.headers.get("accept-language", ""))
        html = self._templates.get_template(template).render(words=words, **values)
        headers = {"Content-Security-Policy": PAGE_POLICY, "Vary": "Accept-Language", "Referrer-Policy": "no-referrer"}
        return HTMLResponse(html, status, headers)


class _Api:
    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def list(self, request: Request) -> Response:
        """In the order in which they came; `next` is the `after` of the following page, or null at the end."""
        limit = min(_number(request, "limit") or 100, 1000)
        mails = self._store.after(*_wanted(request), _number(request, "after") or 0, limit)
        following = mails[-1].id if len(mails) == limit else None
        return JSONResponse({"items": [mail.as_json() for mail in mails], "next": following})

    async def show(self, request: Request) -> Response:
        if (found := self._store.find(request.path_params["mail_id"])) is None:
            return JSONResponse({"title": "There is no such mail.", "status": 404}, 404)
        mail, source = found
        content = read_content(source)
        parts = {name: getattr(content, name) for name in ("text", "html", "calendar", "calendar_method")}
        attachments = [dict(zip(("name", "type", "size"), each, strict=True)) for each in content.attachments]
        return JSONResponse({**mail.as_json(), "headers": content.headers, **parts, "attachments": attachments})

    async def count(self, request: Request) -> Response:
        """`unique` counts different Message-IDs: less than `total` when a mail was delivered twice."""
        total, unique = self._store.count(*_wanted(request))
        return JSONResponse({"total": total, "unique": unique})

    async def delete(self, request: Request) -> Response:
        return JSONResponse({"deleted": self._store.delete_all()})


def _wanted(request: Request) -> tuple[str, str]:
    return request.query_params.get("to", "").strip(), request.query_params.get("subject", "").strip()


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


async def _style(request: Request) -> Response:
    return Response(_styles(), media_type="text/css")


@cache
def _styles() -> bytes:
    return Assets(ASSETS).content(STYLES) + (HERE / "mailbox.css").read_bytes()


async def _ready(request: Request) -> Response:
    return JSONResponse({"ready": True})
