"""Verify every chain of history."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef

from approvals.models import ApprovalRequest, AuditEvent, ChangeEvent

CHUNK = 500


class Command(BaseCommand):
    help = (
        "Verify the history of every request, source and kind; exit with 1 where a chain "
        "does not hold."
    )

    def handle(self, **_options: Any) -> None:
        checked, broken = 0, []
        for request in _requests():
            checked += 1
            line = AuditEvent.objects.broken_at(request)
            if line is not None or not request.history_starts:
                broken.append(f"{request.public_id}: line {line or 1}")
        for subject in _subjects():
            checked += 1
            line = ChangeEvent.objects.broken_at(subject)
            if line is not None:
                broken.append(f"{subject}: line {line}")
        if broken:
            for where in broken:
                self.stderr.write(where)
            raise CommandError(
                f"{len(broken)} of {checked} histories do not hold, from the lines above on. "
                "Somebody changed them past the portal, or AUDIT_KEY is not the one they "
                "were written with."
            )
        self.stdout.write(f"{checked} histories hold.")


def _subjects() -> list[str]:
    rows = ChangeEvent.objects.order_by("subject").values_list("subject", flat=True)
    return list(rows.distinct())


def _requests() -> Any:
    first = AuditEvent.objects.filter(request=OuterRef("pk"), seq=1)
    rows = ApprovalRequest.objects.only("public_id").annotate(history_starts=Exists(first))
    return rows.order_by("pk").iterator(CHUNK)
