"""Questions owed to sources, each sent at least once. The only writer of QuestionDelivery.state.

An attempt is written down, with a lease, before anything is sent: a worker that dies loses
a minute. A question is sent until its source takes it, while it still waits for an answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from approvals import turns
from approvals.models import Comment, QuestionDelivery
from approvals.notices import mail, webhook
from approvals.notices.question_letter import Letter, Post, mail_for, post_for
from approvals.notices.webhook import NotTaken
from approvals.states import QuestionState

AT_ONCE = 8  # questions on their way at a time, each to another source
ROUND_LIMIT = timedelta(seconds=15)  # webhook.PATIENCE, and some for the look-up of a name
LEASE = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
#: One sweep begins no round later than this: with the last, 19 s < 25 s, Celery's soft limit.
SWEEP_LIMIT = timedelta(seconds=4)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try to hand over LETTER; NUMBER tells it from every other of the same question."""

    question_id: int
    number: int
    letter: Letter


def send_due(*, now: datetime) -> int:
    """Send the questions owed at NOW, oldest first of each source; how many were looked at.

    A round holds one question of each source, so that a source that hangs holds up nobody
    else's. Nothing is done while another worker sends questions, or mails: both together
    hold one of the places where tasks run.
    """
    if not _due(now).exists():
        return 0
    with turns.turn(turns.NOTIFY) as mine:
        return _send_rounds(now) if mine else 0


def _send_rounds(now: datetime) -> int:
    end = time.monotonic() + SWEEP_LIMIT.total_seconds()
    looked_at = 0
    while time.monotonic() < end:
        found, attempts = _claim(now)
        if not found:
            break
        looked_at += found
        for attempt, trouble in zip(attempts, _hand_over(attempts), strict=True):
            _settle(attempt, trouble, now)
    return looked_at


@transaction.atomic(durable=True)
def _claim(now: datetime) -> tuple[int, list[_Attempt]]:
    """Lease one question of each source; how many were looked at, and what is to be sent."""
    first = _due(now).order_by("source_id", "next_attempt_at").distinct("source_id")
    rows = (
        QuestionDelivery.objects.filter(pk__in=first.values("pk"))
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("question__author", "question__request__source")
        .defer("question__request__payload", "question__request__payload_text")
        .order_by("next_attempt_at")
    )
    found = list(rows[:AT_ONCE])
    attempts = [_attempt(row, now) for row in found]
    return len(found), [attempt for attempt in attempts if attempt]


def _attempt(row: QuestionDelivery, now: datetime) -> _Attempt | None:
    if why := _needless(row.question, now):
        _close(row, QuestionState.DROPPED, now, why)
        return None
    row.attempts += 1
    row.next_attempt_at = now + LEASE
    row.save(update_fields=["attempts", "next_attempt_at"])
    try:
        return _Attempt(row.pk, row.attempts, _letter(row.question, now))
    except Exception:  # one question that cannot be written must not hold up all others
        log.exception("question_not_written", question=str(row.question.public_id))
        _put_off(row, now, gettext_noop("It could not be written; see the log."))
        return None


def _letter(question: Comment, now: datetime) -> Letter:
    by_post = bool(question.request.source.questions_url)
    return post_for(question, now=now) if by_post else mail_for(question)


def _needless(question: Comment, now: datetime) -> str:
    """Why QUESTION need not be sent any more; empty if it must."""
    request = question.request
    if not (request.source.questions_url or request.source.questions_mail):
        return gettext_noop("The source has no address for questions any more.")
    if not request.is_pending or (request.answer_by and now >= request.answer_by):
        return gettext_noop("The request no longer waits for a decision.")
    if Comment.objects.filter(answers=question).exists():
        return gettext_noop("It is answered already.")
    return ""


def _hand_over(attempts: Sequence[_Attempt]) -> list[NotTaken | None]:
    """Send all ATTEMPTS at once; for each what was wrong, None where it was taken.

    Nobody waits longer than ROUND_LIMIT, whatever a source does: one that answers byte by
    byte is left alone with its thread, and is asked again later.
    """
    ends: list[NotTaken | None] = [
        NotTaken(gettext_noop("It did not answer in time.")) for _ in attempts
    ]

    def send(place: int) -> None:
        ends[place] = _send(attempts[place].letter)

    threads = [Thread(target=send, args=(place,), daemon=True) for place in range(len(attempts))]
    end = time.monotonic() + ROUND_LIMIT.total_seconds()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return list(ends)


def _send(letter: Letter) -> NotTaken | None:
    try:
        if isinstance(letter, Post):
            private = settings.QUESTIONS_TO_PRIVATE
            webhook.post(letter.url, letter.body, letter.headers, private=private)
        else:
            _mail(letter)
    except NotTaken as trouble:
        return trouble
    except Exception as error:  # one letter that cannot be sent must not hold up the others
        log.exception("question_not_sent")
        return NotTaken(f"{type(error).__name__}: see the log.")
    return None


def _mail(letter: EmailMultiAlternatives) -> None:
    try:
        server = mail.open_server()
    except mail.UNREACHABLE as error:
        raise NotTaken(f"{type(error).__name__}: the mail server is not reachable.") from error
    try:
        mail.hand_over(letter, server)
    except mail.Refused as refused:
        raise NotTaken(refused.detail, for_good=not refused.passing) from refused
    except mail.Vanished as vanished:  # perhaps twice rather than never
        raise NotTaken(str(vanished)) from vanished
    finally:
        with suppress(*mail.UNREACHABLE):
            server.close()


@transaction.atomic(durable=True)
def _settle(attempt: _Attempt, trouble: NotTaken | None, now: datetime) -> None:
    """Write down how ATTEMPT ended, unless a later one has taken its place."""
    rows = QuestionDelivery.objects.select_for_update()
    row = rows.filter(
        pk=attempt.question_id, state=QuestionState.PENDING, attempts=attempt.number
    ).first()
    if row is None:
        return
    if trouble is None:
        _close(row, QuestionState.SENT, now, "")
    elif trouble.for_good:
        _close(row, QuestionState.DROPPED, now, trouble.detail)
    else:
        _put_off(row, now, trouble.detail)


def _put_off(row: QuestionDelivery, now: datetime, detail: str) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 10), LONGEST_PAUSE)
    row.next_attempt_at, row.detail = now + pause, detail[:200]
    row.save(update_fields=["next_attempt_at", "detail"])


def _close(row: QuestionDelivery, state: QuestionState, now: datetime, detail: str) -> None:
    row.state, row.settled_at, row.detail = state, now, detail[:200]
    row.save(update_fields=["state", "settled_at", "detail"])


def _due(now: datetime) -> QuerySet[QuestionDelivery]:
    return QuestionDelivery.objects.filter(state=QuestionState.PENDING, next_attempt_at__lte=now)
