"""Which requests: those that wait, and those a person may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from approvals.models.user import User
from approvals.states import RequestState

if TYPE_CHECKING:
    from approvals.models.request import ApprovalRequest


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    def pending(self) -> Self:
        return self.filter(state=RequestState.PENDING)

    def visible_to(self, user: User) -> Self:
        """What USER may see: all they oversee as operator or auditor, and what they were asked."""
        if user.sees_everything:
            return self
        return self.filter(pk__in=_asked_of(self.model.objects.all(), user))

    def overseen_by(self, user: User) -> Self:
        """What USER sees as an operator or auditor, of every source or of single ones."""
        if user.sees_everything:
            return self
        return self.filter(source__in=user.rights.overseen_ids)


def _asked_of(rows: ApprovalRequestQuerySet, user: User) -> models.QuerySet[ApprovalRequest, int]:
    # One condition per index, joined as a union: an OR over a join reads the whole table.
    # A person who has left a group no longer sees what only that group was asked.
    requests = rows.order_by().values_list("pk", flat=True)
    by_name = requests.filter(assignments__user=user)
    by_group = requests.filter(assignments__group__in=user.groups.values("pk"))
    decided = requests.filter(decisions__reviewer=user)
    overseen = requests.filter(source__in=user.rights.overseen_ids)
    return by_name.union(by_group, decided, overseen, all=True)
