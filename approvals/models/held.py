"""An answer that is frozen and not owed yet: whoever decided may still take it back."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from approvals import keyring
from approvals.models.decision import Decision
from approvals.models.delivery import body_place
from approvals.models.request import ApprovalRequest
from approvals.states import CallbackVerb


class HeldAnswerQuerySet(models.QuerySet["HeldAnswer"]):
    def over(self, now: datetime) -> Self:
        """Those whose time to be taken back has passed at NOW, the longest past first."""
        return self.filter(request__held_until__lte=now).order_by("request__held_until")


class HeldAnswer(models.Model):
    """What AWS will be owed for one request once its `held_until` has passed.

    Only the desk makes it, at the click that decides, and takes it away with the hold; the
    database refuses any change. It is sealed to the place of the delivery it becomes. Few
    rows at any time: a sweep reads them all.
    """

    request = models.OneToOneField(
        ApprovalRequest, models.PROTECT, primary_key=True, related_name="held_answer"
    )
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="held_answer")
    verb = models.CharField(max_length=8, choices=CallbackVerb)
    sealed_body = models.BinaryField()

    objects = HeldAnswerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.decision}, held"

    @property
    def body(self) -> bytes:
        """The bytes as they were frozen; see CallbackDelivery.body."""
        return keyring.unseal(self.sealed_body, place=body_place(self.request_id))
