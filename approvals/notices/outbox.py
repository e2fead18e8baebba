"""Mails owed to people, each sent at most once. The only writer of Notice.state.

A mail is marked as sent before the server has it: a crash in between loses one mail,
and the page still shows the request. What the server certainly did not take is marked
as owed again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import QuerySet

from approvals import policy, turns
from approvals.models import Notice
from approvals.models.sight import seen_by
from approvals.notices import mail
from approvals.states import NoticeKind, NoticeState

#: A mail about something that old only confuses.
TOO_LATE = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
#: One sweep begins no mail later than this; the next comes by in seconds. A server that
#: has become slow makes opening and the last mail wait for EMAIL_TIMEOUT each, and all of
#: it must end before Celery's soft limit: 10 s + 4 s + 10 s = 24 s < 25 s.
SWEEP_LIMIT = timedelta(seconds=4)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A notice that is settled; LETTER is to be handed over, None where it was dropped."""

    notice: Notice
    letter: EmailMultiAlternatives | None


def send_due(*, now: datetime, limit: int = 100) -> int:
    """Send what is owed at NOW, oldest first; return how many notices were looked at.

    Nothing is done while another worker sends: thousands of mails, or a server that hangs,
    hold one of the places where tasks run, and no more. Nothing is marked while no mail
    server can be reached, or while it takes nothing from this sender: what is still worth
    sending is then put off.
    """
    if not _due(now).exists():
        return 0
    with turns.turn(turns.NOTIFY) as mine:
        return _send_due(now, limit) if mine else 0


def _send_due(now: datetime, limit: int) -> int:
    try:
        server = mail.open_server()
    except mail.UNREACHABLE as error:
        log.warning("mail_server_unreachable", error=type(error).__name__)
        return _put_off(now, limit, f"{type(error).__name__}: the mail server is not reachable.")
    try:
        return _send_some(server, now, limit)
    finally:
        with suppress(*mail.UNREACHABLE):  # all mails are settled: who cares for a goodbye
            server.close()


def _send_some(server: BaseEmailBackend, now: datetime, limit: int) -> int:
    end = time.monotonic() + SWEEP_LIMIT.total_seconds()
    looked_at = 0
    while looked_at < limit and time.monotonic() < end:
        claimed = _claim_next(now)
        if claimed is None:
            break
        looked_at += 1
        try:
            if claimed.letter is not None and not _hand_over(claimed, server, now):
                break
        except mail.SenderRefused as refused:  # so it would be for all others
            log.error(
                "mail_sender_refused", detail=refused.detail, sender=settings.DEFAULT_FROM_EMAIL
            )
            return looked_at + _put_off(now, limit - looked_at, refused.detail)
    return looked_at


@transaction.atomic(durable=True)
def _claim_next(now: datetime) -> _Claimed | None:
    """Settle the oldest notice due: sent, and then it must be handed over, or dropped."""
    notice = _locked(now).first()
    if notice is None:
        return None
    if why := _needless(notice, now):
        _settle(notice, NoticeState.DROPPED, now, why)
        return _Claimed(notice, None)
    notice.attempts += 1
    try:
        letter = mail.compose(notice)
    except Exception:  # one mail that cannot be written must not hold up all others
        log.exception("mail_not_composed", notice=notice.pk, public_id=_public_id(notice))
        _owe_again(notice, now, "The mail could not be written; see the log.")
        return _Claimed(notice, None)
    _settle(notice, NoticeState.SENT, now)
    return _Claimed(notice, letter)


@transaction.atomic(durable=True)
def _put_off(now: datetime, limit: int, why: str) -> int:
    notices = list(_locked(now)[:limit])
    for notice in notices:
        if needless := _needless(notice, now):
            _settle(notice, NoticeState.DROPPED, now, needless)
        else:
            notice.attempts += 1
            _owe_again(notice, now, why)
    return len(notices)


def _hand_over(claimed: _Claimed, server: BaseEmailBackend, now: datetime) -> bool:
    """Hand the letter to SERVER; False if the connection cannot be used any longer.

    Raises:
        SenderRefused: the letter is owed again, and no other would be taken.
    """
    assert claimed.letter is not None
    try:
        mail.hand_over(claimed.letter, server)
    except mail.Refused as refused:
        _take_back(claimed.notice, now, refused)
        if isinstance(refused, mail.SenderRefused):
            raise
        return not refused.hung_up
    except mail.Vanished as vanished:
        log.warning(
            "mail_vanished",
            notice=claimed.notice.pk,
            public_id=_public_id(claimed.notice),
            detail=str(vanished),
        )
        _settle(claimed.notice, NoticeState.SENT, now, str(vanished))
        return False
    return True


@transaction.atomic(durable=True)
def _take_back(notice: Notice, now: datetime, refused: mail.Refused) -> None:
    if refused.passing:
        _owe_again(notice, now, refused.detail)
    else:
        _settle(notice, NoticeState.DROPPED, now, refused.detail)


def _public_id(notice: Notice) -> str:
    return str(notice.request.public_id)


def _due(now: datetime) -> QuerySet[Notice]:
    return Notice.objects.filter(state=NoticeState.PENDING, next_attempt_at__lte=now)


def _locked(now: datetime) -> QuerySet[Notice]:
    return (
        _due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("request__source", "user", "comment__author")
        .defer("request__payload", "request__payload_text", "request__summary")
        .order_by("next_attempt_at", "pk")
    )


def _needless(notice: Notice, now: datetime) -> str:
    """Why NOTICE need not be sent any more; empty if it must."""
    if now - notice.owed_at > TOO_LATE:
        return "Too late: a day has passed."
    if not (notice.user.is_active and notice.user.email):
        return "The person is inactive or has no mail address."
    if notice.kind == NoticeKind.ASKED:
        return _nothing_to_decide(notice, now)
    if not seen_by(notice.user).filter(pk=notice.request_id).exists():
        return "The person may not see the request any more: others were asked."
    if notice.kind == NoticeKind.HANDLED:
        return "" if _was_asked(notice) else "The person was never told of the request."
    return ""


def _nothing_to_decide(notice: Notice, now: datetime) -> str:
    request, person = notice.request, notice.user
    if not request.is_pending or (request.answer_by and now >= request.answer_by):
        return "The request no longer waits for a decision."
    if request.decisions.standing().filter(reviewer=person).exists():
        return "The person has decided already."
    return policy.may_decide(request, person)


def _was_asked(notice: Notice) -> bool:
    """Whether the person's ASKED mail left; waits for the one who may be sending it now."""
    asked = (
        Notice.objects.select_for_update()
        .filter(request=notice.request_id, user=notice.user_id, kind=NoticeKind.ASKED)
        .first()
    )
    return asked is not None and asked.state == NoticeState.SENT


def _settle(notice: Notice, state: NoticeState, now: datetime, detail: str = "") -> None:
    notice.state, notice.settled_at, notice.detail = state, now, detail[:200]
    notice.save(update_fields=["state", "settled_at", "detail", "attempts"])


def _owe_again(notice: Notice, now: datetime, detail: str) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(notice.attempts - 1, 10), LONGEST_PAUSE)
    notice.state, notice.settled_at, notice.detail = NoticeState.PENDING, None, detail[:200]
    notice.next_attempt_at = now + pause
    notice.save(update_fields=["state", "settled_at", "detail", "attempts", "next_attempt_at"])
