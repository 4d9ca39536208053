"""TCP ports on 127.0.0.1."""

import os
import socket

from deploy.local.errors import CannotStart

HOST = "127.0.0.1"


def listen(port: int, setting: str, backlog: int = 4096) -> socket.socket:
    """A listening socket on `port` (0: any free one), to be handed to a child process.

    The launcher keeps it open, so that connections wait instead of being refused while the child starts again.
    CannotStart names `setting` when the port is taken or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        what = "not allowed" if isinstance(error, PermissionError) else "taken by another program"
        raise CannotStart(f"Port {port} is {what}; choose another one with {setting}=<number>.") from None
    listener.listen(backlog)
    return listener


def port_of(listener: socket.socket) -> int:
    """The port on which `listener` listens."""
    return listener.getsockname()[1]


def choose_port(remembered: int | None = None) -> int:
    """A free port, the `remembered` one when it is free.

    Below the range from which Linux takes the ports of outgoing connections: a client that tries again and again to
    reach a server which is just starting can otherwise come to sit on the server's port itself.
    """
    candidates = (20000 + int.from_bytes(os.urandom(2)) % 12000 for _ in range(1000))
    for port in (*([remembered] if remembered else []), *candidates):
        if _is_free(port):
            return port
    raise CannotStart("There is no free port on 127.0.0.1.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
