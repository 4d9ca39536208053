"""What `outreach` reads from the environment besides the common settings."""

from pydantic import Field

from shared.settings import CommonSettings


class Settings(CommonSettings):
    """Settings of the service `outreach`."""

    keep_visit_contacts_days: int = Field(
        90, ge=0, description="Days after a campaign's end after which the contacts of its visits are erased"
    )
    keep_people_days: int = Field(730, ge=30, description="Days after which a person who did not sign in is erased")
    answer_school_days: int = Field(
        3, ge=1, le=30, description="School days after which a proposal that is not answered falls"
    )
