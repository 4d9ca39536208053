"""What `outreach` reads from the environment besides the common settings."""

from email.utils import parseaddr
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from shared.settings import CommonSettings

ON_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


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
    operator_name: str = Field("", description="Who runs this and is the controller: name of the agency")
    operator_address: str = Field("", description="Its postal address, the lines parted by commas")
    operator_email: str = Field("", description="Its mail address for the public, on imprint and privacy page")
    operator_phone: str = Field("", description="Its telephone number for the public")
    operator_represented_by: str = Field("", description="Who represents it in law: name and office")
    data_protection_officer: str = Field("", description="Name and address of the data protection officer")
    supervisory_authority: str = Field("", description="The data protection authority for complaints")
    accessibility_checked: str = Field("", description="When and by whom accessibility was checked last")
    texts_dir: Path | None = Field(
        None, description="Folder with own texts (imprint.de.md, privacy.en.md, …) in place of the default ones"
    )
    funder_text_de: str = Field(
        "Kofinanziert von der Europäischen Union – Europäischer Fonds für regionale Entwicklung (EFRE).",
        description="The funder's notice in German; empty for none",
    )
    funder_text_en: str = Field(
        "Co-funded by the European Union – European Regional Development Fund (ERDF).",
        description="The funder's notice in English",
    )
    funder_logo: Path | None = Field(None, description="The funder's logo as an SVG, PNG or JPEG file")
    contact_kept_days: int = Field(180, description="As `events` reads it: named on the privacy page")
    retention_days: int = Field(90, description="As `notify` reads it: named on the privacy page")
    pupil_retention_days: int = Field(1, description="As `notify` reads it: named on the privacy page")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("OIDC_ISSUER needs OIDC_CLIENT_ID")
        issuer = urlsplit(self.oidc_issuer)
        if self.oidc_issuer and issuer.scheme != "https" and issuer.hostname not in ON_THIS_MACHINE:
            raise ValueError("OIDC_ISSUER must begin with https://")
        return self

    @property
    def calendar_domain(self) -> str:
        """The domain in the UIDs of calendar entries, the same as in mails."""
        return self.mail_domain or parseaddr(self.mail_from)[1].rpartition("@")[2]
