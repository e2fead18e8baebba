"""A callback ID arrives and is written down once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from approvals.errors import DifferentContent
from approvals.lifecycle import desk
from approvals.lifecycle.conclude import conclude_if_over
from approvals.lifecycle.draft import draft
from approvals.lifecycle.lookup import Known, Lookup, look_up
from approvals.lifecycle.new_request import NewRequest
from approvals.lifecycle.pool import Pool, find_kind, find_pool
from approvals.lifecycle.withdraw import withdraw_locked
from approvals.lifecycle.writing import refuse_outer_transaction, write_received
from approvals.models import ApprovalRequest, AuditEvent, CallbackSource
from approvals.models.audit import START
from approvals.models.terms import TERMS, terms_sha256
from approvals.states import AuditTag, Withdrawal

#: unique_violation and foreign_key_violation.
_CAME_IN_BETWEEN = {"23505", "23503"}


@dataclass(frozen=True, slots=True)
class Received:
    request: ApprovalRequest
    created: bool
    warnings: tuple[str, ...] = ()


#: Another message for the same callback, or the same execution, may come in between the
#: look and the write; the second look finds it there.
_TRIES = 3


def receive(source: CallbackSource, new: NewRequest, *, sent_at: datetime | None) -> Received:
    """Put NEW before its reviewers, or find it there already.

    The same callback ID with the same content gives the existing request; the unique
    index decides between two that arrive at once. Clocks count from SENT_AT, the signed
    timestamp, or from receipt where it is None.

    Two statements, one that looks and one that writes everything or nothing. Only what
    takes the place of older requests needs a transaction around them.

    Raises:
        DifferentContent: the callback ID is known with other content, or to another source.
        InvalidFields: unknown kind or assignee, or too few people who may decide.
    """
    refuse_outer_transaction()
    digest = hashlib.sha256(new.callback_id.encode()).hexdigest()
    attempt = _receive_on_subject if new.subject else _receive
    for _ in range(_TRIES - 1):
        with suppress(Overtaken):
            return attempt(source, new, digest, sent_at)
    return attempt(source, new, digest, sent_at)


class Overtaken(Exception):
    """What was looked up is no longer so, and nothing was written: look again."""


def _receive(
    source: CallbackSource, new: NewRequest, digest: str, sent_at: datetime | None
) -> Received:
    found = look_up(source.pk, new, digest)
    if found.known:
        return _again(found.known, source, new)
    return _write(source, new, found, digest, sent_at)


@transaction.atomic(durable=True)
def _receive_on_subject(
    source: CallbackSource, new: NewRequest, digest: str, sent_at: datetime | None
) -> Received:
    _one_at_a_time(source, new.subject)
    return _receive(source, new, digest, sent_at)


def _again(known: Known, source: CallbackSource, new: NewRequest) -> Received:
    if known.source_id != source.pk or known.content_sha256 != new.content_sha256:
        raise DifferentContent(
            "This callback_id is known with other content. What reviewers saw is what is "
            "decided: create a new callback to ask something else."
        )
    return Received(known.request, created=False)


def _write(
    source: CallbackSource,
    new: NewRequest,
    found: Lookup,
    digest: str,
    sent_at: datetime | None,
) -> Received:
    kind = find_kind(found, new.kind)
    pool = find_pool(found, kind, new)
    request = draft(source, kind, pool, new, digest, now=found.at, sent_at=sent_at)
    request.execution_id = found.execution_id
    if new.subject:  # the older first: requests are locked before executions, everywhere
        _supersede_older(request, found.at)
    new_arn = "" if found.execution_id else new.execution_arn
    _write_down(request, pool, new_arn=new_arn)
    return Received(request, created=True, warnings=(*new.warnings(kind), *pool.warnings))


def _write_down(request: ApprovalRequest, pool: Pool, *, new_arn: str) -> None:
    try:
        written = write_received(
            request,
            _first_line(request, pool),
            user_ids=pool.user_ids,
            group_ids=pool.group_ids,
            required=[(at.group_id, at.approvals) for at in pool.requirements if at.group_id],
            told=list(pool.eligible_ids),
            new_arn=new_arn,
        )
    except IntegrityError as error:
        # Its execution was written by another message, or somebody it asks was removed.
        if getattr(error.__cause__, "sqlstate", "") not in _CAME_IN_BETWEEN:
            raise
        raise Overtaken from error
    if not written:  # its callback ID was, by another message
        raise Overtaken


def _first_line(request: ApprovalRequest, pool: Pool) -> AuditEvent:
    facts = {
        "source": request.source.slug,
        "payload_sha256": request.payload_sha256,
        "terms_sha256": terms_sha256([getattr(request, name) for name in TERMS]),
        "required_approvals": request.required_approvals,
        "users": pool.usernames,
        "groups": pool.group_names,
        "requirements": [[place.group, place.approvals] for place in pool.requirements],
    }
    at = request.received_at
    return AuditEvent.after(START, AuditTag.RECEIVED, request, at=at, facts=facts)


def _one_at_a_time(source: CallbackSource, subject: str) -> None:
    # Two newcomers on one subject cannot see each other: the second waits for the first.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [subject, source.pk]
        )


def _supersede_older(request: ApprovalRequest, now: datetime) -> None:
    older = (
        ApprovalRequest.objects.pending()
        .filter(source=request.source_id, subject=request.subject)
        .order_by("pk")
    )
    for pk in list(older.values_list("pk", flat=True)):
        former = desk.lock(pk)
        if former.is_pending and not conclude_if_over(former, at=now):
            withdraw_locked(
                former,
                why=Withdrawal.SUPERSEDED,
                reason=f"A newer request took its place: {request.title}",
                at=now,
            )
