"""Which addresses may be called: public ones by https, so that nobody reaches the own network by way of this service.

A name is looked up when it is saved, and again for every connection, which is then made to the very address that was
looked at: a name that leads elsewhere the next moment (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore
from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from services.notify.webhooks.rules import AT_ONCE, MOST_WEBHOOKS
from shared.errors import Invalid

LONGEST = 500
THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
# Services for virtual machines that clouds have put at addresses that look public.
OF_CLOUDS = [ip_network(each) for each in ("168.63.129.16/32", "192.0.0.0/24")]
TRANSLATED = [IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48")]
Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], list[str]]


class AddressInvalid(Invalid):
    """This is not an address on the web. It looks like https://program.example/webhooks."""

    field = "address"


class AddressNotSafe(Invalid):
    """The address must begin with https://, so that nobody can read or change what is told."""

    field = "address"


class AddressTellsTooMuch(Invalid):
    """The address must hold no user name, no password and nothing after a #."""

    field = "address"


class NameUnknown(Invalid):
    """There is no machine of this name."""

    field = "address"


class AddressNotPublic(Invalid):
    """This address lies in a closed network. Only addresses on the public internet are called."""

    field = "address"


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name. OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet, also the one within an address that is translated on the way."""
    inner = _within(address)
    if inner is not None:
        return is_public(inner)
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not any(address in each for each in OF_CLOUDS)


def _within(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if any(address in each for each in TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


class Guard:
    """Looks at addresses. With `this_machine` programs on the loopback may be called too, also without https: for
    whoever tries it out."""

    def __init__(self, this_machine: bool, lookup: Lookup = look_up) -> None:
        self._this_machine = this_machine
        self._look_up = lookup
        # Threads of its own: a name server that does not answer must not hold up what the mails need.
        self._threads = ThreadPoolExecutor(MOST_WEBHOOKS * AT_ONCE, thread_name_prefix="webhook-names")

    async def check(self, address: str) -> str:
        """The address as it is called. AddressInvalid, AddressNotSafe, AddressTellsTooMuch, NameUnknown,
        AddressNotPublic."""
        try:
            url = TypeAdapter(AnyHttpUrl).validate_python(address.strip())
        except ValidationError as error:
            raise AddressInvalid from error
        if len(str(url)) > LONGEST or not url.host:
            raise AddressInvalid
        if url.username or url.password or url.fragment is not None:
            raise AddressTellsTooMuch
        if url.scheme != "https" and not (self._this_machine and url.host in THIS_MACHINE):
            raise AddressNotSafe
        await self.address_of(url.host.strip("[]"), url.port or 443)
        return str(url)

    async def address_of(self, host: str, port: int) -> str:
        """Where to connect to: the first of a name's addresses, when all of them may be called. NameUnknown,
        AddressNotPublic."""
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, host, port)
        except (OSError, UnicodeError) as error:
            raise NameUnknown from error
        if not found:
            raise NameUnknown
        if not self._may_call(ip_address(each.partition("%")[0]) for each in found):
            raise AddressNotPublic
        return found[0]

    def _may_call(self, addresses: Iterable[Address]) -> bool:
        return all(is_public(each) or (self._this_machine and each.is_loopback) for each in addresses)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the address that the guard has looked at, and to no other; certificates are checked for the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *more: object, **named: object) -> httpcore.AsyncNetworkStream:
        """A connection. NameUnknown, AddressNotPublic, httpcore.ConnectError."""
        address = await self._guard.address_of(host.strip("[]"), port)
        return await self._network.connect_tcp(address, port, *more, **named)  # type: ignore[arg-type]

    async def sleep(self, seconds: float) -> None:
        """Between attempts of the connection pool."""
        await self._network.sleep(seconds)
