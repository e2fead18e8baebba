"""Whether a source's way to AWS is open; a broken one is tried by a probe now and then."""

from __future__ import annotations

from django.db import models

from approvals.models.source import CallbackSource


class Circuit(models.Model):
    """How calls for one source have lately ended; only callbacks/circuit writes it.

    `failures` counts calls in a row that ended in the source's own trouble. With `opened_at`
    set, nothing is sent for it before `probe_at`, and then one call alone.
    """

    source = models.OneToOneField(
        CallbackSource, models.CASCADE, primary_key=True, related_name="circuit"
    )
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    probes = models.PositiveIntegerField(default=0)
    detail = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opened_at=None, probe_at=None)
                | models.Q(opened_at__isnull=False, probe_at__isnull=False),
                name="open_circuits_are_probed",
            ),
        ]

    def __str__(self) -> str:
        return "open" if self.opened_at else "closed"
