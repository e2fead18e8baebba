"""What a source proves itself with: signing secrets and keys, made, rotated and ended.

A rotation makes the new one at once; the former ones end after an overlap, in which
the sender is given the new one. Two at most are live, so that an old one is never
forgotten.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.clock import database_now
from approvals.errors import InvalidFields
from approvals.keeping import desk
from approvals.locales import Words
from approvals.models import CallbackSource, ChangeEvent, SourceKey, SourceSecret, User
from approvals.models.source import LIVE_SECRETS, secret_bytes
from approvals.states import ChangeTag

#: Keys of one purpose a source may have at once.
LIVE_KEYS = 2
#: 24 random bytes hold fewer distinct ones less than once in 10^13 times.
LEAST_DISTINCT_BYTES = 12


class Overlap(TextChoices):
    """How long the former ones still count beside a new one."""

    AT_ONCE = "at-once", gettext_lazy("At once: whoever still uses them is refused")
    HOUR = "hour", gettext_lazy("In 1 hour")
    DAY = "day", gettext_lazy("In 24 hours")
    WEEK = "week", gettext_lazy("In 7 days")

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self]


_LENGTHS = {
    Overlap.AT_ONCE: timedelta(0),
    Overlap.HOUR: timedelta(hours=1),
    Overlap.DAY: timedelta(days=1),
    Overlap.WEEK: timedelta(days=7),
}


@transaction.atomic(durable=True)
def make_secret(slug: str, *, admin: User | None, overlap: Overlap, given: str = "") -> str:
    """A further signing secret of the source SLUG, live now; the former end after OVERLAP.

    GIVEN is one the sender brings (`whsec_<base64>`). Return what was made, to be shown
    this once; "" for one that was given.

    Raises:
        NotAnAdmin: ADMIN is none (any more).
        InvalidFields: GIVEN is malformed or was used before, or two are live already.
    """
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    now = database_now()
    raw = _brought(source, given) if given else None
    live = list(SourceSecret.objects.live(now).filter(source=source).order_by("pk"))
    _check_room(
        len(live),
        LIVE_SECRETS,
        overlap,
        gettext_lazy(
            "%(live)s signing secrets are live already, the most there may be. "
            "End one of them first, or let all of them end at once."
        ),
    )
    _end_after(live, now + overlap.length)
    row, text = SourceSecret.new(source, raw)
    row.save(force_insert=True)
    _record(
        *(ChangeTag.SECRET_MADE, source, admin, now),
        secret=row.pk,
        brought=bool(given),
        others_end=(now + overlap.length).isoformat() if live else None,
    )
    return "" if given else text


@transaction.atomic(durable=True)
def end_secret(slug: str, secret_id: int, *, admin: User | None) -> bool:
    """End one secret of the source SLUG now; False if it has none such that lives."""
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    now = database_now()
    row = SourceSecret.objects.live(now).filter(source=source, pk=secret_id).first()
    if row is None:
        return False
    _end_after([row], now)
    _record(ChangeTag.SECRET_ENDED, source, admin, now, secret=row.pk)
    return True


@transaction.atomic(durable=True)
def make_key(slug: str, *, purpose: str, admin: User | None, overlap: Overlap) -> str:
    """A further key of the source SLUG, shown this once; its like end after OVERLAP.

    Raises:
        NotAnAdmin: ADMIN is none (any more).
        InvalidFields: PURPOSE is none, or two keys of it are live already.
    """
    if purpose not in SourceKey.Purpose.values:
        raise InvalidFields({"purpose": _("Choose what the key is for.")})
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    now = database_now()
    keys = SourceKey.objects.live(now).filter(source=source, purpose=purpose)
    live = list(keys.order_by("pk"))
    _check_room(
        len(live),
        LIVE_KEYS,
        overlap,
        gettext_lazy(
            "%(live)s keys for this are live already, the most there may be. "
            "End one of them first, or let all of them end at once."
        ),
    )
    _end_after(live, now + overlap.length)
    row, text = SourceKey.new(source, purpose)
    row.save(force_insert=True)
    _record(
        *(ChangeTag.KEY_MADE, source, admin, now),
        key=row.prefix,
        purpose=purpose,
        others_end=(now + overlap.length).isoformat() if live else None,
    )
    return text


@transaction.atomic(durable=True)
def end_key(slug: str, key_id: int, *, admin: User | None) -> bool:
    """End one key of the source SLUG now; False if it has none such that lives."""
    source = desk.lock_source(slug)
    desk.check_may_keep(admin)
    now = database_now()
    row = SourceKey.objects.live(now).filter(source=source, pk=key_id).first()
    if row is None:
        return False
    _end_after([row], now)
    _record(ChangeTag.KEY_ENDED, source, admin, now, key=row.prefix, purpose=row.purpose)
    return True


def _brought(source: CallbackSource, given: str) -> bytes:
    try:
        raw = secret_bytes(given)
    except ValueError as error:
        raise InvalidFields(
            {"given": _("%(error)s Nothing was changed.") % {"error": error}}
        ) from None
    if len(set(raw)) < LEAST_DISTINCT_BYTES:
        raise InvalidFields({"given": _("This is too regular to be random: bring another.")})
    # Also an ended one: it ended because somebody no longer trusted it.
    if any(hmac.compare_digest(raw, row.reveal()) for row in source.secrets.all()):
        raise InvalidFields({"given": _("This source has had this secret before: bring another.")})
    return raw


def _check_room(live: int, most: int, overlap: Overlap, words: Words) -> None:
    if overlap is not Overlap.AT_ONCE and live >= most:
        raise InvalidFields({"overlap": str(words) % {"live": live}})


def _end_after(rows: Sequence[SourceSecret | SourceKey], end: datetime) -> None:
    for row in rows:
        if row.expires_at is None or row.expires_at > end:
            row.expires_at = end
            row.save(update_fields=["expires_at"])


def _record(
    tag: ChangeTag, source: CallbackSource, by: User | None, at: datetime, **facts: object
) -> None:
    ChangeEvent.objects.record(tag, desk.source_subject(source.slug), at=at, actor=by, **facts)
