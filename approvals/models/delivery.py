"""An answer owed to AWS."""

from __future__ import annotations

import math

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from approvals import keyring
from approvals.models.request import ApprovalRequest
from approvals.models.source import CallbackSource
from approvals.states import CallbackVerb, DeliveryState, Reply

#: What the execution's history has to say of an answer that stays unconfirmed. `detail` begins
#: with one of them once it was asked; before, it is what AWS replied.
HISTORY_TOO_LONG = gettext_noop("The history is longer than the portal reads.")
HISTORY_LACKS_IT = gettext_noop("The execution's history does not hold this callback.")
HISTORY_UNCLEAR = gettext_noop(
    "The history does not show what ended the callback. It is read again."
)
HISTORY_OPEN = gettext_noop(
    "The history does not show an end of the callback yet. It is read again."
)
HISTORY_UNREADABLE = gettext_noop("The history could not be read.")
_HISTORY_SAYS = (
    HISTORY_TOO_LONG, HISTORY_LACKS_IT, HISTORY_UNCLEAR, HISTORY_OPEN, HISTORY_UNREADABLE,
)  # fmt: skip


def body_place(request_id: int) -> str:
    """Where a sealed answer belongs: the delivery of that request, and no other."""
    return f"delivery.body:{request_id}"


class CallbackDelivery(models.Model):
    """The bytes AWS is owed for one request, and how far they have come.

    Only callbacks/outbox moves `state`; the desk creates the row. `attempts` is the
    fencing token: whoever settles an older attempt than the last changes nothing, unless
    AWS took it.
    `in_flight` says that an attempt was claimed and never settled; found set when the
    lease is over, that attempt ended unknown.
    """

    request = models.OneToOneField(ApprovalRequest, models.PROTECT, related_name="delivery")
    source = models.ForeignKey(CallbackSource, models.PROTECT, related_name="deliveries")
    verb = models.CharField(max_length=8, choices=CallbackVerb)
    sealed_body = models.BinaryField()
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    owed_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    give_up_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    in_flight = models.BooleanField(default=False)
    unknown_attempt = models.BooleanField(default=False)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_reply = models.CharField(max_length=12, choices=Reply, blank=True, default="")
    detail = models.CharField(max_length=300, blank=True, default="")
    settled_at = models.DateTimeField(null=True, blank=True)

    #: No column: until when (time.monotonic()) whoever claimed this may begin to send it.
    send_by: float = math.inf

    class Meta:
        verbose_name_plural = "callback deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state=DeliveryState.PENDING, settled_at=None)
                | (~Q(state=DeliveryState.PENDING) & Q(settled_at__isnull=False)),
                name="settled_at_iff_settled",
            ),
            models.CheckConstraint(
                condition=Q(in_flight=False) | Q(state=DeliveryState.PENDING),
                name="only_pending_is_in_flight",
            ),
            models.CheckConstraint(
                condition=Q(give_up_at__gte=F("owed_at")), name="gives_up_after_owing"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=DeliveryState.PENDING),
                name="delivery_due",
            ),
            # Few rows, counted per source at every claim.
            models.Index(fields=["source"], condition=Q(in_flight=True), name="delivery_in_flight"),
            models.Index(
                fields=["-owed_at"],
                condition=~Q(state=DeliveryState.DELIVERED),
                name="delivery_undelivered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.get_state_display()}"

    @property
    def is_pending(self) -> bool:
        return self.state == DeliveryState.PENDING

    @property
    def history_says(self) -> str:
        """Why an unconfirmed answer stays so by the history; empty where that was not asked."""
        return self.detail if self.detail.startswith(_HISTORY_SAYS) else ""

    @property
    def body(self) -> bytes:
        """Result (succeed) or the ErrorObject as JSON (fail), exactly as owed."""
        return keyring.unseal(self.sealed_body, place=body_place(self.request_id))
