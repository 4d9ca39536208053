"""python -m deploy.local.mailbox --smtp-fd N --http-fd N FILE: the built-in mail server and its page."""

import argparse
import asyncio
import socket
from pathlib import Path

import uvicorn

from deploy.local.mailbox.smtp import Inbox, smtp_session
from deploy.local.mailbox.store import MailStore
from deploy.local.mailbox.web import create_app


async def serve(file: Path, smtp: socket.socket, http: socket.socket) -> None:
    """Take mails on `smtp` and show them on `http` (listening sockets) until SIGTERM."""
    store = MailStore(file)
    inbox = Inbox(store)
    smtp_server = await asyncio.get_running_loop().create_server(lambda: smtp_session(inbox), sock=smtp, backlog=4096)
    # h11 and plain asyncio: less memory, and nobody waits for this page.
    config = uvicorn.Config(
        create_app(store), loop="asyncio", http="h11", ws="none", lifespan="off", access_log=False, log_level="warning"
    )
    async with smtp_server:
        await uvicorn.Server(config).serve(sockets=[http])
    store.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mailbox")
    parser.add_argument("--smtp-fd", type=int, required=True, help="a listening socket for SMTP")
    parser.add_argument("--http-fd", type=int, required=True, help="a listening socket for the page")
    parser.add_argument("file", type=Path, help="where the mails are kept")
    asked = parser.parse_args()
    smtp, http = socket.socket(fileno=asked.smtp_fd), socket.socket(fileno=asked.http_fd)
    for listener in (smtp, http):
        listener.setblocking(False)
    asyncio.run(serve(asked.file, smtp, http))


if __name__ == "__main__":
    main()
