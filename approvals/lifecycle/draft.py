"""A request as it will be written: its rules frozen, its clocks set."""

from __future__ import annotations

from datetime import datetime, timedelta

from approvals import keyring
from approvals.errors import InvalidFields
from approvals.lifecycle import desk
from approvals.lifecycle.new_request import NewRequest
from approvals.lifecycle.pool import Pool
from approvals.models import ApprovalRequest, CallbackSource, RequestKind
from approvals.models.request import callback_place, new_public_id
from approvals.states import OnTimeout

# The clocks at whose time something is written down; AWS's own strikes at AWS.
_STRIKING = ("due_at", "escalate_at", "answer_by")

_TOO_LATE = (
    "The deadline had passed when this arrived: it counts from the signed timestamp. "
    "Send sooner, ask for more time, and check the sender's clock."
)


def draft(
    source: CallbackSource,
    kind: RequestKind,
    pool: Pool,
    new: NewRequest,
    digest: str,
    *,
    now: datetime,
    sent_at: datetime | None,
) -> ApprovalRequest:
    """What NEW becomes, received at NOW and counted from SENT_AT; not saved.

    DIGEST: SHA-256 of its callback ID. Its execution is for the caller to name.

    Raises:
        InvalidFields: the deadline it asks for has passed.
    """
    start = min(sent_at or now, now)
    clocks = _clocks(new, kind, start)
    if clocks["answer_by"] and clocks["answer_by"] <= now:
        raise InvalidFields({"timeout_seconds": _TOO_LATE})
    nearest = [moment for moment in (clocks["due_at"], clocks["answer_by"]) if moment]
    return ApprovalRequest(
        public_id=new_public_id(),
        source=source,
        kind=kind,
        callback_sha256=digest,
        callback_sealed=keyring.seal(new.callback_id.encode(), place=callback_place(digest)),
        content_sha256=new.content_sha256,
        title=new.title,
        summary=new.summary,
        payload_text=new.payload_text,
        payload_sha256=new.payload_sha256,
        links=list(new.links),
        risk=new.risk,
        risk_score=new.risk["score"] if new.risk else None,
        checks=list(new.checks),
        effects=list(new.effects),
        response_schema=new.response_schema,
        editable=list(new.editable),
        if_approved=new.if_approved,
        if_rejected=new.if_rejected,
        if_nobody=new.if_nobody,
        wanted_by_ids=list(pool.wanted_by_ids),
        requested_by=new.wanting.requested_by,
        on_behalf_of=new.wanting.on_behalf_of,
        agent=new.wanting.agent,
        required_approvals=pool.required,
        on_reject=new.on_reject or kind.on_reject,
        on_timeout=_on_timeout(new, kind),
        approve_with=new.approve_with,
        reject_with=new.reject_with,
        subject=new.subject,
        sent_at=start,
        received_at=now,
        heartbeat_timeout_seconds=new.heartbeat_timeout_seconds,
        queue_at=min(nearest, default=now + desk.LONGEST_WAIT),
        clock_at=min(filter(None, (clocks[name] for name in _STRIKING)), default=None),
        **clocks,
    )


def _on_timeout(new: NewRequest, kind: RequestKind) -> str:
    rule = new.on_timeout or kind.on_timeout
    if new.timeout_seconds:
        return rule
    # The kind's own clock: a callback that never times out at AWS would wait for ever behind
    # a lapsed request; and no sender asked that silence be taken for an approval.
    return OnTimeout.FAIL if rule in {OnTimeout.LAPSE, OnTimeout.APPROVE} else rule


def margin(timeout: float) -> float:
    """How long before AWS's own TIMEOUT an answer is due here; both in seconds.

    Safely before: a tenth of it, at least 2 s and at most 60 s.
    """
    return min(max(timeout / 10, 2), 60, timeout / 2)


def _clocks(new: NewRequest, kind: RequestKind, start: datetime) -> dict[str, datetime | None]:
    def after(seconds: float | None) -> datetime | None:
        return start + timedelta(seconds=seconds) if seconds else None

    timeout = new.timeout_seconds
    # The kind's timeout stands in where AWS knows none: then there is nothing to be before.
    answer_in = timeout - margin(timeout) if timeout else kind.timeout_seconds
    due = new.due_in_seconds or kind.due_in_seconds
    if due and answer_in and due >= answer_in and not new.due_in_seconds:
        due = None  # the kind's usual one makes no sense where there is less time
    return {
        "due_at": after(due),
        "escalate_at": after(new.escalate_in_seconds),
        "answer_by": after(answer_in),
        "callback_expires_at": after(timeout),
    }
