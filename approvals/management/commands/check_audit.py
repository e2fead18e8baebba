"""Verify every chain of history: the part of the ledger that needs no more than histories."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals.ledger import Scope, snapshot
from approvals.ledger.checks import HISTORY
from approvals.models import ApprovalRequest, ChangeEvent


class Command(BaseCommand):
    help = (
        "Verify the history of every request, source and kind, and the checkpoints over them; "
        "exit with 1 where one does not hold. check_ledger asks this and much more."
    )

    def handle(self, **_options: Any) -> None:
        broken = 0
        with snapshot():
            checked = ApprovalRequest.objects.count() + _subjects()
            for check in HISTORY:
                for violation in check.run(Scope()):
                    broken += 1
                    self.stderr.write(f"{violation.where}: {violation.sentence}")
        if broken:
            raise CommandError(
                f"{broken} of {checked} histories and their checkpoints do not hold. Somebody "
                "changed them past the portal, or AUDIT_KEY is not the one they were written with."
            )
        self.stdout.write(f"{checked} histories hold.")


def _subjects() -> int:
    return ChangeEvent.objects.order_by().values("subject").distinct().count()
