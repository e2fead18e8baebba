"""What is wrong with an installation, said before anybody meets it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, connections
from django.http.request import validate_host

OLDEST_POSTGRESQL = 15


@register(Tags.security)
def check_exposure(**_options: Any) -> list[CheckMessage]:
    """What only the demo may do: debug pages and plain http."""
    if is_loopback(settings.BASE_URL):
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(
            Error(
                "DEBUG is on, and BASE_URL is not this machine.",
                hint="Take DEBUG away: its pages show settings and code to strangers.",
                id="countersign.E001",
            )
        )
    if not settings.SECURE:
        found.append(
            Error(
                "INSECURE_HTTP is on, and BASE_URL is not this machine.",
                hint="Take INSECURE_HTTP away and serve over https: sessions travel in clear.",
                id="countersign.E002",
            )
        )
    return found


@register(Tags.security)
def check_base_url(**_options: Any) -> list[CheckMessage]:
    """Links in mails must lead here, and safely."""
    url = urlsplit(settings.BASE_URL)
    found: list[CheckMessage] = []
    if settings.SECURE and url.scheme != "https":
        found.append(
            Error(
                "BASE_URL does not start with https://.",
                hint="Write the https address people open; links in mails are made from it.",
                id="countersign.E003",
            )
        )
    if not validate_host(url.hostname or "", settings.ALLOWED_HOSTS):
        found.append(
            Error(
                "The host of BASE_URL is not in ALLOWED_HOSTS.",
                hint="Add it there: links in mails would be answered with 400.",
                id="countersign.E004",
            )
        )
    return found


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """PostgreSQL, new enough."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        connection: Any = connections[alias]
        if connection.vendor != "postgresql":
            hint = "Set DATABASE_URL to a PostgreSQL server."
            found.append(Error("The database is not PostgreSQL.", hint=hint, id="countersign.E005"))
            continue
        try:
            version = connection.pg_version // 10_000
        except OperationalError:
            continue  # whoever needs the database says so better
        if version < OLDEST_POSTGRESQL:
            found.append(
                Error(
                    f"PostgreSQL {version} is too old.",
                    hint=f"Use PostgreSQL {OLDEST_POSTGRESQL} or newer.",
                    id="countersign.E006",
                )
            )
    return found


def is_loopback(url: str) -> bool:
    """Whether URL names this machine and no other."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
