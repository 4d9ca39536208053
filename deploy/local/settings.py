"""What the embedded start reads from the environment. Standard library only: the launcher stays small."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.errors import CannotStart


@dataclass(frozen=True)
class Settings:
    """Ports are TCP ports on 127.0.0.1, 0 takes any free one. A given URL means: that part runs elsewhere."""

    port: int = 8000
    mailbox_port: int = 8025
    data_dir: Path = Path(".data")
    mongodb_url: str | None = None
    nats_url: str | None = None
    smtp_url: str | None = None
    public_url: str | None = None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`, empty values counting as absent; CannotStart names the first wrong one."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    return Settings(
        port=_port(given, "PORT", 8000),
        mailbox_port=_port(given, "MAILBOX_PORT", 8025),
        data_dir=Path(given.get("DATA_DIR", ".data")).absolute(),
        mongodb_url=_url(given, "MONGODB_URL", ("mongodb", "mongodb+srv")),
        nats_url=_url(given, "NATS_URL", ("nats", "tls")),
        smtp_url=_relay(given),
        public_url=_url(given, "PUBLIC_URL", ("http", "https")),
    )


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise CannotStart(f"{name} must be a number from 0 to 65535, not {text!r}.")
    return int(text)


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    text = given.get(name)
    # Several servers may stand in one URL, separated by commas: only the scheme and a host are looked at here.
    if text is not None and (urlsplit(text).scheme not in schemes or not urlsplit(text).netloc):
        raise CannotStart(f"{name} must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}.")
    return text


def _relay(given: Mapping[str, str]) -> str | None:
    """A relay elsewhere could reach real people, so a demo needs to be told twice."""
    url = given.get("SMTP_URL")
    relays = [_url({"SMTP_URL": each}, "SMTP_URL", ("smtp", "smtps")) for each in (url or "").split()]
    outside = [each for each in relays if not _is_loopback(urlsplit(each or "").hostname or "")]
    if outside and given.get("ALLOW_REAL_MAIL") != "yes":
        raise CannotStart(
            "SMTP_URL names a mail server outside this machine, and the demo data must reach nobody;"
            " leave SMTP_URL out to use the built-in mailbox, or set ALLOW_REAL_MAIL=yes."
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
