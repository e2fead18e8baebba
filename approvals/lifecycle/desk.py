"""What every verb of the desk shares: the lock, the closing, the answer owed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from approvals import doorbell, keyring
from approvals.errors import AlreadyClosed
from approvals.lifecycle.outcome import OwedAnswer
from approvals.locales import here
from approvals.models import ApprovalRequest, CallbackDelivery, Decision, Heartbeat, User
from approvals.models.delivery import body_place
from approvals.states import Cause, NoticeKind, OnTimeout, RequestState, Verdict, Withdrawal

#: An execution lives at most 366 days (ExecutionTimeout, Lambda API): a callback
#: without a timeout of its own cannot wait longer.
LONGEST_WAIT = timedelta(days=366)

_CLOSING_COLUMNS = (
    "state", "closed_at", "held_until", "withdrawal", "closed_because", "claimed_by",
    "claimed_until",
)  # fmt: skip


def lock(request_id: int) -> ApprovalRequest:
    """The request, its row locked until the transaction ends.

    no_key: history and delivery rows take FOR KEY SHARE on this row and must not wait:
    https://www.postgresql.org/docs/current/explicit-locking.html
    """
    return _small(ApprovalRequest.objects.select_for_update(no_key=True, of=("self",))).get(
        pk=request_id
    )


def lock_if_free(request_id: int) -> ApprovalRequest | None:
    """As `lock`; None at once where somebody else holds the row."""
    rows = ApprovalRequest.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
    return _small(rows).filter(pk=request_id).first()


def _small(rows: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
    large = ("payload", "payload_text", "summary", "links", "effects")
    return rows.defer(*large).select_related("source")


def check_open(request: ApprovalRequest, now: datetime) -> None:
    """Return if REQUEST still waits for a decision at NOW.

    Raises:
        AlreadyClosed: it was closed, somebody has decided and may still take it back, or
            its deadline has passed and the sweep is on its way. The message says by whom
            or what, and when.
    """
    if not request.is_pending:
        raise AlreadyClosed(closing_sentence(request))
    if request.held_until:
        raise AlreadyClosed(held_sentence(request, request.held_until, now))
    if request.answer_by and now >= request.answer_by:
        raise AlreadyClosed(_("The deadline passed at %(at)s.") % {"at": _clock(request.answer_by)})


def held_sentence(request: ApprovalRequest, until: datetime, now: datetime) -> str:
    """Who decided REQUEST, and when that is sent, for the one who came second."""
    decision = request.held_answer.decision
    named = {"who": decision.who, "at": _clock(decision.decided_at)}
    approved = decision.verdict == Verdict.APPROVED
    if now >= until:
        if approved:
            return _("%(who)s approved this at %(at)s; it is being sent.") % named
        return _("%(who)s rejected this at %(at)s; it is being sent.") % named
    named["sent"] = f"{until:%H:%M:%S}"
    if approved:
        return (
            _("%(who)s approved this at %(at)s; it is sent at %(sent)s unless they take it back.")
            % named
        )
    return (
        _("%(who)s rejected this at %(at)s; it is sent at %(sent)s unless they take it back.")
        % named
    )


def closing_sentence(request: ApprovalRequest) -> str:
    """Who or what closed REQUEST, and when, for the one who came second."""
    at = _clock(request.closed_at) if request.closed_at else ""
    last = request.decisions.standing().select_related("reviewer").order_by("-id").first()
    if request.state == RequestState.EXPIRED:
        by_rule = request.on_timeout in {OnTimeout.APPROVE, OnTimeout.REJECT}
        if by_rule:
            return _("%(ending)s at %(at)s.") % {"ending": request.ending, "at": at}
        return _("%(ending)s; it expired at %(at)s.") % {"ending": request.ending, "at": at}
    if request.state == RequestState.WITHDRAWN:
        named = {"ending": request.get_withdrawal_display(), "at": at}
        if request.withdrawal != Withdrawal.OPERATOR:
            return _("%(ending)s at %(at)s.") % named
        named["why"] = request.closed_because
        return _ended(_("%(ending)s at %(at)s, because: %(why)s") % named)
    return _decided_by(request, last, at)


def _decided_by(request: ApprovalRequest, last: Decision | None, at: str) -> str:
    approved = request.state == RequestState.APPROVED
    named = {"who": last.who if last else _("Somebody"), "at": at}
    if not last or last.cause != Cause.OPERATOR:
        if approved:
            return _("%(who)s approved this at %(at)s.") % named
        return _("%(who)s rejected this at %(at)s.") % named
    named["why"] = last.comment
    if approved:
        words = _("Forced by an operator: %(who)s approved this at %(at)s, because: %(why)s")
    else:
        words = _("Forced by an operator: %(who)s rejected this at %(at)s, because: %(why)s")
    return _ended(words % named)


def close(
    request: ApprovalRequest,
    state: RequestState,
    *,
    at: datetime,
    answer: OwedAnswer | None,
    by: User | None = None,
) -> None:
    """Close REQUEST at AT, owe AWS the ANSWER if there is one, and tell the others."""
    request.close(state, at=at)
    request.save(update_fields=_CLOSING_COLUMNS)
    request.assignments.update(open=False)
    if answer is None:
        Heartbeat.objects.filter(request=request).delete()
    else:
        _owe(request, answer, at=at)
    _tell_the_others(request, at=at, by=by)


def _owe(request: ApprovalRequest, answer: OwedAnswer, *, at: datetime) -> None:
    owed(request, answer, at=at).save(force_insert=True)
    doorbell.ring(doorbell.DELIVER_CALLBACKS)


def owed(request: ApprovalRequest, answer: OwedAnswer, *, at: datetime) -> CallbackDelivery:
    """What AWS is owed of ANSWER from AT on; not saved."""
    expires = request.callback_expires_at or request.received_at + LONGEST_WAIT
    return CallbackDelivery(
        request=request,
        source_id=request.source_id,
        verb=answer.verb,
        sealed_body=keyring.seal(answer.body, place=body_place(request.pk)),
        owed_at=at,
        next_attempt_at=at,
        give_up_at=max(expires, at),
    )


def _tell_the_others(request: ApprovalRequest, *, at: datetime, by: User | None) -> None:
    # One statement however many were asked. Whether a mail still makes sense is decided
    # when it is sent (notices.outbox).
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO approvals_notice
                   (request_id, user_id, kind, state, owed_at, next_attempt_at, attempts, detail)
            SELECT request_id, user_id, %s, 'pending', %s, %s, 0, ''
              FROM approvals_notice
             WHERE request_id = %s AND kind = %s AND user_id IS DISTINCT FROM %s
            ON CONFLICT DO NOTHING
            """,
            [NoticeKind.HANDLED, at, at, request.pk, NoticeKind.ASKED, by.pk if by else None],
        )


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _clock(moment: datetime) -> str:
    return _("%(time)s UTC on %(day)s") % {
        "time": f"{moment:%H:%M:%S}",
        "day": here().long_date(moment),
    }
