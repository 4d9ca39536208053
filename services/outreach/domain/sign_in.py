"""Signing in by a mailed link or a six-digit code: valid for a quarter of an hour, and once."""

from datetime import datetime, timedelta

from services.outreach.domain.common import Aggregate
from shared.errors import Invalid, NotAllowed, TooManyRequests, TryLater
from shared.schemas.outreach import RoleKind

VALID_FOR = timedelta(minutes=15)
MOST_ATTEMPTS = 5
BY_PROVIDER: tuple[RoleKind, ...] = ("teacher", "coordinator", "operator")


class SignInLinkNotValid(Invalid):
    """This link has been used already or is too old. Please ask for a new mail."""


class SignInCodeNotValid(Invalid):
    """This code is not right. Please look at the newest mail."""

    field = "code"


class SignInCodeUsedUp(Invalid):
    """This code cannot be used any more. Please ask for a new mail."""

    field = "code"


class TooManySignIns(TooManyRequests):
    """Too many mails were asked for. Please wait {minutes} minutes and try again."""


class TooManyAttempts(TooManyRequests):
    """Too many attempts. Please wait {minutes} minutes and try again."""


class ProviderAway(TryLater):
    """Your account’s sign-in page does not answer at the moment. Please have a mail sent, or try again later."""


class ProviderRefused(Invalid):
    """Signing in with your account did not work, or took too long. Please begin again, or have a mail sent."""


class AddressNotVerified(NotAllowed):
    """Your account’s e-mail address has not been verified there. Please verify it, or have a mail sent."""


class NotKnownHere(NotAllowed):
    """We do not know you yet. Please ask your coordinator."""


class SignIn(Aggregate):
    """One sign-in mail, or a demo's link. Of token, code and the asking browser's handle (`id`) only hashes are kept.

    `person_id` is None when nobody has the address that was given: it looks the same from outside.
    """

    person_id: str | None
    token_hash: str
    code_hash: str = ""
    back_to: str = "/"
    attempts: int = 0
    expires_at: datetime
    used_at: datetime | None = None
