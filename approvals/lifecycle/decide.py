"""A person decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals import policy
from approvals.clock import database_now
from approvals.errors import AlreadyVoted, InvalidFields, StalePage
from approvals.lifecycle import desk, outcome
from approvals.lifecycle.outcome import OwedAnswer
from approvals.lifecycle.response import check_values
from approvals.models import ApprovalRequest, AuditEvent, Decision, User
from approvals.models.request import new_public_id
from approvals.models.standing import standings_of
from approvals.states import AuditTag, Cause, Channel, RequestState, Verdict

COMMENT_LIMIT = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Decided:
    """The verdict as written, and how many more approvals the request waits for."""

    decision: Decision
    missing: int


@transaction.atomic(durable=True)
def decide(
    request_id: int,
    *,
    verdict: Verdict,
    reviewer: User,
    channel: Channel,
    comment: str = "",
    values: Mapping[str, Any] | None = None,
    seen_sha256: str | None = None,
) -> Decided:
    """Record REVIEWER's verdict; if it ends the matter, close and owe AWS the answer.

    One rejection ends it; approvals end it when enough distinct people have approved.
    Writes the decision, the request, the delivery owed, notices and history, all or
    none. The answer leaves later, from the outbox. SEEN_SHA256 is the payload hash of
    the page the reviewer had before them.

    Raises:
        AlreadyClosed: a colleague, the deadline or AWS was first.
        NotAReviewer, FourEyes: REVIEWER may not decide this request.
        AlreadyVoted: REVIEWER's decision on it stands.
        StalePage: SEEN_SHA256 is not what would be decided about.
        InvalidFields: the comment is missing or too long, or VALUES do not fit.
    """
    request = desk.lock(request_id)
    now = database_now()
    former = list(request.decisions.select_related("reviewer").order_by("id"))
    voters = {reviewer.pk, *(d.reviewer_id for d in former if d.reviewer_id)}
    standings = standings_of(request, voters)
    policy.check_standing(request, standings.get(reviewer.pk))
    desk.check_open(request, now)
    _check_first_vote(former, reviewer)
    if seen_sha256 is not None and seen_sha256 != request.payload_sha256:
        raise StalePage("The page you saw is out of date. Look at it again, then decide.")
    decision = Decision(
        public_id=new_public_id(),
        request=request,
        verdict=verdict,
        channel=channel,
        reviewer=reviewer,
        comment=_checked_comment(comment, verdict),
        values=check_values(request.response_schema, values or {}, verdict),
        payload_sha256=request.payload_sha256,
        decided_at=now,
    )
    agreeing = [decision]
    missing = 0
    if verdict is Verdict.APPROVED:
        tally = policy.tally(request, [*former, decision], standings=standings)
        agreeing, missing = tally.agreeing, tally.missing
    answer = _answer(request, agreeing, at=now)
    decision.save(force_insert=True)
    if missing:
        _record(AuditTag.VOTED, decision, missing=missing)
    else:
        state = RequestState(verdict.value)
        desk.close(request, state, at=now, answer=answer, by=reviewer)
        _record(AuditTag(f"request.{verdict}"), decision, answer_sha256=answer.sha256)
    return Decided(decision, missing)


def _check_first_vote(former: list[Decision], reviewer: User) -> None:
    for decision in former:
        if decision.reviewer_id == reviewer.pk:
            raise AlreadyVoted(
                f"You {decision.verdict} this at {decision.decided_at:%H:%M:%S} UTC; it stands."
            )


def _checked_comment(comment: str, verdict: Verdict) -> str:
    comment = comment.strip()
    if "\0" in comment:
        raise InvalidFields({"comment": "Take out the NUL character."})
    if verdict is Verdict.REJECTED and not comment:
        raise InvalidFields({"comment": "Say why you reject; the function receives it."})
    if len(comment) > COMMENT_LIMIT:
        raise InvalidFields({"comment": f"Shorten it to {COMMENT_LIMIT:,} characters."})
    return comment


def _answer(request: ApprovalRequest, agreeing: list[Decision], *, at: datetime) -> OwedAnswer:
    """What AWS is owed if AGREEING end the matter; built at every vote.

    A vote that could never be sent must not stand in the way of the next.
    """
    verdict = Verdict(agreeing[-1].verdict)
    facts = outcome.document(request, verdict.value, cause=Cause.PERSON, at=at, decisions=agreeing)
    answer = outcome.for_verdict(request, verdict, facts)
    if len(answer.body) > outcome.RESULT_LIMIT:
        too_long = "The answer would exceed 256 KiB: shorten the comment and the values."
        raise InvalidFields({"comment": too_long})
    return answer


def _record(tag: AuditTag, decision: Decision, **facts: Any) -> None:
    AuditEvent.objects.record(
        tag,
        decision.request,
        at=decision.decided_at,
        actor=decision.reviewer,
        decision=str(decision.public_id),
        verdict=str(decision.verdict),
        channel=str(decision.channel),
        comment=decision.comment,
        payload_sha256=decision.payload_sha256,
        **facts,
    )
