"""Who may send callback IDs, and with what they prove it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from approvals import keyring
from approvals.models.sql import Prepared
from approvals.models.user import User

#: Secrets a source may have at once, so that one can be rotated in while one goes out.
LIVE_SECRETS = 2
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets start with


def secret_bytes(secret: str) -> bytes:
    """The key inside `whsec_<base64>`, as Standard Webhooks writes a signing secret.

    Raises:
        ValueError: the prefix is missing, or the rest is not padded base64 of 24 to 64
            bytes.
    """
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("A signing secret starts with whsec_.")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:  # not base64, or not even ASCII
        raise ValueError("A signing secret is base64 after whsec_.") from error
    if not 24 <= len(key) <= 64:
        raise ValueError("A signing secret holds 24 to 64 bytes.")
    return key


def secret_place(source_id: int) -> str:
    """Where a sealed secret belongs: that source, and no other."""
    return f"source.secret:{source_id}"


class CallbackSource(models.Model):
    """A sender of callback IDs: its functions, its way to AWS, and its defaults.

    A source speaks only for the functions it names and, at AWS, only with its own role
    (confused deputy): `role_arn` empty means the portal's own credentials.
    """

    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    active = models.BooleanField(default=True)
    region = models.CharField(max_length=32)
    endpoint_url = models.URLField(blank=True, default="", help_text="Empty: AWS's own endpoint")
    role_arn = models.CharField(max_length=2048, blank=True, default="")
    external_id = models.CharField(max_length=1224, blank=True, default="")
    function_arns = ArrayField(
        models.CharField(max_length=256),
        default=list,
        blank=True,
        help_text="arn:aws:lambda:REGION:ACCOUNT:function:NAME, each for all its versions",
    )
    allow_local_runner = models.BooleanField(
        default=False, help_text="Accept the execution names of AWS's local runner (uuid/uuid)"
    )
    verify_callbacks = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Ask the execution's history whether each callback exists and waits",
    )
    questions_url = models.URLField(
        max_length=500, blank=True, default="", db_default="",
        help_text="Where questions of reviewers are posted, signed",
    )  # fmt: skip
    questions_mail = models.EmailField(
        blank=True, default="", db_default="", help_text="Or where they are mailed to"
    )
    default_users = models.ManyToManyField(User, blank=True, related_name="+")
    default_groups = models.ManyToManyField(Group, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class SourceSecretQuerySet(models.QuerySet["SourceSecret"]):
    def live(self, now: datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class SourceSecret(models.Model):
    """A signing secret; two may be live at once while a sender rotates."""

    source = models.ForeignKey(CallbackSource, models.CASCADE, related_name="secrets")
    sealed = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = SourceSecretQuerySet.as_manager()

    def __str__(self) -> str:
        return f"secret of {self.source.slug}"

    @classmethod
    def new(cls, source: CallbackSource, raw: bytes | None = None) -> tuple[Self, str]:
        """An unsaved row and the secret as the sender writes it (`whsec_<base64>`).

        RAW is a key the sender brings; without, one is made.
        """
        raw = raw or secrets.token_bytes(32)
        sealed = keyring.seal(raw, place=secret_place(source.pk))
        return cls(source=source, sealed=sealed), SECRET_PREFIX + base64.b64encode(raw).decode()

    def reveal(self) -> bytes:
        """The raw HMAC key."""
        return keyring.unseal(self.sealed, place=secret_place(self.source_id))


class SourceKeyQuerySet(models.QuerySet["SourceKey"]):
    def live(self, now: datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class SourceKey(models.Model):
    """A Bearer key for senders that cannot sign; only its SHA-256 is kept."""

    class Purpose(models.TextChoices):
        REQUESTS = "requests", gettext_lazy("Open, follow and withdraw requests")
        EVENTS = "events", gettext_lazy("Hand in EventBridge events, nothing else")

    source = models.ForeignKey(CallbackSource, models.CASCADE, related_name="keys")
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.REQUESTS)
    prefix = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = SourceKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @classmethod
    def new(cls, source: CallbackSource, purpose: str = Purpose.REQUESTS) -> tuple[Self, str]:
        """An unsaved row and the key as the sender writes it, shown once."""
        key = "csk_" + secrets.token_urlsafe(32)
        return cls(source=source, purpose=purpose, prefix=key[:10], sha256=digest(key)), key


_COLUMNS = tuple(
    field.attname for field in CallbackSource._meta.concrete_fields if field.name != "created_at"
)
_SELECT = f"SELECT {', '.join(f's.{name}' for name in _COLUMNS)}"
_LIVE = """
  (SELECT {proof} FROM {table} p
    WHERE p.source_id = s.id AND (p.expires_at IS NULL OR p.expires_at > %(now)s) {also})
  FROM approvals_callbacksource s WHERE s.slug = %(slug)s AND s.active"""

# A source comes with what proves it: an unknown one costs the same one question.
_WITH_SECRETS = Prepared(
    f"{_SELECT}, ARRAY" + _LIVE.format(proof="p.sealed", table="approvals_sourcesecret", also="")
)
_WITH_KEYS = {
    purpose: Prepared(
        f"{_SELECT}, ARRAY"
        + _LIVE.format(
            proof="p.sha256",
            table="approvals_sourcekey",
            also=f"AND p.purpose = '{purpose.value}'",
        )
    )
    for purpose in SourceKey.Purpose
}


def active_source_and_secrets(
    slug: str, now: datetime
) -> tuple[CallbackSource | None, list[bytes]]:
    """The active source SLUG and its live signing keys; (None, []) where there is none."""
    source, sealed = _with_proofs(_WITH_SECRETS, slug, now)
    if source is None:
        return None, []
    return source, [keyring.unseal(each, place=secret_place(source.pk)) for each in sealed]


def active_source_and_key_hashes(
    slug: str, now: datetime, *, purpose: SourceKey.Purpose
) -> tuple[CallbackSource | None, list[str]]:
    """The active source SLUG and the hashes of its live keys for PURPOSE, and no other."""
    return _with_proofs(_WITH_KEYS[purpose], slug, now)


def _with_proofs(
    statement: Prepared, slug: str, now: datetime
) -> tuple[CallbackSource | None, list[Any]]:
    row = statement.row(slug=slug, now=now)
    if row is None:
        return None, []
    *columns, proofs = row
    return CallbackSource.from_db("default", _COLUMNS, columns), proofs


def digest(token: str) -> str:
    """How keys and tokens of 256 random bits are kept: their SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()
