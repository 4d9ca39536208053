"""What `outreach` reads from the environment besides the common settings."""

from email.utils import parseaddr
from typing import Self

from pydantic import Field, SecretStr, model_validator

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """Settings of the service `outreach`."""

    keep_visit_contacts_days: int = Field(
        90, ge=0, description="Days after a campaign's end after which the contacts of its visits are erased"
    )
    mail_from: str = Field(
        "Perspektive <perspektive@perspektive.example>", description="Sender of mails, as in `notify`"
    )
    mail_domain: str = Field("", description="Domain in calendar entries, as in `notify`; else that of MAIL_FROM")
    keep_people_days: int = Field(730, ge=30, description="Days after which a person who did not sign in is erased")
    answer_school_days: int = Field(
        3, ge=1, le=30, description="School days after which a proposal that is not answered falls"
    )
    oidc_issuer: str = Field("", description="OpenID Connect provider for teachers and staff; none when empty")
    oidc_client_id: str = Field("", description="What this system is called at the provider")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="The secret that the provider issued for it")
    oidc_label: str = Field("OpenID Connect", description="The account’s name on the button of the sign-in page")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("OIDC_ISSUER needs OIDC_CLIENT_ID")
        return self

    @property
    def calendar_domain(self) -> str:
        """The domain in the UIDs of calendar entries, the same as in mails."""
        return self.mail_domain or parseaddr(self.mail_from)[1].rpartition("@")[2]
