"""Settings that every service needs, read from the environment by each service's own settings.py."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class CommonSettings(BaseSettings):
    """What a service needs to run; each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore")

    mongodb_url: str = Field(description="MongoDB replica set, for example mongodb://127.0.0.1:27017/?replicaSet=rs0")
    nats_url: str = Field(description="NATS server with JetStream, for example nats://127.0.0.1:4222")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="The one origin people see; links in mails start with it"
    )
    secret_key: SecretStr = Field(description="At least 32 random characters; signs sessions and links", min_length=32)
    database_prefix: str = Field("perspektive", description="Databases are called <prefix>_<service>")
    stream_replicas: int = Field(1, description="JetStream replicas: 3 on a cluster of three")
    zone: str = Field("Europe/Berlin", description="IANA zone of the region's wall time")
    clock_file: Path | None = Field(None, description="Offset file of a movable clock; only for demos and tests")
    search_engines: bool = Field(False, description="Whether search engines may list the pages")
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses of the proxies in front, parted by commas, whose X-Forwarded-For is believed",
    )
    log_level: str = "INFO"
