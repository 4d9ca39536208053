"""The code in a group's QR picture. It is derived, not stored: it is there for every registration that was ever made,
goes with the key when that is changed, and can be checked without another look into the database."""

import base64
import hashlib
import hmac

CODE_LENGTH = 16  # characters of base32: 80 bits


def check_in_code(registration_id: str, secret_key: str) -> str:
    """A registration's check-in code: HMAC-SHA256 under the installation's key, in 16 characters of A–Z and 2–7."""
    digest = hmac.new(secret_key.encode(), f"check-in:{registration_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:CODE_LENGTH]


def is_check_in_code(code: str, registration_id: str, secret_key: str) -> bool:
    """Whether `code` is this registration's, in any spelling of letters; compared in constant time."""
    return hmac.compare_digest(code.upper().encode(), check_in_code(registration_id, secret_key).encode())
