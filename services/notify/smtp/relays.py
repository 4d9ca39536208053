"""The mail relays as the settings name them: where they are, what they allow, and which recipients they are for."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import idna

FORM = "smtp://user:password@host:587 or smtps://user:password@host:465"
OPTIONS = ("connections", "per_minute", "for", "tls", "ca")
MOST = 100_000


@dataclass(frozen=True)
class Relay:
    """Where mails are handed over. Without TLS only on this machine; else its certificate is verified.

    `connections` and `per_minute` are what one process may use, 0 for no limit of its own; `domains` are those of the
    recipients that it is for, none for all; `ca_file` holds a private authority that signed its certificate.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    implicit_tls: bool = False
    starttls: bool = True
    ca_file: str = ""
    connections: int = 0
    per_minute: int = 0
    domains: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For the operator's log, without the password."""
        return f"{self.host}:{self.port}"

    def is_for(self, domain: str) -> bool:
        """Whether it is named for a recipient's domain or for one above it."""
        return any(domain == own or domain.endswith(f".{own}") for own in self.domains)

    def tls_context(self) -> ssl.SSLContext:
        """What verifies the certificate: the authorities of this machine, or only the relay's own."""
        return ssl.create_default_context(cafile=self.ca_file or None)


def relays_of(text: str) -> list[Relay]:
    """The relays in `SMTP_URL`, parted by spaces; ValueError with a sentence that says what is wrong."""
    relays = [relay_of(url) for url in text.split()]
    if not relays:
        raise ValueError(f"SMTP_URL must look like {FORM}.")
    if all(relay.domains for relay in relays):
        raise ValueError("SMTP_URL must name one relay without `for`, for all other domains.")
    return relays


def relay_of(url: str) -> Relay:
    """The relay in one URL, whose parts may be percent-encoded; ValueError."""
    parts = _parts(url)
    given = dict(parse_qsl(parts.query))
    domains = [each.strip(" .").lower() for each in given.get("for", "").split(",")]
    if unknown := set(given) - set(OPTIONS):
        raise ValueError(f"SMTP_URL has the unknown option {min(unknown)}; there are {', '.join(OPTIONS)}.")
    implicit, host = parts.scheme == "smtps", parts.hostname or ""
    return Relay(
        host=host,
        port=parts.port or (465 if implicit else 587),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        implicit_tls=implicit,
        starttls=not implicit and (given.get("tls") == "yes" or not is_loopback(host)),
        ca_file=given.get("ca", ""),
        connections=_number(given, "connections"),
        per_minute=_number(given, "per_minute"),
        domains=tuple(ascii_domain(each) for each in domains if each),
    )


def in_order(relays: Sequence[Relay], domain: str) -> list[Relay]:
    """Those for a recipient's domain (in ASCII), then those for everybody: each after the one that it stands in for."""
    return [relay for relay in relays if relay.is_for(domain)] + [relay for relay in relays if not relay.domains]


def ascii_domain(domain: str) -> str:
    """By IDNA 2008, in which straße.example is not strasse.example; UnicodeError."""
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError(f"SMTP_URL must look like {FORM}.")
    return parts


def _number(given: dict[str, str], name: str) -> int:
    text = given.get(name, "0")
    if not (text.isascii() and text.isdigit() and int(text) <= MOST) or (name in given and int(text) == 0):
        raise ValueError(f"SMTP_URL: {name} must be a whole number above 0.")
    return int(text)
