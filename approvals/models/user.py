"""People."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

#: Names of the groups that carry permissions. They are roles, never a team to ask.
ROLES = ("reviewer", "operator", "auditor", "admin")


def comparable(*names: str) -> frozenset[str]:
    """NAMES as four eyes compares them: trimmed, one Unicode form, case-folded, none empty."""
    folded = (unicodedata.normalize("NFKC", name).strip().casefold() for name in names)
    return frozenset(name for name in folded if name)


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

    def reviewers(self) -> Self:
        """Active people who hold the permission to review, by a group or by themselves."""
        by_group = User.groups.through.objects.filter(
            group__permissions__content_type__app_label="approvals",
            group__permissions__codename="review",
        )
        by_name = User.user_permissions.through.objects.filter(
            permission__content_type__app_label="approvals", permission__codename="review"
        )
        return self.filter(is_active=True).filter(
            Q(is_superuser=True)
            | Q(pk__in=by_group.values("user_id"))
            | Q(pk__in=by_name.values("user_id"))
        )


class PeopleManager(UserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class User(AbstractUser):
    """A person who reviews, operates, audits or administers.

    `subject` is the identity provider's stable name for the person; four eyes compares
    requesters with it as well as with username and mail.
    """

    subject = models.CharField(max_length=255, blank=True, default="")

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta:
        permissions = [
            ("review", "Can decide requests they are asked about"),
            ("operate", "Can see all requests, redrive, reassign and force answers"),
            ("audit", "Can read all requests and their history"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=~models.Q(subject=""), name="one_person_per_subject"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def sees_everything(self) -> bool:
        """Operators, auditors and admins see every request; it lets nobody decide."""
        return self.has_perm("approvals.operate") or self.has_perm("approvals.audit")

    def identities(self) -> frozenset[str]:
        """The names under which a requester string may mean this person, case-folded."""
        return comparable(self.username, self.email, self.subject)
