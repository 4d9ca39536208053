"""The SMTP side of the mailbox: accepts for every address and forwards nothing."""

import asyncio
import re
from collections.abc import Sequence

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailbox.store import MailStore, NewMail
from shared.gather import Gatherer

LARGEST = 10 << 20  # bytes
# A recipient like anna+550@example.org is answered with that code, so that bounces and delays can be tried out.
_ASKED_REPLY = re.compile(r"\+([45]\d\d)@")
_REPLIES = {"4": "{code} 4.2.0 Please try again later", "5": "{code} 5.1.1 No such mailbox here"}


class Inbox:
    """aiosmtpd's handler: says 250 to a mail only when the store has it on the disk."""

    def __init__(self, store: MailStore) -> None:
        self._store = store
        # Mails that arrive while others are being written share one write.
        self._gatherer: Gatherer[NewMail, int] = Gatherer(self._keep)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if asked := _ASKED_REPLY.search(address):
            return _REPLIES[asked[1][0]].format(code=asked[1])
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        source = envelope.original_content or b""
        mail_id = await self._gatherer.submit(
            "mails", NewMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), source)
        )
        return f"250 2.0.0 Kept as {mail_id}"

    async def _keep(self, key: str, mails: Sequence[NewMail]) -> list[int | Exception]:
        await asyncio.sleep(0)  # let the other connections, ready at the same time, join this write
        return list(self._store.keep(mails))


def smtp_session(handler: Inbox) -> SMTP:
    """The protocol of one connection."""
    return SMTP(
        handler,
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        hostname="mailbox.localhost",
        ident="Perspektive mailbox",
        timeout=300,
        loop=asyncio.get_running_loop(),
    )
