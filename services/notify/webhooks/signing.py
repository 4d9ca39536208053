"""Signatures as Standard Webhooks describes them (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def secret_from(key: str, seed: str) -> str:
    """The secret that follows from SECRET_KEY and a webhook's seed: 32 bytes, written as the standard says. It needs to
    be stored nowhere."""
    return PREFIX + base64.b64encode(hmac.digest(key.encode(), f"webhook:{seed}".encode(), "sha256")).decode()


def fingerprint_of(secret: str) -> str:
    """By which a secret is known again; nothing of it can be made from it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def headers_for(id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a call; a signature per secret, the newest first. `timestamp` in seconds since 1970."""
    signatures = " ".join(signature_of(id, timestamp, body, secret) for secret in secrets)
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def signature_of(id: str, timestamp: int, body: bytes, secret: str) -> str:
    """`v1,` and the HMAC-SHA256 of id, timestamp and body in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
