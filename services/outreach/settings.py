"""What `outreach` reads from the environment besides the common settings."""

from pathlib import Path

from pydantic import Field

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """Settings of the service `outreach`."""

    keep_visit_contacts_days: int = Field(
        90, ge=0, description="Days after a campaign's end after which the contacts of its visits are erased"
    )
    keep_people_days: int = Field(730, ge=30, description="Days after which a person who did not sign in is erased")

    operator_name: str = Field("", description="Who runs this and is the controller: name of the agency")
    operator_address: str = Field("", description="Its postal address, the lines parted by commas")
    operator_email: str = Field("", description="Its mail address for the public; feedback is announced there")
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
