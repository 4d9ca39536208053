"""Settings of this service."""

from pydantic import Field

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """What `events` needs besides the common settings."""

    contact_kept_days: int = Field(
        180, ge=1, description="Days after a slot (or a campaign) on which contacts' personal data is erased"
    )
