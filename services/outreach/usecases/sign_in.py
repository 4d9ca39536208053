"""Signing in without a password: a mailed link or code, once, within a quarter of an hour."""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import EmailStr

from services.outreach.domain.common import Command
from services.outreach.domain.people import Person, PersonNotFound
from services.outreach.domain.sign_in import (
    BY_PROVIDER,
    MOST_ATTEMPTS,
    VALID_FOR,
    AddressNotVerified,
    NotKnownHere,
    SignIn,
    SignInCodeNotValid,
    SignInCodeUsedUp,
    SignInLinkNotValid,
    TooManyAttempts,
    TooManySignIns,
)
from services.outreach.store import counters, people
from services.outreach.store import sign_ins as stored
from services.outreach.store.core import Store
from services.outreach.usecases.account import refresh_names
from shared.auth import hash_of_key
from shared.errors import TooManyRequests
from shared.ids import derived_id, random_id
from shared.log import correlation_id
from shared.mongo import AlreadyThere
from shared.schemas.outreach import SignInRequested

HOUR = timedelta(hours=1)
MAILS_PER_ADDRESS_AND_CLIENT = 5
MAILS_PER_ADDRESS = 30
MAILS_PER_CLIENT = 60
CODES_PER_CLIENT = 120
CODES_PER_PERSON_AND_DAY = 30
BY_PROVIDER_PER_CLIENT = 120
DAY = timedelta(days=1)


class AskForSignIn(Command):
    """Somebody wants to sign in with this address and go on at the path `back_to`."""

    email: EmailStr
    back_to: str = "/"


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and where to go on."""

    person: Person
    back_to: str


async def ask_for_sign_in(store: Store, command: AskForSignIn, *, client: str, now: datetime, request_id: str) -> str:
    """The handle with which this browser can use the mailed code. Known and unknown addresses look the same.

    `client` is the asking machine's address. The same form sent again within a minute asks once. TooManySignIns.
    """
    address = command.email.casefold()
    await _count(store, f"mail for {client}", MAILS_PER_CLIENT, now)
    await _count(store, f"mail to {address} for {client}", MAILS_PER_ADDRESS_AND_CLIENT, now)
    await _count(store, f"mail to {address}", MAILS_PER_ADDRESS, now)
    handle = derived_id("sign-in", request_id, address, int(now.timestamp()) // 60)
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06d}"
    person = await people.by_email(store, command.email)
    sign_in = SignIn(
        id=hash_of_key(handle),
        person_id=person.id if person else None,
        token_hash=hash_of_key(token),
        code_hash=hash_of_key(handle + code),
        back_to=command.back_to,
        expires_at=now + VALID_FOR,
    )
    messages = [_mail(sign_in, person, token, code, now)] if person else []
    try:
        await store.insert("sign_ins", sign_in, messages, erase_after=sign_in.expires_at)
    except AlreadyThere:
        return handle
    return handle


async def sign_in_by_link(store: Store, token: str, *, now: datetime) -> SignedIn:
    """Use the link's token up. SignInLinkNotValid when it is unknown, used or too old."""
    used = await stored.use(store, {"token_hash": hash_of_key(token)}, now)
    if used is None:
        raise SignInLinkNotValid
    return await _signed_in(store, used, now)


async def sign_in_by_code(store: Store, handle: str, code: str, *, client: str, now: datetime) -> SignedIn:
    """Use the mailed code up, in the browser that asked for it (`handle`).

    SignInCodeNotValid, and SignInCodeUsedUp after five attempts, use or a quarter of an hour, and after thirty codes
    for one person within a day (the link still works then); TooManyAttempts.
    """
    await _count(store, f"code from {client}", CODES_PER_CLIENT, now, TooManyAttempts)
    sign_in_id = hash_of_key(handle)
    attempted = await stored.attempt(store, sign_in_id, MOST_ATTEMPTS, now)
    if attempted is None:
        raise SignInCodeUsedUp
    for_whom = attempted.person_id or sign_in_id
    if await counters.count(store, f"code for {for_whom}", DAY, now) > CODES_PER_PERSON_AND_DAY:
        raise SignInCodeUsedUp
    given = "".join(code.split())
    if not secrets.compare_digest(attempted.code_hash, hash_of_key(handle + given)):
        raise SignInCodeNotValid
    used = await stored.use(store, {"_id": sign_in_id}, now)
    if used is None:
        raise SignInCodeUsedUp
    return await _signed_in(store, used, now)


async def sign_in_by_provider(
    store: Store, email: str, verified: bool, *, back_to: str, client: str, now: datetime
) -> SignedIn:
    """Who has this address, as a sign-in provider asserts. Nobody is entered, and no role is given.

    AddressNotVerified; NotKnownHere also for who is neither a teacher nor staff; TooManyAttempts.
    """
    await _count(store, f"provider from {client}", BY_PROVIDER_PER_CLIENT, now, TooManyAttempts)
    if not email:
        raise NotKnownHere
    if not verified:
        raise AddressNotVerified
    person = await people.by_email(store, email)
    if person is None or not _same_address(person.email, email):
        raise NotKnownHere
    if not any(role.kind in BY_PROVIDER for role in person.roles):
        raise NotKnownHere
    return await _entered(store, person, back_to, now)


async def make_sign_in_link(store: Store, person_id: str, valid_for: timedelta, now: datetime) -> str:
    """The path of a link that signs an active person in, once, within `valid_for`. PersonNotFound.

    For the process that sets up a system or a demo: no route leads here.
    """
    person = await store.get("people", Person, person_id)
    if person is None or not person.active:
        raise PersonNotFound
    token = secrets.token_urlsafe(32)
    expires_at = now + valid_for
    sign_in = SignIn(
        id=random_id(),
        person_id=person_id,
        token_hash=hash_of_key(token),
        expires_at=expires_at,
        attempts=MOST_ATTEMPTS,
    )
    await store.insert("sign_ins", sign_in, erase_after=expires_at)
    return f"/outreach/sign-in/link?token={token}"


async def _signed_in(store: Store, used: SignIn, now: datetime) -> SignedIn:
    person = await store.get("people", Person, used.person_id) if used.person_id else None
    if person is None or not person.active:
        raise SignInLinkNotValid
    return await _entered(store, person, used.back_to, now)


async def _entered(store: Store, person: Person, back_to: str, now: datetime) -> SignedIn:
    await people.note_use(store, person.id, now)
    await refresh_names(store, person, now=now)
    return SignedIn(person, back_to)


def _same_address(ours: str, theirs: str) -> bool:
    """Whether both are one address letter by letter, but for case; no folding (ß is not ss), and ASCII alone, for
    other letters look alike."""
    return theirs.isascii() and ours.strip().lower() == theirs.strip().lower()


async def _count(
    store: Store, what: str, most: int, now: datetime, error: type[TooManyRequests] = TooManySignIns
) -> None:
    if await counters.count(store, what, HOUR, now) > most:
        seconds = math.ceil(HOUR.total_seconds() - now.timestamp() % HOUR.total_seconds())
        raise error(seconds=seconds, minutes=-(-seconds // 60))


def _mail(sign_in: SignIn, person: Person, token: str, code: str, now: datetime) -> SignInRequested:
    return SignInRequested.about(
        f"sign_in:{sign_in.id}",
        1,
        now=now,
        correlation_id=correlation_id.get(),
        person_id=person.id,
        email=person.email,
        name=person.name,
        language=person.language,
        token=token,
        code=code,
        expires_at=sign_in.expires_at,
    )
