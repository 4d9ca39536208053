"""Who is calling: a program with an API key (the API), or a person with a session cookie (the pages)."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import URL
from starlette.routing import Match

from shared.auth import Directory, Identity, Sessions
from shared.errors import NotAllowed, NotSignedIn

SESSION_COOKIE = "perspektive_session"
ACTING_COOKIE = "perspektive_acting"
SIGN_IN_PAGE = "/outreach/sign-in"
LONGEST_WAY_BACK = 400  # characters
_bearer = HTTPBearer(auto_error=False, description="An API key, issued by the coordinator, with scopes")


class ScopeMissing(NotAllowed):
    """This API key lacks the scope {scope}."""


class SignInNeeded(NotSignedIn):
    """This page is for people who are signed in."""

    def __init__(self, back_to: str = "/events/") -> None:
        self.back_to = back_to
        super().__init__()


def program(scope: str) -> Callable[..., Awaitable[Identity]]:
    """A dependency: the calling program, whose key must have `scope` (for example `events:write`)."""

    async def calling_program(
        request: Request, key: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Identity:
        directory: Directory = request.app.state.directory
        identity = await directory.program(key.credentials) if key else None
        if identity is None:
            raise NotSignedIn
        if scope not in identity.scopes:
            raise ScopeMissing(scope=scope)
        return identity

    return calling_program


async def visitor(request: Request) -> Identity | None:
    """A dependency: the signed-in person, or None."""
    sessions: Sessions = request.app.state.sessions
    directory: Directory = request.app.state.directory
    cookie = request.cookies.get(SESSION_COOKIE)
    session = sessions.read(cookie) if cookie else None
    person = await directory.person(*session) if session else None
    chosen = request.cookies.get(ACTING_COOKIE)
    role = sessions.chosen(chosen, person) if person and chosen else None
    request.state.person = person.acting_as(role) if person and role else person
    return request.state.person


async def signed_in(request: Request) -> Identity:
    """A dependency: the signed-in person; everybody else is led to the sign-in page and back."""
    person = await visitor(request)
    if person is None:
        raise SignInNeeded((path_and_query(request.url) if request.method == "GET" else came_from(request)) or "/")
    return person


def sign_in_address(back_to: str, *, unsent: bool = False) -> str:
    """The sign-in page that leads back to the path `back_to`; `unsent`: it says that a form was not taken."""
    return f"{SIGN_IN_PAGE}?next={quote(back_to)}{'&unsent=yes' if unsent else ''}"


def path_and_query(address: URL) -> str:
    """The address's path with its query, which is left out where it is very long."""
    whole = f"{address.path}?{address.query}" if address.query else address.path
    return whole if len(whole) <= LONGEST_WAY_BACK else address.path


def came_from(request: Request) -> str:
    """The page of this origin from which a form was sent, as a path; empty when the browser does not say, or when that
    page was itself the answer to a form."""
    try:
        named = URL(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if named.netloc != URL(request.app.state.public_url).netloc or not named.path.startswith("/"):
        return ""
    return path_and_query(named) if _can_be_opened(request, named.path) else ""


def _can_be_opened(request: Request, path: str) -> bool:
    """Whether GET leads somewhere; of another service's pages nobody knows here, so they count."""
    root = request.scope.get("root_path", "")
    if not path.startswith(f"{root}/"):
        return True
    asked = {**request.scope, "method": "GET", "path": path}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.router.routes)


def own_path(path: str) -> str:
    """`path` when it is a path of this origin, else `/` (a link in a form must not lead elsewhere)."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def client_of(request: Request) -> str:
    """Who asks, for counting how often: the address, or the /64 of an IPv6 address, for a household has all of it."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "unknown"
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))


Person = Annotated[Identity, Depends(signed_in)]
Visitor = Annotated[Identity | None, Depends(visitor)]


async def request_id(request: Request) -> str:
    """A dependency: the id of this request, the same for every retry of it; ids of what it creates derive from it.

    NotSignedIn when the request names no key: only a known caller's requests have an id.
    """
    if not hasattr(request.state, "request_id"):
        raise NotSignedIn
    return request.state.request_id


RequestId = Annotated[str, Depends(request_id)]
