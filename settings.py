"""Everything that can be configured, read from the environment by the composition roots only.

One prefix (`PARLEY_`), nesting by `__` (`PARLEY_API__PORT`), `.env` for development, and `…_FILE`
for every secret (`PARLEY_SECRET_KEY_FILE=/run/secrets/parley`). How to reach Temporal is not asked
here: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE` and their kin are read by `temporalio.envconfig`.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "PARLEY_"
SECRET_KEY_MIN_LENGTH = 32
DATABASE_SCHEMES = ("sqlite:///", "postgresql://", "postgresql+asyncpg://")


class ApiSettings(BaseModel):
    """The HTTP server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    body_limit_bytes: int = Field(default=1024 * 1024, ge=1024)
    shutdown_grace_s: int = Field(default=20, ge=0, le=300)


class WorkerSettings(BaseModel):
    """The Temporal worker and its own small port for probes and metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=1, le=65535)
    sandbox: bool = False
    """Workflows in Temporal's sandbox: costs half a worker's CPU; the tests always have it on."""
    shutdown_grace_s: int = Field(default=20, ge=0, le=300)


class LogSettings(BaseModel):
    """What is logged, and how: human lines on a terminal, JSON elsewhere, unless told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """One object with everything; immutable once read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # `.env` also serves Docker Compose; `unknown_names` finds typing errors
        frozen=True,
        hide_input_in_errors=True,  # a refused secret must not stand in the message
    )

    data_dir: Path = Path("var")
    database_url: SecretStr = SecretStr("")
    """`sqlite:///FILE` or `postgresql://…`; empty: `parley.db` in the data folder."""
    public_url: str = ""
    """How browsers and networks reach the API; empty: its host and port."""
    secret_key: SecretStr
    """Encrypts the accounts' credentials and the key of the affinity hashes."""
    secret_key_previous: SecretStr = SecretStr("")
    """Secret keys, one a line, that still open what was sealed with them, while they rotate."""
    bootstrap_admin_key: SecretStr | None = None
    """An API key that the API accepts as an administrator's from its start-up on."""
    temporal_ui_url: str = ""
    """Temporal's web UI, for links from a conversation to its workflow; empty: no links."""
    simulated_network_url: str = ""
    """The simulated network of the demonstration; empty: there is none."""
    demo_usernames: tuple[str, ...] = ()
    """Whom the demonstration lets in with one click from this machine; empty: there is none."""
    presence_grace_s: int = Field(default=60, ge=0, le=86_400)
    """So long after the lease of 60 s an absent agent's conversations wait for the return."""
    internal_targets: tuple[str, ...] = ()
    """Networks inside that connectors may reach (`["10.1.0.0/16"]`); others inside are refused."""
    api: ApiSettings = ApiSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value()) < SECRET_KEY_MIN_LENGTH:
            raise ValueError(f"needs at least {SECRET_KEY_MIN_LENGTH} characters")
        return key

    @field_validator("secret_key_previous")
    @classmethod
    def _are_long_enough(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) < SECRET_KEY_MIN_LENGTH for key in _lines(keys)):
            raise ValueError(f"each line needs at least {SECRET_KEY_MIN_LENGTH} characters")
        return keys

    @field_validator("internal_targets")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network, strict=False)
        return networks

    @field_validator("database_url")
    @classmethod
    def _is_a_known_database(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        if text and not text.startswith(DATABASE_SCHEMES):
            raise ValueError(f"must start with one of {', '.join(DATABASE_SCHEMES)}")
        return url

    @field_validator("public_url", "temporal_ui_url", "simulated_network_url")
    @classmethod
    def _is_a_web_address(cls, url: str) -> str:
        if url and not re.match(r"https?://[^/\s]+", url):
            raise ValueError("must start with http:// or https:// and name a host")
        return url.rstrip("/")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("database_url"):
            folder = Path(given.get("data_dir") or cls.model_fields["data_dir"].default)
            given["database_url"] = f"sqlite:///{folder.absolute() / 'parley.db'}"
        return given

    @model_validator(mode="after")
    def _know_own_address(self) -> Self:
        if not self.public_url:
            address = f"http://{self.api.host}:{self.api.port}"
            object.__setattr__(self, "public_url", address)
        return self

    @property
    def secret_keys(self) -> list[str]:
        """The key that seals, then those that still open."""
        return [self.secret_key.get_secret_value(), *_lines(self.secret_key_previous)]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del file_secret_settings  # a folder of secrets; `…_FILE` names each one instead
        return (init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls))


def _lines(secret: SecretStr) -> list[str]:
    return [line.strip() for line in secret.get_secret_value().splitlines() if line.strip()]


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets named by file: `PARLEY_DATABASE_URL_FILE`, as Docker and Kubernetes mount them."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = environment_name(field_name)
        path = os.environ.get(f"{name}_FILE")
        if not path or not _is_secret(field):
            return None, field_name, False
        if os.environ.get(name):
            raise ValueError(f"{name} and {name}_FILE are both set: keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise ValueError(f"{name}_FILE cannot be read: {error.strerror}: {path}") from error

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found


def environment_name(field_name: str) -> str:
    """Name the variable of a field: `api.port` is `PARLEY_API__PORT`."""
    return PREFIX + field_name.upper().replace(".", "__")


def secret_fields() -> frozenset[str]:
    """Name the fields whose values are never shown."""
    return frozenset(name for name, field in Settings.model_fields.items() if _is_secret(field))


def known_names() -> frozenset[str]:
    """Every variable that is read: a name beside these is a typing error."""
    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        names.add(environment_name(name))
        if _is_secret(field):
            names.add(environment_name(name) + "_FILE")
        parts = getattr(field.annotation, "model_fields", {})
        names.update(environment_name(f"{name}.{part}") for part in parts)
    return frozenset(names)


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that nothing reads."""
    ours = {name for name in environment if name.upper().startswith(PREFIX)}
    return sorted(name for name in ours if name.upper() not in known_names())


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation in (SecretStr, SecretStr | None)
