"""What can become of a mail at a relay: failures that pass, final ones, and no failure at all are different types."""

import re

from aiosmtplib import SMTPResponseException

_RELAYS_OWN_TROUBLE = (530, 534, 535, 538)  # it wants other credentials: nothing that the recipient's address causes
_TOO_MANY = re.compile(r"too many|concurren|connection limit|connections? (?:rate|count)|throttl", re.IGNORECASE)
_STATUS_OF_SIZE = re.compile(r"5\.(?:3\.4|2\.3)\b")


class TryAgain(Exception):
    """The mail was not accepted now and may be later: no connection, a 4xx answer, a relay that is set up wrong."""


class NoAnswer(TryAgain):
    """The relay had the whole content and said nothing of it for very long. It may have taken the mail."""


class Unavailable(TryAgain):
    """This relay took nothing of the mail, for a reason of its own: another one may be asked at once."""


class Unsuitable(Unavailable):
    """This relay works, but not for such a mail."""


class Refused(Exception):
    """The mail was refused for good: a 5xx answer, or an address that cannot be written to."""


class NotNow(Exception):
    """The relay's limit is reached. The mail was not tried; it may be in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the relay has no room for {seconds:.0f} s")


def wants_fewer_connections(error: BaseException, others_open: int) -> bool:
    """Whether the relay says by 432 or 421 that it has too many of our connections. A bare 421 to one of several says
    it, too; to the only one it means that the relay closes."""
    if not isinstance(error, SMTPResponseException):
        return False
    return error.code == 432 or (error.code == 421 and (others_open > 0 or bool(_TOO_MANY.search(error.message))))


def of_the_sender(code: int, text: str) -> TryAgain | Refused:
    """An answer before any recipient was named: it concerns the relay or our access to it, unless the mail is too
    large for it."""
    if code == 552 or (code >= 500 and _STATUS_OF_SIZE.search(text)):
        return Refused(f"{code} {text}")
    return Unavailable(f"{code} {text}")


def of_the_mail(code: int, text: str) -> TryAgain | Refused:
    """An answer to the recipient or to the content."""
    answer = f"{code} {text}"
    if code in _RELAYS_OWN_TROUBLE:
        return Unavailable(answer)
    return Refused(answer) if code >= 500 else TryAgain(answer)


def named(error: BaseException) -> str:
    """An error that is no answer of a server, in words."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
