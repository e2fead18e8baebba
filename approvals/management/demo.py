"""The demo's cast, and how to be them.

Passwords, tokens and keys are derived from SECRET_KEY: another installation has others,
and the same one can say them again at every start although it keeps only hashes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils.crypto import salted_hmac

from approvals.models import (
    CallbackSource,
    PersonalToken,
    RequestKind,
    SourceKey,
    SourceSecret,
    User,
)
from approvals.models.source import digest

SOURCE_SLUG = "order-workflow"
SOURCE_NAME = "Samples"
TOKEN_LASTS = timedelta(days=365)
TOKEN_NAME = "Demo"  # noqa: S105  a label


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the demo: a role, and the teams they are asked with."""

    username: str
    first_name: str
    last_name: str
    role: str
    teams: tuple[str, ...] = ()


CAST = (
    Member("dana", "Dana", "Okafor", "reviewer", ("order-desk",)),
    Member("priya", "Priya", "Nair", "reviewer", ("order-desk", "finance")),
    Member("tomas", "Tomas", "Varga", "reviewer", ("finance",)),
    Member("olu", "Olu", "Adeyemi", "operator"),
    Member("noor", "Noor", "Haddad", "auditor"),
    Member("mara", "Mara", "Lindqvist", "admin"),
)
DEFAULT_TEAM = "order-desk"
#: What the order desk says when it rejects; an admin can write others.
REASONS = ["Address cannot be verified", "Payment looks wrong", "The customer cancelled"]


def derived(purpose: str, name: str, *, length: int = 43) -> str:
    """The demo's secret for PURPOSE and NAME: LENGTH characters, 6 bits each, at most 43."""
    mac = salted_hmac("approvals.demo", f"{purpose}:{name}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac).decode()[:length]


def password_of(member: Member) -> str:
    return derived("password", member.username, length=16)


def token_of(member: Member) -> str:
    return "cst_" + derived("token", member.username)


def api_key() -> str:
    return "csk_" + derived("api-key", SOURCE_SLUG)


def seat(cast: Iterable[Member]) -> None:
    """Make CAST where they are missing, and give each the password the demo tells."""
    people = [(member, _person(member)) for member in cast]
    stale = [(member, user) for member, user in people if not _has_password(member, user)]
    with ThreadPoolExecutor() as pool:  # half a second of one core each
        hashes = pool.map(_hashed, [member for member, _ in stale])
        for (_, user), encoded in zip(stale, hashes, strict=True):
            user.password = encoded
            user.save(update_fields=["password"])


def _person(member: Member) -> User:
    user: User = User.objects.get_or_create(
        username=member.username,
        defaults={
            "first_name": member.first_name,
            "last_name": member.last_name,
            "email": f"{member.username}@example.com",
            "is_staff": member.role == "admin",
        },
    )[0]
    groups = [Group.objects.get_or_create(name=name)[0] for name in (member.role, *member.teams)]
    user.groups.add(*groups)
    return user


def _hashed(member: Member) -> str:
    return make_password(password_of(member), salt=_salt(member))


def _has_password(member: Member, user: User) -> bool:
    # The salt, too, is derived: it tells without hashing whether the password is still ours.
    return _salt(member) in user.password.split("$")


def _salt(member: Member) -> str:
    return derived("salt", member.username, length=22)


def give_token(member: Member, *, now: datetime) -> None:
    """See to it that MEMBER's token is live for TOKEN_LASTS from NOW."""
    token = token_of(member)
    PersonalToken.objects.update_or_create(
        sha256=digest(token),
        defaults={
            "user": User.objects.get(username=member.username),
            "name": TOKEN_NAME,
            "prefix": token[:10],
            "expires_at": now + TOKEN_LASTS,
            "revoked_at": None,
        },
    )


def offer_reasons() -> None:
    """Give the kind `order` reasons for rejecting, unless somebody has given it some."""
    RequestKind.objects.filter(slug="order", reject_reasons=[]).update(reject_reasons=REASONS)


def open_source(*, region: str, runner_endpoint: str) -> str:
    """The demo's source, bound to the runner; return its signing secret."""
    address = {"region": region, "endpoint_url": runner_endpoint}
    source, made = CallbackSource.objects.update_or_create(
        slug=SOURCE_SLUG,
        defaults=address,
        create_defaults={**address, "name": SOURCE_NAME, "allow_local_runner": True},
    )
    if made:
        source.default_groups.add(Group.objects.get(name=DEFAULT_TEAM))
    key = api_key()
    SourceKey.objects.update_or_create(
        sha256=digest(key), defaults={"source": source, "prefix": key[:10], "expires_at": None}
    )
    return _signing_secret(source)


def _signing_secret(source: CallbackSource) -> str:
    if kept := SourceSecret.objects.filter(source=source, expires_at=None).order_by("pk").first():
        return "whsec_" + base64.b64encode(kept.reveal()).decode()
    row, secret = SourceSecret.new(source)
    row.save()
    return secret
