"""The requests somebody picked, loaded once for all that decides or shows them together."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Prefetch

from approvals.models import ApprovalRequest, User
from approvals.models.decision import DecisionQuerySet
from approvals.models.sight import seen_by

#: Never read here, and perhaps large; `payload_text` only where money is added up.
_LARGE = ("payload", "summary", "links", "effects")


def find_all(
    user: User, ids: Sequence[int], decisions: DecisionQuerySet, *, with_payload: bool = False
) -> list[ApprovalRequest]:
    """The requests of IDS that USER may see, in that order, with those of DECISIONS on them."""
    rows = seen_by(user).select_related(
        "source", "kind", "delivery", "held_answer__decision__reviewer"
    )
    rows = rows.defer(*_LARGE, *(() if with_payload else ("payload_text",)))
    made = Prefetch("decisions", decisions.select_related("reviewer").order_by("id"))
    found = {request.pk: request for request in rows.filter(pk__in=ids).prefetch_related(made)}
    return [found[pk] for pk in ids if pk in found]
