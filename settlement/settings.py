"""Settings of one home: where the workflow database is, how mail is sent, how the scheduler paces.

They stand in `<home>/settle.toml`; a variable of the environment such as `SETTLE_DATABASE__URL` goes
before the file, so that a password need not be written down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from settlement.errors import PolicyError

FILE = "settle.toml"


class Section(BaseModel):
    """A table of the file; a name nobody knows is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    """Where the workflow database is; empty: `settlement.db` in the home."""

    url: str = ""


class Mail(Section):
    """How messages are sent; without a host they only go to the outbox folder."""

    host: str = ""
    port: int = Field(default=25, ge=1, le=65535)
    sender: str = ""
    user: str = ""
    password: SecretStr = SecretStr("")
    security: Literal["none", "starttls", "tls"] = "none"
    timeout_seconds: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if self.host and "@" not in self.sender:
            raise ValueError("设置了 host 就须写明发件地址 sender")
        return self


class Schedule(Section):
    """How often the scheduler looks, how it repeats what failed, and what it does at night."""

    sweep_seconds: int = Field(default=60, ge=1)
    retry_minutes: int = Field(default=10, ge=1)  # doubled with every further try
    attempts: int = Field(default=5, ge=1)
    lease_minutes: int = Field(default=30, ge=1)
    quiet_seconds: int = Field(default=30, ge=0)  # a file changed more recently is still being written
    nightly_hour: int = Field(default=2, ge=0, le=23)
    keep_backups: int = Field(default=14, ge=1)
    backup_folder: str = ""  # empty: `backups` in the home; better on another disk


class Settings(BaseSettings):
    """All settings of a home."""

    model_config = SettingsConfigDict(
        env_prefix="SETTLE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    database: Database = Database()
    mail: Mail = Mail()
    schedule: Schedule = Schedule()
    # `refused` in a home that pays real money: no robot may take a person's step
    unattended: str = "allowed"
    contact: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file."""
        return (env_settings, TomlConfigSettingsSource(settings_cls))


def load(home: Path) -> Settings:
    """Read the settings of a home.

    Raises:
        PolicyError: the file cannot be read or names something unknown.
    """
    path = home / FILE

    class _Here(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return _Here()
    except (ValidationError, ValueError) as fault:
        words = (
            "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors())
            if isinstance(fault, ValidationError)
            else str(fault)
        )
        raise PolicyError(f"设置 {path} 无法读取:{words}。可用的设置见 docs/operations.md。") from fault
