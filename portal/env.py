"""The environment, read once and typed. Nothing else in the portal reads os.environ.

Every setting can also come from a file: NAME_FILE=/run/secrets/name (a mounted secret).
A missing or malformed setting stops start-up with its name and never with its value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, SecretBytes, SecretStr, ValidationError
from pydantic.functional_validators import AfterValidator, BeforeValidator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from portal.env_values import FieldKey, hard_to_guess, key_bytes, key_ring, scheme, words


class _FileSource(PydanticBaseSettingsSource):
    """NAME_FILE=/path gives the content of the file as the value of NAME."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        return (Path(path).read_text(encoding="utf-8").strip() if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            try:
                value, _, _ = self.get_field_value(field, name)
            except OSError as error:
                raise ImproperlyConfigured(
                    f"{name.upper()}_FILE cannot be read: {error.strerror}"
                ) from error
            if value is not None:
                values[name] = value
        return values


class Environment(BaseSettings):
    """What differs from one installation to the next."""

    model_config = SettingsConfigDict(
        enable_decoding=False, extra="ignore", hide_input_in_errors=True
    )

    database_url: Annotated[str, scheme("postgresql", "postgres")] = Field(
        description="PostgreSQL 15 or newer, as postgresql://user:password@host:port/name"
    )
    redis_url: Annotated[str, scheme("redis", "rediss")] = Field(
        description="Redis 7 or Valkey 8 and newer, as redis://host:port/0"
    )
    secret_key: SecretStr = Field(
        min_length=50, description="Django's secret: 50 random characters or more"
    )
    secret_key_fallbacks: Annotated[list[SecretStr], BeforeValidator(words)] = Field(
        default=[], description="Former values of SECRET_KEY that still verify, while rotating"
    )
    field_keys: Annotated[list[FieldKey], BeforeValidator(key_ring)] = Field(
        description="Encryption at rest: id:base64-of-32-bytes, the current key first"
    )
    audit_key: Annotated[SecretBytes, BeforeValidator(key_bytes)] = Field(
        description="Key of the audit chain: base64 of 32 random bytes"
    )
    allowed_hosts: Annotated[list[str], BeforeValidator(words)] = Field(
        min_length=1, description="Host names under which the portal answers"
    )
    base_url: Annotated[str, scheme("https", "http")] = Field(
        description="Address people open, for links in mails: https://approvals.example.com"
    )
    debug: bool = Field(default=False, description="Django's debug pages; never in production")
    insecure_http: bool = Field(
        default=False,
        description="Serve over plain http (demo only): cookies are not Secure, and questions may "
        "go to addresses that are not public",
    )
    behind_proxy: bool = Field(
        default=False,
        description="A proxy in front ends TLS, strips and sets X-Forwarded-Proto and -For",
    )
    email_url: Annotated[str, scheme("console", "smtp", "smtps", "smtp+tls", "memory", "file")] = (
        Field(default="console:", description="Mail: console: or smtp+tls://user:password@host:587")
    )
    email_from: str = Field(
        default="Countersign <countersign@localhost>", description="Sender of every mail"
    )
    time_zone: str = Field(
        default="UTC", description="Time zone of pages and mails, for who chose none"
    )
    log_level: str = Field(
        default="INFO",
        pattern=r"^(DEBUG|INFO|WARNING|ERROR)$",
        description="How much is logged: DEBUG, INFO, WARNING or ERROR",
    )
    metrics_token: Annotated[SecretStr, AfterValidator(hard_to_guess)] = Field(
        default=SecretStr(""),
        description="Bearer token that /metrics asks for, 20 characters or more; without it there "
        "is no /metrics",
    )
    traces_url: Annotated[str, scheme("http", "https", "")] = Field(
        default="",
        description="Where spans are sent, OTLP over HTTP: http://collector:4318/v1/traces; "
        "needs the extra otel",
    )
    static_root: Path = Field(
        default=Path("staticfiles"), description="Where collectstatic puts the assets"
    )
    statement_timeout_seconds: int = Field(
        default=15, ge=1, le=3600, description="PostgreSQL's statement_timeout for every process"
    )
    prepared_statements: bool = Field(
        default=True,
        description="Let PostgreSQL keep the plans of frequent statements; false behind a "
        "PgBouncer that pools transactions without max_prepared_statements",
    )
    delivery_lease_seconds: int = Field(
        default=60,
        ge=52,
        le=600,
        description="How long one attempt may own a delivery; at least twice the longest call",
    )
    heartbeats_per_second: int = Field(
        default=2000,
        ge=2,
        le=6000,
        description="Most heartbeats a second for one source; AWS takes 3,000 from an account in "
        "a region (6,000 in three), and whoever else beats there needs a share",
    )
    worker_seen_seconds: int = Field(
        default=30,
        ge=5,
        le=600,
        description="Readiness fails when a needed sweep did not end so long",
    )

    reconcile_interval_seconds: int = Field(
        default=60,
        ge=5,
        le=3600,
        description="How often the execution behind an open request is looked at, while the "
        "looks per second afford it",
    )
    looks_per_second: float = Field(
        default=5,
        gt=0,
        le=30,
        description="GetDurableExecution calls for one source; AWS allows an account 30",
    )
    histories_per_second: float = Field(
        default=2,
        gt=0,
        le=15,
        description="GetDurableExecutionHistory calls for one source; AWS allows an account 15",
    )

    @property
    def reconcile_interval(self) -> timedelta:
        return timedelta(seconds=self.reconcile_interval_seconds)

    @property
    def delivery_lease(self) -> timedelta:
        return timedelta(seconds=self.delivery_lease_seconds)

    @property
    def worker_seen(self) -> timedelta:
        return timedelta(seconds=self.worker_seen_seconds)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _FileSource(settings_cls), env_settings


def read(overrides: Mapping[str, Any] | None = None) -> Environment:
    """The environment, checked.

    Raises:
        ImproperlyConfigured: names every missing or malformed setting and says what to
            write; values are never part of the message.
    """
    try:
        return Environment(**(overrides or {}))
    except ValidationError as error:
        lines = [_complaint(problem) for problem in error.errors(include_input=False)]
        raise ImproperlyConfigured("\n".join(["The environment needs mending:", *lines])) from None


def _complaint(problem: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0])
    if problem["type"] == "missing":
        purpose = Environment.model_fields[name].description
        return f"  {name.upper()} is not set. {purpose}."
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"  {name.upper()}: {message}."
