"""What the database says after a storm, as JSON: python -m tests.chaos.rows OUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django

from portal.embedded.ground import write_private
from tests.chaos.record import digest_of

#: With the first of these lines the heartbeat goes.
ENDS_THE_WAIT = frozenset({"delivery.delivered", "delivery.unconfirmed"})


def main(out: Path) -> None:
    django.setup()
    write_private(out, json.dumps(_rows()))


def _rows() -> list[dict[str, Any]]:
    # Models can be imported only once Django is set up.
    from approvals.models import ApprovalRequest  # noqa: PLC0415

    requests = ApprovalRequest.objects.select_related("delivery", "heartbeat")
    requests = requests.prefetch_related("decisions__reviewer", "history")
    return [_row(request) for request in requests.order_by("pk").iterator(500)]


def _row(request: Any) -> dict[str, Any]:
    delivery = getattr(request, "delivery", None)
    return {
        "id": str(request.public_id),
        "callback": request.callback_sha256,
        "state": request.state,
        "received_at": request.received_at.timestamp(),
        "required": request.required_approvals,
        "lines": [event.tag for event in request.history.all()],
        "beats_on": getattr(request, "heartbeat", None) is not None,
        "decisions": [
            [d.reviewer.username if d.reviewer else "", d.verdict, d.cause]
            for d in request.decisions.all()
        ],
        "delivery": delivery and _delivery(delivery, _told_at(request)),
    }


def _told_at(request: Any) -> float | None:
    """When the portal knew that AWS waits no more; what a history tells later is backdated."""
    known = (e.at.timestamp() for e in request.history.all() if e.tag in ENDS_THE_WAIT)
    return min(known, default=None)


def _delivery(delivery: Any, told_at: float | None) -> dict[str, Any]:
    return {
        "told_at": told_at,
        "state": delivery.state,
        "verb": delivery.verb,
        "body": digest_of(delivery.verb, delivery.body),
        "attempts": delivery.attempts,
        "owed_at": delivery.owed_at.timestamp(),
        "settled_at": delivery.settled_at.timestamp() if delivery.settled_at else None,
        "detail": delivery.detail,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
