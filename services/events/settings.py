"""Settings of this service."""

from email.utils import parseaddr

from pydantic import Field

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """What `events` needs besides the common settings."""

    contact_kept_days: int = Field(
        180, ge=1, description="Days after a slot (or a campaign) on which contacts' personal data is erased"
    )
    mail_from: str = Field(
        "Perspektive <perspektive@perspektive.example>", description="Sender of mails, as in `notify`"
    )
    mail_domain: str = Field("", description="Domain in calendar entries, as in `notify`; else that of MAIL_FROM")

    @property
    def calendar_domain(self) -> str:
        """The domain in the UIDs of calendar entries, the same as in mails."""
        return self.mail_domain or parseaddr(self.mail_from)[1].rpartition("@")[2]
