"""'I am on it': shown to others, advice only, ends by itself."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from approvals import policy
from approvals.clock import database_now
from approvals.lifecycle import desk
from approvals.models import ApprovalRequest, AuditEvent, User
from approvals.states import AuditTag


@transaction.atomic(durable=True)
def claim(request_id: int, *, reviewer: User) -> ApprovalRequest:
    """Show others that REVIEWER is on it, for CLAIM_LASTS. It blocks nobody.

    Raises:
        AlreadyClosed, NotAReviewer, FourEyes: as for deciding; nothing is written.
    """
    request = desk.lock(request_id)
    now = database_now()
    policy.check_may_decide(request, reviewer)
    desk.check_open(request, now)
    renewed = request.claimed_by_id == reviewer.pk
    request.claimed_by = reviewer
    request.claimed_until = now + settings.CLAIM_LASTS
    request.save(update_fields=["claimed_by", "claimed_until"])
    if not renewed:
        AuditEvent.objects.record(AuditTag.CLAIMED, request, at=now, actor=reviewer)
    return request


@transaction.atomic(durable=True)
def release(request_id: int, *, reviewer: User) -> ApprovalRequest:
    """Take REVIEWER's claim back; somebody else's claim stays as it is."""
    request = desk.lock(request_id)
    if request.claimed_by_id == reviewer.pk:
        request.claimed_by = None
        request.claimed_until = None
        request.save(update_fields=["claimed_by", "claimed_until"])
        AuditEvent.objects.record(AuditTag.RELEASED, request, at=database_now(), actor=reviewer)
    return request
