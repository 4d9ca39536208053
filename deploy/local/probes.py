"""Is a child ready? Asked in a few bytes on a plain socket: the launcher loads neither driver nor HTTP client."""

import socket

from deploy.local.ports import HOST

_SECONDS = 1.0
# OP_MSG with the document {hello: 1, $db: "admin"}: header (length, id, answer to, opcode 2013), flags, section 0.
_HELLO_DOCUMENT = b"\x1f\0\0\0" + b"\x10hello\0\x01\0\0\0" + b"\x02$db\0\x06\0\0\0admin\0" + b"\0"
_HELLO_HEADER = (21 + len(_HELLO_DOCUMENT)).to_bytes(4, "little") + b"\x01\0\0\0" + b"\0" * 4 + b"\xdd\x07\0\0"
_HELLO = _HELLO_HEADER + b"\0" * 4 + b"\0" + _HELLO_DOCUMENT
_OK = b"\x01ok\0" + b"\0" * 6 + b"\xf0?"  # the field that ends an answer: ok = 1.0


def http_is_ready(port: int, path: str = "/readyz") -> bool:
    """Whether GET `path` on this machine answers 200."""
    answer = _ask(port, f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode(), enough=12)
    return answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))


def mongod_is_writable(port: int) -> bool:
    """Whether the mongod is the primary of its replica set and takes writes."""
    return b"\x08isWritablePrimary\0\x01" in _ask(port, _HELLO, enough=65536, until=_OK)


def nats_is_ready(port: int) -> bool:
    """Whether a NATS server with JetStream greets."""
    return b'"jetstream":true' in _ask(port, b"", enough=4096, until=b"\r\n")


def _ask(port: int, question: bytes, enough: int, until: bytes | None = None) -> bytes:
    """Up to `enough` bytes of the answer, or until it holds `until`; empty when nobody answers within a second."""
    answer = b""
    try:
        with socket.create_connection((HOST, port), timeout=_SECONDS) as connection:
            connection.sendall(question)
            while len(answer) < enough and not (until and until in answer):
                if not (chunk := connection.recv(enough)):
                    break
                answer += chunk
    except OSError:
        return b""
    return answer
