"""What is decided and can still be taken back, as its panel shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.models import ApprovalRequest, Decision, User


@dataclass(frozen=True, slots=True)
class Held:
    """DECISION can be taken back until UNTIL, of SPAN in all. MINE: by who looks.

    IS_LAST: it ends the matter, and is sent then; else it is a vote, and others are asked.
    """

    decision: Decision
    until: datetime
    span: timedelta
    mine: bool
    is_last: bool
    is_over: bool

    @property
    def may_undo(self) -> bool:
        return self.mine and not self.is_over


def held_of(
    request: ApprovalRequest, decisions: Sequence[Decision], user: User, now: datetime
) -> Held | None:
    """The last of DECISIONS (those that stand), if it is held or USER may take it back."""
    if not (decisions and request.is_pending):
        return None
    last = decisions[-1]
    until = request.held_until or last.undo_until
    if until is None:
        return None
    held = Held(
        decision=last,
        until=until,
        span=until - last.decided_at,
        mine=last.reviewer_id == user.pk,
        is_last=request.held_until is not None,
        is_over=now >= until,
    )
    return held if held.is_last or held.may_undo else None
