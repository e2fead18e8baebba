"""A person decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import doorbell, policy
from approvals.canonical import Json
from approvals.errors import AlreadyVoted, InvalidFields, StalePage, gathered
from approvals.lifecycle import desk, hold, outcome
from approvals.lifecycle.bulk import check_together, check_votes
from approvals.lifecycle.edits import Edited, check_agreed, check_edits, named
from approvals.lifecycle.hearing import Hearing, hear, lock_whole
from approvals.lifecycle.outcome import OwedAnswer
from approvals.lifecycle.response import check_values
from approvals.lifecycle.writing import write_decided
from approvals.locales import here, moment_told
from approvals.models import (
    ApprovalRequest,
    AuditEvent,
    CallbackDelivery,
    Decision,
    HeldAnswer,
    User,
)
from approvals.models.opening import opened_by
from approvals.models.request import new_public_id
from approvals.policy import Place
from approvals.states import AuditTag, Cause, Channel, RequestState, Verdict

COMMENT_LIMIT = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Decided:
    """The verdict as written, and how many more approvals the request waits for.

    DECISION's request is as it stands now. FORMER: the decisions before it. PLACES: what
    is required. DELIVERY: the answer owed, if this ended the matter; HELD: the answer that
    will be, if it ends it once its request's `held_until` has passed.
    """

    decision: Decision
    missing: int
    former: list[Decision]
    places: list[Place]
    delivery: CallbackDelivery | None
    held: HeldAnswer | None


@transaction.atomic(durable=True)
def decide(
    request_id: int,
    *,
    verdict: Verdict,
    reviewer: User,
    channel: Channel,
    comment: str = "",
    values: Mapping[str, Any] | None = None,
    edits: Mapping[str, Json] | None = None,
    seen_sha256: str | None = None,
    seen_votes: int | None = None,
    held: bool = False,
) -> Decided:
    """Record REVIEWER's verdict; if it ends the matter, close and owe AWS the answer.

    One rejection ends it; approvals end it when enough distinct people have approved.
    Writes the decision, the request, the delivery owed, notices and history, all or
    none. The answer leaves later, from the outbox. EDITS are what REVIEWER changed, by
    pointer, numbers as tokens. SEEN_SHA256 is the payload hash of the page they had
    before them, SEEN_VOTES how many decisions stood on it. CHANNEL bulk: together with
    others. HELD: the decision can be taken back for as long as hold.window says; the
    one that ends the matter closes nothing until then.

    Raises:
        AlreadyClosed: a colleague (also one whose decision is held), the deadline or AWS
            was first.
        NotAReviewer, FourEyes: REVIEWER may not decide this request.
        AlreadyVoted: REVIEWER's decision on it stands.
        StalePage: SEEN_SHA256 is not what would be decided about, others than SEEN_VOTES
            stand, or who approved before approved another payload than EDITS make.
        NotTogether: it comes with others, and needs a look of its own.
        InvalidFields: the comment is missing or too long, or VALUES or EDITS do not fit.
    """
    request = lock_whole(request_id)
    heard = hear(request, reviewer)
    policy.check_standing(request, heard.standings.get(reviewer.pk))
    desk.check_open(request, heard.at)
    _check_first_vote(heard.former, reviewer)
    if seen_sha256 is not None and seen_sha256 != request.payload_sha256:
        raise StalePage(_("The page you saw is out of date. Look at it again, then decide."))
    check_votes(heard.former, seen_votes)
    if channel is Channel.BULK:
        opened = bool(opened_by(reviewer, [request.pk]))
        check_together(request, heard.former, opened=opened)
    edited, comment, values = _checked(request, verdict, comment, values or {}, edits or {})
    if verdict is Verdict.APPROVED:
        check_agreed(heard.former, edited)
    decision = Decision(
        public_id=new_public_id(),
        request=request,
        verdict=verdict,
        channel=channel,
        reviewer=reviewer,
        comment=comment,
        values=values,
        payload_sha256=request.payload_sha256,
        edits_text=edited.text,
        final_sha256=edited.sha256,
        decided_at=heard.at,
        undo_until=_undo_until(request, heard.at) if held else None,
    )
    agreeing = [decision]
    missing = 0
    if verdict is Verdict.APPROVED:
        tally = policy.tally(
            request,
            [*heard.former, decision],
            standings=heard.standings,
            places=heard.places,
        )
        agreeing, missing = tally.agreeing, tally.missing
    answer = _answer(request, agreeing, at=heard.at)
    line = _line(decision, heard, missing=missing, answer=answer)
    delivery, frozen = (None, None) if missing else _owed_or_held(decision, answer)
    write_decided(decision, line, delivery, frozen)
    if delivery:
        request.close(RequestState(verdict.value), at=heard.at)
        doorbell.ring(doorbell.DELIVER_CALLBACKS)
    elif frozen:
        request.held_until = decision.undo_until
    return Decided(decision, missing, heard.former, heard.places, delivery, frozen)


def _owed_or_held(
    decision: Decision, answer: OwedAnswer
) -> tuple[CallbackDelivery | None, HeldAnswer | None]:
    """Where ANSWER goes now that DECISION ends the matter."""
    if decision.undo_until:
        return None, hold.held(decision, answer)
    return desk.owed(decision.request, answer, at=decision.decided_at), None


def _undo_until(request: ApprovalRequest, at: datetime) -> datetime | None:
    window = hold.window(request, at)
    return at + window if window else None


def _check_first_vote(former: list[Decision], reviewer: User) -> None:
    for decision in former:
        if decision.reviewer_id == reviewer.pk:
            at = moment_told(decision.decided_at)
            if decision.verdict == Verdict.APPROVED:
                raise AlreadyVoted(_("You approved this at %(at)s; it stands.") % {"at": at})
            raise AlreadyVoted(_("You rejected this at %(at)s; it stands.") % {"at": at})


def _checked(
    request: ApprovalRequest,
    verdict: Verdict,
    comment: str,
    values: Mapping[str, Any],
    edits: Mapping[str, Json],
) -> tuple[Edited, str, dict[str, Any]]:
    """EDITS, COMMENT and VALUES as they are recorded.

    Raises:
        InvalidFields: one of them or several do not fit; all that needs mending is named.
    """
    wrong: dict[str, str] = {}
    edited, filled_in = Edited(), dict[str, Any]()
    with gathered(wrong):
        edited = check_edits(request, edits, verdict)
    with gathered(wrong):
        comment = checked_comment(comment, verdict)
    with gathered(wrong):
        filled_in = check_values(request.response_schema, values, verdict)
    if wrong:
        raise InvalidFields(wrong)
    return edited, comment, filled_in


def checked_comment(comment: str, verdict: Verdict) -> str:
    """COMMENT as it is recorded.

    Raises:
        InvalidFields: it is missing where VERDICT needs one, too long, or no text.
    """
    comment = comment.strip()
    if "\0" in comment:
        raise InvalidFields({"comment": _("Take out the NUL character.")})
    if verdict is Verdict.REJECTED and not comment:
        raise InvalidFields({"comment": _("Say why you reject; the function receives it.")})
    if len(comment) > COMMENT_LIMIT:
        raise InvalidFields(
            {
                "comment": _("Shorten it to %(comment_limit)s characters.")
                % {"comment_limit": here().whole(COMMENT_LIMIT)}
            }
        )
    return comment


def _answer(request: ApprovalRequest, agreeing: list[Decision], *, at: datetime) -> OwedAnswer:
    """What AWS is owed if AGREEING end the matter; built at every vote.

    A vote that could never be sent must not stand in the way of the next.
    """
    verdict = Verdict(agreeing[-1].verdict)
    facts = outcome.document(request, verdict.value, cause=Cause.PERSON, at=at, decisions=agreeing)
    answer = outcome.for_verdict(request, verdict, facts)
    if len(answer.body) > outcome.RESULT_LIMIT:
        too_long = _("The answer would exceed 256 KiB: shorten comment, values and edits.")
        raise InvalidFields({"comment": too_long})
    return answer


def _line(decision: Decision, heard: Hearing, *, missing: int, answer: OwedAnswer) -> AuditEvent:
    """The line of history that tells of DECISION."""
    last: dict[str, Any] = {"answer_sha256": answer.sha256}
    if missing:
        tag, last = AuditTag.VOTED, {"missing": missing}
    elif decision.undo_until:
        tag, last = AuditTag.HELD, last | {"until": decision.undo_until.isoformat()}
    else:
        tag = AuditTag(f"request.{decision.verdict}")
    return AuditEvent.after(
        heard.last_line,
        tag,
        decision.request,
        at=decision.decided_at,
        actor=decision.reviewer,
        facts={
            "decision": str(decision.public_id),
            "verdict": str(decision.verdict),
            "channel": str(decision.channel),
            "comment": decision.comment,
            "payload_sha256": decision.payload_sha256,
            **named(decision),
            **last,
        },
    )
