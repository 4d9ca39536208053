"""Signing in with an account elsewhere (OpenID Connect), when a provider is configured.

The two pages are reached by GET because the protocol wants it; the second does nothing without the signed cookie that
the first gave to this browser, and the provider's code works once. Roles never come from the provider: only who the
register knows by a verified address gets in.
"""

import logging
import warnings
from typing import TYPE_CHECKING, Annotated, Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.deprecate import AuthlibDeprecationWarning
from fastapi import APIRouter, FastAPI, Query, Request, Response
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware

from services.outreach.domain.sign_in import AddressNotVerified, NotKnownHere, ProviderAway, ProviderRefused
from services.outreach.edge import Now, ThePages, TheStore, wrong
from services.outreach.settings import Settings
from services.outreach.usecases import sign_in
from services.outreach.web.sign_in import ask_page, with_session
from shared.errors import NotFound, RuleBroken, TooManyRequests
from shared.web.callers import Visitor, client_of, own_path
from shared.web.pages import Pages

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import StarletteOAuth2App

log = logging.getLogger(__name__)
router = APIRouter()
PAGE = "/outreach/sign-in/oidc"
COOKIE = "perspektive_oidc"
BEGUN_FOR_SECONDS = 600
NEXT = "next"
PROVIDER_SECONDS = 10.0
STATUS = {ProviderAway: 503, ProviderRefused: 400, AddressNotVerified: 403, NotKnownHere: 403}


def add_oidc(app: FastAPI, settings: Settings) -> None:
    """Make the configured provider known to the pages; nothing is fetched before somebody signs in."""
    app.state.oidc = _client(settings) if settings.oidc_issuer else None
    if settings.oidc_issuer:
        app.add_middleware(
            SessionMiddleware, secret_key=settings.secret_key.get_secret_value(), session_cookie=COOKIE,
            max_age=BEGUN_FOR_SECONDS, path=PAGE, same_site="lax", https_only=settings.public_url.startswith("https"),
        )  # fmt: skip


@router.get("/sign-in/oidc")
async def begin(request: Request, pages: ThePages, next: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """Leads to the provider, with state, nonce and a PKCE challenge that only this browser can answer."""
    provider = _provider(request)
    try:
        answer = await _asked(_begin(request, provider))
    except RuleBroken as error:
        return _refused(request, pages, error)
    request.session[NEXT] = own_path(next)
    return answer


@router.get("/sign-in/oidc/callback")
async def finish(request: Request, pages: ThePages, store: TheStore, now: Now, person: Visitor) -> Response:
    """Where the provider leads back to: signs in who the register knows by the verified address."""
    provider = _provider(request)
    try:
        claims = await _asked(_claims(request, provider))
        signed_in = await sign_in.sign_in_by_provider(
            store, str(claims.get("email", "")), claims.get("email_verified") is True,
            back_to=own_path(str(request.session.get(NEXT, "/"))), client=client_of(request), now=now,
        )  # fmt: skip
    except RuleBroken as error:
        return _refused(request, pages, error)
    finally:
        request.session.clear()
    return await with_session(request, store, signed_in, person, now)


def _client(settings: Settings) -> "StarletteOAuth2App":
    with warnings.catch_warnings():  # authlib tells everybody of httpx2, whom it does not concern
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.starlette_client import OAuth
    return OAuth().register(
        "provider",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email", "code_challenge_method": "S256", "timeout": PROVIDER_SECONDS},
    )


def _provider(request: Request) -> "StarletteOAuth2App":
    if request.app.state.oidc is None:
        raise NotFound
    return request.app.state.oidc


async def _begin(request: Request, provider: "StarletteOAuth2App") -> Response:
    return await provider.authorize_redirect(request, f"{request.app.state.public_url.rstrip('/')}{PAGE}/callback")


async def _claims(request: Request, provider: "StarletteOAuth2App") -> dict[str, Any]:
    """What the signed ID token says, or, when it holds no address, the provider's page about its holder."""
    issuer, audience = (await provider.load_server_metadata())["issuer"], provider.client_id
    wanted = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}
    token = await provider.authorize_access_token(request, claims_options=wanted)
    claims = token.get("userinfo")
    if not claims:
        raise ProviderRefused
    if "email" in claims:
        return claims
    more = await provider.userinfo(token=token)
    if more.get("sub") != claims["sub"]:
        raise ProviderRefused
    return more


async def _asked(answer: Any) -> Any:
    """The provider's `answer`, whatever it may hold. ProviderAway, ProviderRefused; the log names the kind of error and
    no person."""
    try:
        return await answer
    except (httpx.HTTPError, RuntimeError) as error:
        log.warning("the sign-in provider does not answer: %s", type(error).__name__)
        raise ProviderAway from error
    except (AuthlibBaseError, JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
        log.warning("a sign-in by the provider was refused: %s", type(error).__name__)
        raise ProviderRefused from error


def _refused(request: Request, pages: Pages, error: RuleBroken) -> Response:
    status = 429 if isinstance(error, TooManyRequests) else STATUS.get(type(error), 400)
    if isinstance(error, NotKnownHere):
        return pages.show(request, "sign_in_unknown.html", status)
    return ask_page(request, pages, status, **wrong(request, error))
