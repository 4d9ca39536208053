"""One mail over one connection: the envelope with what the relay offers, then the content."""

from dataclasses import dataclass

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPTimeoutError

from services.notify.smtp.failures import (
    NoAnswer,
    Refused,
    TryAgain,
    Unavailable,
    Unsuitable,
    named,
    of_the_mail,
    of_the_sender,
)

NO_ANSWER = "no answer to the whole mail: it may have been taken"
CANNOT_TAKE_UTF8 = "this relay takes no addresses beyond ASCII (SMTPUTF8)"
ABOUT_THE_CONNECTION = (421, 432)
CONTENT_SECONDS = (
    600.0  # RFC 5321, 4.5.3.2.6: whoever waits less gets mails delivered twice by relays that look into them
)


@dataclass(frozen=True)
class Mail:
    """What is handed over. Domains are in ASCII already; `envelope_id` names the delivery in a bounce (RFC 3461)."""

    sender: str
    recipient: str
    content: bytes
    envelope_id: str = ""
    urgent: bool = False

    @property
    def domain(self) -> str:
        """The recipient's domain."""
        return self.recipient.rpartition("@")[2].lower()


async def hand_over(connection: SMTP, mail: Mail, content_seconds: float = CONTENT_SECONDS) -> str:
    """The relay's answer, for example `250 OK`, for which it has `content_seconds`. SMTPResponseException for an answer
    that concerns the connection; else Unavailable, TryAgain, Refused."""
    encoding = "ascii" if mail.recipient.isascii() else "utf-8"
    if encoding == "utf-8" and not connection.supports_extension("smtputf8"):
        raise Unsuitable(CANNOT_TAKE_UTF8)
    try:
        await connection.mail(mail.sender, options=_mail_options(connection, mail), encoding=encoding)
        await _name_recipient(connection, mail, encoding)
    except (SMTPException, OSError) as error:
        if isinstance(error, SMTPResponseException):
            raise
        raise Unavailable(named(error)) from error
    return await _give_content(connection, mail.content, content_seconds)


async def _name_recipient(connection: SMTP, mail: Mail, encoding: str) -> None:
    options = ["NOTIFY=FAILURE,DELAY"] if connection.supports_extension("dsn") else []
    try:
        await connection.rcpt(mail.recipient, options=options, encoding=encoding)
    except SMTPResponseException as error:
        if error.code in ABOUT_THE_CONNECTION:
            raise
        raise of_the_mail(error.code, error.message) from error


async def _give_content(connection: SMTP, content: bytes, seconds: float) -> str:
    """From here on the relay may have the mail even if it does not say so."""
    try:
        response = await connection.data(content, timeout=seconds)
    except SMTPResponseException as error:
        if error.code in ABOUT_THE_CONNECTION:
            raise
        raise of_the_mail(error.code, error.message) from error
    except SMTPTimeoutError as error:
        raise NoAnswer(NO_ANSWER) from error
    except (SMTPException, OSError) as error:
        raise TryAgain(named(error)) from error
    return f"{response.code} {response.message}"


def _mail_options(connection: SMTP, mail: Mail) -> list[str]:
    options = []
    if connection.supports_extension("size"):
        options.append(f"SIZE={len(mail.content)}")
    if not mail.content.isascii() and connection.supports_extension("8bitmime"):
        options.append("BODY=8BITMIME")
    if not mail.recipient.isascii():
        options.append("SMTPUTF8")
    if connection.supports_extension("dsn"):
        options += ["RET=HDRS", *([f"ENVID={mail.envelope_id}"] if mail.envelope_id else [])]
    return options


def failure_of(error: SMTPResponseException) -> TryAgain | Refused:
    """What an answer before the recipient means for the mail."""
    return of_the_sender(error.code, error.message)
