"""A real OpenID Connect provider on a free port of this machine, and a browser that walks to it and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
from oidc_provider_mock import User, run_server_in_thread

VERIFIED = User(sub="toni", claims={"email": "toni@schule.example", "email_verified": True})
PEOPLE = (
    VERIFIED,
    User(sub="unverified", claims={"email": "toni@schule.example", "email_verified": False}),
    User(sub="silent", claims={"email": "toni@schule.example"}),
    User(sub="stranger", claims={"email": "stranger@elsewhere.example", "email_verified": True}),
    User(sub="company", claims={"email": "alex@musterwerk.example", "email_verified": True}),
    User(sub="nameless", claims={}),
)


@contextmanager
def running_provider() -> Iterator[str]:
    """Its issuer; it knows PEOPLE, and demands a nonce."""
    with run_server_in_thread(user_claims=PEOPLE, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


def query_of(address: str) -> dict[str, str]:
    """The query's values by name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def with_query(address: str, **changed: str) -> str:
    """The address with some of the query's values changed."""
    return urlunsplit(urlsplit(address)._replace(query=urlencode({**query_of(address), **changed})))


async def consent(authorize: str, who: str, action: str = "") -> str:
    """What the provider's page answers when `who` presses its button: the address to which it leads back."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(authorize, data={"sub": who, "action": action})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]
