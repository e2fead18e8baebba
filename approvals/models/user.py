"""People."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from functools import cached_property
from typing import ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from approvals.models.rights import REVIEW, Rights, rights_of

#: Names of the groups that carry permissions. They are roles, never a team to ask.
ROLES = ("reviewer", "operator", "auditor", "admin")


def comparable(*names: str) -> frozenset[str]:
    """NAMES as four eyes compares them: trimmed, one Unicode form, case-folded, none empty.

    What nobody sees (format characters such as a zero-width space) makes no other name.
    """
    return frozenset(name for name in map(_folded, names) if name)


def _folded(name: str) -> str:
    if name.isascii():
        return name.strip().casefold()
    seen = (
        char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf"
    )
    return "".join(seen).strip().casefold()


class UserQuerySet(models.QuerySet["User"]):
    def asked(self, *, user_ids: Collection[int], group_ids: Collection[int]) -> Self:
        """The people behind a list of users and groups, each once."""
        members = User.groups.through.objects.filter(group_id__in=group_ids)
        return self.filter(Q(pk__in=user_ids) | Q(pk__in=members.values("user_id")))

    def called(self, names: Collection[str]) -> Self:
        """The people whose username, mail or subject is among NAMES (comparable)."""
        lower = {f"{field}_lower": Lower(field) for field in ("username", "email", "subject")}
        any_of = [Q(**{f"{alias}__in": list(names)}) for alias in lower]
        return self.alias(**lower).filter(any_of[0] | any_of[1] | any_of[2])

    def reviewers(self, source_id: int) -> Self:
        """Active people who may review what the source asks: by role, everywhere or there."""
        by_group = User.groups.through.objects.filter(
            group__permissions__content_type__app_label="approvals",
            group__permissions__codename="review",
        )
        by_name = User.user_permissions.through.objects.filter(
            permission__content_type__app_label="approvals", permission__codename="review"
        )
        people = User.objects.order_by()
        named_here = people.filter(source_roles__source=source_id, source_roles__may=REVIEW)
        members_here = people.filter(
            groups__source_roles__source=source_id, groups__source_roles__may=REVIEW
        )
        return self.filter(is_active=True).filter(
            Q(is_superuser=True)
            | Q(pk__in=by_group.values("user_id"))
            | Q(pk__in=by_name.values("user_id"))
            | Q(pk__in=named_here.values("pk"))
            | Q(pk__in=members_here.values("pk"))
        )


class PeopleManager(UserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class User(AbstractUser):
    """A person who reviews, operates, audits or administers.

    `subject` is the identity provider's stable name for the person; four eyes compares
    requesters with it as well as with username and mail. `time_zone` is the one in which
    they read times, as in `Europe/Berlin`; empty: the portal's. `language` is the one they read
    pages and mails in, as in `de`; empty: as their browser says.
    """

    subject = models.CharField(max_length=255, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    language = models.CharField(max_length=8, blank=True, default="", db_default="")

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta:
        permissions = [
            ("review", "Can decide requests they are asked about"),
            ("operate", "Can see all requests, redrive, reassign and force answers"),
            ("audit", "Can read all requests and their history"),
            ("administer", "Can keep sources and kinds"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=~models.Q(subject=""), name="one_person_per_subject"
            ),
        ]

        # Whom a requester's name means is asked at every receipt.
        indexes = [
            models.Index(Lower("username"), name="users_by_lower_name"),
            models.Index(Lower("email"), name="users_by_lower_email"),
            models.Index(Lower("subject"), name="users_by_lower_subject"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def zone(self) -> ZoneInfo:
        """Where this person reads times: the portal's zone where theirs is not known here."""
        try:
            return ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(settings.TIME_ZONE)

    @property
    def mail_language(self) -> str:
        """What mails to this person are written in; the portal's where they chose none."""
        known = dict(settings.LANGUAGES)
        return self.language if self.language in known else settings.LANGUAGE_CODE

    @cached_property
    def rights(self) -> Rights:
        """What this person may do, as read when it was first asked of this object."""
        return rights_of(self.pk, is_active=self.is_active, is_superuser=self.is_superuser)

    @property
    def sees_everything(self) -> bool:
        """Operators, auditors and admins see every request; it lets nobody decide."""
        return self.rights.oversees_everything

    def identities(self) -> frozenset[str]:
        """The names under which a requester string may mean this person, case-folded."""
        return comparable(self.username, self.email, self.subject)
