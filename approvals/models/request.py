"""The approval request: one callback ID put before people."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

import uuid_utils
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact, GreaterThan, IsNull
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import keyring
from approvals.errors import AlreadyClosed
from approvals.locales import Words
from approvals.models.address import page_path
from approvals.models.execution import Execution
from approvals.models.kind import RequestKind
from approvals.models.request_rows import ApprovalRequestQuerySet
from approvals.models.source import CallbackSource
from approvals.models.user import User
from approvals.states import OnReject, OnTimeout, RequestState, Withdrawal

if TYPE_CHECKING:
    from approvals.models.delivery import CallbackDelivery
    from approvals.models.heartbeat import Heartbeat
    from approvals.models.held import HeldAnswer


def callback_place(callback_sha256: str) -> str:
    """Where a sealed callback ID belongs: the row of that very callback, and no other."""
    return f"request.callback_id:{callback_sha256}"


def new_public_id() -> uuid.UUID:
    """A UUIDv7: unguessable enough for a name, ordered by time for the index."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


_BY_RULE: dict[str, Words] = {
    OnTimeout.APPROVE: gettext_lazy("Approved by rule, as nobody decided in time"),
    OnTimeout.REJECT: gettext_lazy("Rejected by rule, as nobody decided in time"),
}


class ApprovalRequest(models.Model):
    """One callback ID that a durable function waits on, put before human reviewers.

    It is closed exactly once. Only approvals.lifecycle writes it, and the database
    refuses any change of a closed one or of what people decide about.
    """

    public_id = models.UUIDField(unique=True, editable=False)
    # Every index is paid for at each receipt: none stands that no question walks along.
    source = models.ForeignKey(
        CallbackSource, models.PROTECT, related_name="requests", db_index=False
    )
    kind = models.ForeignKey(RequestKind, models.PROTECT, related_name="requests", db_index=False)
    execution = models.ForeignKey(
        Execution, models.PROTECT, null=True, blank=True, related_name="requests"
    )
    callback_sha256 = models.CharField(max_length=64)
    callback_sealed = models.BinaryField()
    content_sha256 = models.CharField(max_length=64)

    # What people decide about.
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, default="")
    payload = models.JSONField(default=dict)
    payload_text = models.TextField(default="{}")  # the sender's own number tokens
    payload_sha256 = models.CharField(max_length=64)
    links = models.JSONField(default=list)
    risk = models.JSONField(null=True, blank=True)
    risk_score = models.PositiveSmallIntegerField(null=True, blank=True)
    checks = models.JSONField(default=list)
    effects = models.JSONField(default=list)
    response_schema = models.JSONField(null=True, blank=True)
    editable = models.JSONField(default=list)
    if_approved = models.CharField(max_length=500, blank=True, default="")
    if_rejected = models.CharField(max_length=500, blank=True, default="")
    if_nobody = models.CharField(max_length=500, blank=True, default="")

    # Who wants it: none of them may decide.
    requested_by = models.CharField(max_length=255, blank=True, default="")
    on_behalf_of = models.CharField(max_length=255, blank=True, default="")
    agent = models.CharField(max_length=255, blank=True, default="")
    # The people here whom those names meant on receipt: renaming an account frees nobody.
    wanted_by_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)

    # The rules, frozen on receipt.
    required_approvals = models.PositiveSmallIntegerField(default=1)
    on_reject = models.CharField(max_length=8, choices=OnReject, default=OnReject.FAILURE)
    on_timeout = models.CharField(max_length=8, choices=OnTimeout, default=OnTimeout.FAIL)
    approve_with = models.TextField(null=True, blank=True)
    reject_with = models.TextField(null=True, blank=True)
    subject = models.CharField(max_length=255, blank=True, default="")

    # The clocks. None: that clock does not run.
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    escalate_at = models.DateTimeField(null=True, blank=True)
    answer_by = models.DateTimeField(null=True, blank=True)
    callback_expires_at = models.DateTimeField(null=True, blank=True)
    heartbeat_timeout_seconds = models.PositiveIntegerField(default=0)
    queue_at = models.DateTimeField()  # where it stands in the queue: the nearest deadline
    clock_at = models.DateTimeField(null=True, blank=True)  # which of them strikes next

    # Where it stands.
    state = models.CharField(max_length=12, choices=RequestState, default=RequestState.PENDING)
    closed_at = models.DateTimeField(null=True, blank=True)
    # Pending, and decided: the answer is frozen (held_answer) and is owed from then on.
    held_until = models.DateTimeField(null=True, blank=True)
    withdrawal = models.CharField(max_length=16, choices=Withdrawal, blank=True, default="")
    closed_because = models.CharField(max_length=500, blank=True, default="")
    claimed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="claims", db_index=False
    )
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = ApprovalRequestQuerySet.as_manager()

    if TYPE_CHECKING:
        delivery: CallbackDelivery
        heartbeat: Heartbeat
        held_answer: HeldAnswer

    class Meta:
        constraints = [
            # Over all sources: nobody may put a foreign callback before other reviewers.
            models.UniqueConstraint(fields=["callback_sha256"], name="one_request_per_callback"),
            # In few words: PostgreSQL reads each anew for every statement that writes.
            models.CheckConstraint(
                condition=Exact(
                    Exact(F("state"), RequestState.PENDING), IsNull(F("closed_at"), True)
                ),
                name="closed_at_iff_closed",
            ),
            models.CheckConstraint(
                condition=Exact(
                    Exact(F("state"), RequestState.WITHDRAWN), GreaterThan(F("withdrawal"), "")
                ),
                name="withdrawal_iff_withdrawn",
            ),
            models.CheckConstraint(
                condition=Q(required_approvals__gte=1), name="needs_an_approval"
            ),
            models.CheckConstraint(
                condition=Q(answer_by=None) | Q(answer_by__lt=F("callback_expires_at")),
                name="answer_by_before_aws_expires",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clock_at"],
                condition=Q(state=RequestState.PENDING, clock_at__isnull=False),
                name="pending_by_clock",
            ),
            models.Index(
                fields=["held_until"],
                condition=Q(held_until__isnull=False),
                name="held_requests",
            ),
            models.Index(
                fields=["source", "subject"],
                condition=Q(state=RequestState.PENDING) & ~Q(subject=""),
                name="pending_by_subject",
            ),
            models.Index(
                fields=["queue_at", "id"],
                condition=Q(state=RequestState.PENDING),
                name="pending_by_queue",
            ),
            # What waits at single sources, for who oversees those.
            models.Index(
                fields=["source", "queue_at", "id"],
                condition=Q(state=RequestState.PENDING),
                name="pending_of_source",
            ),
            models.Index(fields=["source", "-id"], name="requests_of_source"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return page_path(self.public_id)

    @property
    def is_pending(self) -> bool:
        return self.state == RequestState.PENDING

    @property
    def deadline(self) -> datetime | None:
        """The nearer of due_at and answer_by, as the queue sorts by it; None without either."""
        dated = self.answer_by is not None or self.due_at is not None
        return self.queue_at if dated else None

    def claimant_id(self, now: datetime) -> int | None:
        """The key of who has claimed it; a claim lasts until it is renewed no more."""
        claimed = self.claimed_until is not None and self.claimed_until > now
        return self.claimed_by_id if claimed else None

    def claimant(self, now: datetime) -> User | None:
        """Who has claimed it, as `claimant_id`."""
        return self.claimed_by if self.claimant_id(now) else None

    @property
    def ending(self) -> str:
        """Where it stands in words; a deadline's approval never reads as a person's."""
        if self.state == RequestState.EXPIRED and self.on_timeout in _BY_RULE:
            return str(_BY_RULE[self.on_timeout])
        return str(RequestState(self.state).label)

    @property
    def callback_id(self) -> str:
        """AWS's token. It goes to AWS and nowhere else: no log, no URL, no page."""
        return keyring.unseal(
            self.callback_sealed, place=callback_place(self.callback_sha256)
        ).decode()

    def close(self, state: RequestState, *, at: datetime) -> None:
        """Leave the open rung for good; the caller holds the row lock and saves.

        Raises:
            AlreadyClosed: it was closed before; the caller words who and when.
        """
        if not self.is_pending:
            raise AlreadyClosed(
                _("Too late: %(get_state_display)s.")
                % {"get_state_display": self.get_state_display()}
            )
        self.state = state
        self.closed_at = at
        self.held_until = None
        self.claimed_by = None
        self.claimed_until = None
