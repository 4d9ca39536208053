"""What `notify` reads from the environment besides the common settings."""

from email.utils import parseaddr
from typing import Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from services.notify.bounce_mailbox import mailbox_of
from services.notify.smtp.relays import Relay, is_loopback, relays_of
from services.notify.timing import parse_quiet_hours
from shared.settings import CommonSettings

DEMO_SENDER = "Perspektive <perspektive@perspektive.example>"


class CannotStart(Exception):
    """A setting is missing or wrong; the text is one clear sentence for the operator."""


class Settings(CommonSettings):
    """Settings of the service `notify`."""

    smtp_url: SecretStr = Field(
        description="The mail relays, parted by spaces: smtp://user:password@host:587 (STARTTLS) or smtps://…:465"
    )
    mail_from: str = Field(DEMO_SENDER, description="Sender, for example Perspektive <mail@region.example>")
    mail_domain: str = Field("", description="Domain in Message-IDs and calendar UIDs; else that of MAIL_FROM")
    bounce_address: str = Field("", description="Envelope sender, to which bounces come back; else that of MAIL_FROM")
    bounce_mailbox: SecretStr | None = Field(
        None, description="Mailbox that is read for bounces: imaps://user:password@host/INBOX"
    )
    bounce_mailbox_seconds: float = Field(60, gt=0, description="How far apart it is read")
    mails_at_once: int = Field(
        4, ge=1, le=50, description="Mails in flight, and most connections to a relay, per process"
    )
    smtp_timeout_seconds: float = Field(30, gt=0, le=60, description="Longest wait for one answer of the relay")
    retention_days: int = Field(90, ge=1, description="Days after the event (or mail) at which personal data is erased")
    pupil_retention_days: int = Field(
        1, ge=0, le=90, description="Whole days after a visit's day for which pupils' names and addresses are kept"
    )

    quiet_hours: str = Field(
        "20:00-07:00",
        description="Wall time of ZONE in which only mails go out that somebody has just asked for; empty for none",
    )
    reminders_per_week: int = Field(
        7, ge=1, le=100, description="Most mails with reminders to one address in a calendar week; a digest is one"
    )
    webhooks_to_this_machine: bool = Field(
        False, description="Whether webhooks may call programs on this machine, also without https; only to try it out"
    )

    @field_validator("quiet_hours")
    @classmethod
    def _hours_are_clear(cls, text: str) -> str:
        try:
            parse_quiet_hours(text, "UTC")
        except ValueError as error:
            raise ValueError("QUIET_HOURS must look like 20:00-07:00, or be empty.") from error
        return text

    @model_validator(mode="after")
    def _mail_settings_fit(self) -> Self:
        relays = relays_of(self.smtp_url.get_secret_value())
        _check_certificates(relays)
        if "@" not in parseaddr(self.mail_from)[1]:
            raise ValueError("MAIL_FROM must be a mail address, for example Perspektive <mail@region.example>.")
        if self.mail_from == DEMO_SENDER and not all(is_loopback(relay.host) for relay in relays):
            raise ValueError("Set MAIL_FROM to the address that mails through this relay are to come from.")
        if self.bounce_mailbox:
            mailbox_of(self.bounce_mailbox.get_secret_value())
        if self.bounce_address and "@" not in self.bounce_address:
            raise ValueError("BOUNCE_ADDRESS must be a mail address, for example bounces@region.example.")
        self.mail_domain = self.mail_domain or parseaddr(self.mail_from)[1].rpartition("@")[2]
        return self


def _check_certificates(relays: list[Relay]) -> None:
    for relay in relays:
        try:
            relay.tls_context()
        except OSError as error:
            raise ValueError(f"SMTP_URL: ca={relay.ca_file} is no file with a certificate.") from error


def read_settings() -> Settings:
    """The settings in the environment; CannotStart with one sentence about the first that is missing or wrong."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        raise CannotStart(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]).upper() if first["loc"] else ""
    if name == "SMTP_URL" and first["type"] == "missing":
        return "SMTP_URL is not set: name the mail relay, for example smtp://user:password@mail.region.example:587."
    if first["type"] == "missing":
        return f"{name} is not set."
    return f"{name}: {first['msg']}." if name else str(first["msg"]).removeprefix("Value error, ")
