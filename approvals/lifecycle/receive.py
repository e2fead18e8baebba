"""A callback ID arrives and is written down once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from approvals import keyring
from approvals.clock import database_now
from approvals.errors import DifferentContent, InvalidFields
from approvals.lifecycle import desk
from approvals.lifecycle.new_request import NewRequest
from approvals.lifecycle.pool import Pool, find_kind, find_pool
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.models import (
    ApprovalRequest,
    Assignment,
    AuditEvent,
    CallbackSource,
    Execution,
    Heartbeat,
    Notice,
    RequestKind,
    Requirement,
)
from approvals.models.request import callback_place, new_public_id
from approvals.states import AuditTag, NoticeKind, OnTimeout, Withdrawal

_TOO_LATE = (
    "The deadline had passed when this arrived: it counts from the signed timestamp. "
    "Send sooner, ask for more time, and check the sender's clock."
)


@dataclass(frozen=True, slots=True)
class Received:
    request: ApprovalRequest
    created: bool
    warnings: tuple[str, ...] = ()


def receive(source: CallbackSource, new: NewRequest, *, sent_at: datetime | None) -> Received:
    """Put NEW before its reviewers, or find it there already.

    The same callback ID with the same content gives the existing request; the unique
    index decides between two that arrive at once. Clocks count from SENT_AT, the signed
    timestamp, or from receipt where it is None.

    Raises:
        DifferentContent: the callback ID is known with other content, or to another source.
        InvalidFields: unknown kind or assignee, or too few people who may decide.
    """
    digest = hashlib.sha256(new.callback_id.encode()).hexdigest()
    if known := ApprovalRequest.objects.filter(callback_sha256=digest).first():
        return _again(known, source, new)
    try:
        return _write(source, new, digest, sent_at)
    except IntegrityError as error:
        if "one_request_per_callback" not in str(error):
            raise
        return _again(ApprovalRequest.objects.get(callback_sha256=digest), source, new)


def _again(known: ApprovalRequest, source: CallbackSource, new: NewRequest) -> Received:
    if known.source_id != source.pk or known.content_sha256 != new.content_sha256:
        raise DifferentContent(
            "This callback_id is known with other content. What reviewers saw is what is "
            "decided: create a new callback to ask something else."
        )
    return Received(known, created=False)


@transaction.atomic(durable=True)
def _write(
    source: CallbackSource, new: NewRequest, digest: str, sent_at: datetime | None
) -> Received:
    if new.subject:
        _one_at_a_time(source, new.subject)
    now = database_now()
    kind = find_kind(new.kind)
    pool = find_pool(source, kind, new)
    request = _request(source, kind, pool, new, digest, now=now, sent_at=sent_at)
    request.save(force_insert=True)
    _assign(request, pool)
    _require(request, pool)
    _promise_heartbeats(request, now)
    Notice.objects.bulk_create(
        Notice(request=request, user_id=pk, kind=NoticeKind.ASKED, owed_at=now, next_attempt_at=now)
        for pk in pool.eligible_ids
    )
    AuditEvent.objects.record(
        AuditTag.RECEIVED,
        request,
        at=now,
        source=source.slug,
        payload_sha256=new.payload_sha256,
        required_approvals=request.required_approvals,
        users=list(pool.usernames),
        groups=list(pool.group_names),
        requirements=[[place.group, place.approvals] for place in pool.requirements],
    )
    _supersede_older(request, now)
    # Also one known from before: it may have ended. Last, for executions are locked last.
    if request.execution_id:
        Execution.objects.filter(pk=request.execution_id).update(next_look_at=now)
    return Received(request, created=True, warnings=(*new.warnings(kind), *pool.warnings))


def _request(
    source: CallbackSource,
    kind: RequestKind,
    pool: Pool,
    new: NewRequest,
    digest: str,
    *,
    now: datetime,
    sent_at: datetime | None,
) -> ApprovalRequest:
    start = min(sent_at or now, now)
    clocks = _clocks(new, kind, start)
    if clocks["answer_by"] and clocks["answer_by"] <= now:
        raise InvalidFields({"timeout_seconds": _TOO_LATE})
    nearest = [moment for moment in (clocks["due_at"], clocks["answer_by"]) if moment]
    return ApprovalRequest(
        public_id=new_public_id(),
        source=source,
        kind=kind,
        execution=_execution(source, new.execution_arn),
        callback_sha256=digest,
        callback_sealed=keyring.seal(new.callback_id.encode(), place=callback_place(digest)),
        content_sha256=new.content_sha256,
        title=new.title,
        summary=new.summary,
        payload=new.payload,
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
        **clocks,
    )


def _on_timeout(new: NewRequest, kind: RequestKind) -> str:
    rule = new.on_timeout or kind.on_timeout
    # A callback that never times out at AWS would wait for ever behind a lapsed request.
    lapses_for_ever = rule == OnTimeout.LAPSE and not new.timeout_seconds
    return OnTimeout.FAIL if lapses_for_ever else rule


def _clocks(new: NewRequest, kind: RequestKind, start: datetime) -> dict[str, datetime | None]:
    def after(seconds: float | None) -> datetime | None:
        return start + timedelta(seconds=seconds) if seconds else None

    timeout = new.timeout_seconds
    # Safely before AWS's own deadline: a tenth of it, at least 2 s and at most 60 s. The
    # kind's timeout stands in where AWS knows none: then there is nothing to be before.
    margin = min(max(timeout / 10, 2), 60, timeout / 2)
    answer_in = timeout - margin if timeout else kind.timeout_seconds
    due = new.due_in_seconds or kind.due_in_seconds
    if due and answer_in and due >= answer_in and not new.due_in_seconds:
        due = None  # the kind's usual one makes no sense where there is less time
    return {
        "due_at": after(due),
        "escalate_at": after(new.escalate_in_seconds),
        "answer_by": after(answer_in),
        "callback_expires_at": after(timeout),
    }


def _execution(source: CallbackSource, arn: str) -> Execution | None:
    if not arn:
        return None
    return Execution.objects.get_or_create(source=source, arn=arn)[0]


def _assign(request: ApprovalRequest, pool: Pool) -> None:
    at = request.queue_at
    Assignment.objects.bulk_create(
        [
            *(Assignment(request=request, user_id=pk, queue_at=at) for pk in pool.user_ids),
            *(Assignment(request=request, group_id=pk, queue_at=at) for pk in pool.group_ids),
        ]
    )


def _require(request: ApprovalRequest, pool: Pool) -> None:
    Requirement.objects.bulk_create(
        Requirement(request=request, group_id=place.group_id, approvals=place.approvals)
        for place in pool.requirements
        if place.group_id
    )


def _promise_heartbeats(request: ApprovalRequest, now: datetime) -> None:
    if request.heartbeat_timeout_seconds:
        Heartbeat.objects.create(
            request=request,
            source_id=request.source_id,
            interval=timedelta(seconds=request.heartbeat_timeout_seconds) / 3,
            next_beat_at=now,
        )


def _one_at_a_time(source: CallbackSource, subject: str) -> None:
    # Two newcomers on one subject cannot see each other: the second waits for the first.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [subject, source.pk]
        )


def _supersede_older(request: ApprovalRequest, now: datetime) -> None:
    if not request.subject:
        return
    older = (
        ApprovalRequest.objects.pending()
        .filter(source=request.source_id, subject=request.subject)
        .exclude(pk=request.pk)
        .order_by("pk")
    )
    for pk in list(older.values_list("pk", flat=True)):
        former = desk.lock(pk)
        if former.is_pending:
            withdraw_locked(
                former,
                why=Withdrawal.SUPERSEDED,
                reason=f"A newer request took its place: {request.title}",
                at=now,
            )
