"""From a history to a conclusion: whose answer ended a callback, and what becomes of it here.

Proof that an answer was ours: the same document (its ids), or the very same bytes, told by
the same verb. Where AWS does not show it, nothing is concluded.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from approvals.callbacks import outbox, pace
from approvals.callbacks.gateway import Said
from approvals.callbacks.history import CallbackPast, Past, callback, clock
from approvals.callbacks.past import fingerprint
from approvals.keyring import SealBroken
from approvals.lifecycle import checks
from approvals.lifecycle.checks import Terms
from approvals.models import ApprovalRequest, CallbackCheck, CallbackDelivery
from approvals.models.delivery import (
    HISTORY_LACKS_IT,
    HISTORY_OPEN,
    HISTORY_TOO_LONG,
    HISTORY_UNCLEAR,
    HISTORY_UNREADABLE,
)
from approvals.states import CallbackFinding, CallbackVerb, DeliveryState, Reply, Withdrawal

#: A history lags behind: what it does not show yet is looked for so often.
TRIES = 5
#: AWS said "closed"; a history that still shows the callback open is asked this often.
TRIES_WHO_CLOSED = 3
MENDING_PAUSE = timedelta(hours=1)

_ENDING = {CallbackVerb.SUCCEED: "CallbackSucceeded", CallbackVerb.FAIL: "CallbackFailed"}


def settle_request(
    request: ApprovalRequest, past: Past, callback_id: str, *, now: datetime, with_results: bool
) -> None:
    """Settle what waits for PAST at REQUEST: an unconfirmed answer, a check, its end.

    An answer is judged by what was read WITH_RESULTS alone: one that became unconfirmed
    during another reading waits for its own.
    """
    found = callback(past, callback_id) if callback_id else None
    if with_results:
        _settle_answer(request, past, found, now)
    if found and found.ended:
        why = Withdrawal.CLOSED_AT_AWS if found.timed_out else Withdrawal.ELSEWHERE
        checks.closed(request.pk, why, ending(found), now=now)
        return
    check = CallbackCheck.objects.filter(request=request.pk).first()
    if check and check.next_attempt_at:
        _settle_check(check, past, found, now)


def _settle_answer(
    request: ApprovalRequest, past: Past, found: CallbackPast | None, now: datetime
) -> None:
    owed = CallbackDelivery.objects.filter(request=request.pk, state=DeliveryState.UNCONFIRMED)
    for delivery in owed:
        state, detail = judge(delivery, past, found)
        ended = found.ended if found else None
        outbox.confirm(delivery.pk, state, detail, now=now, at=ended.at if ended else None)


def _settle_check(
    check: CallbackCheck, past: Past, found: CallbackPast | None, now: datetime
) -> None:
    asked_who = check.finding == CallbackFinding.CLOSED
    if found and not asked_who:
        start = found.started
        terms = Terms(start.timeout_seconds, start.heartbeat_timeout_seconds, start.at)
        checks.found(check.pk, terms, now=now)
    elif _may_yet_show(past, check.attempts, TRIES_WHO_CLOSED if asked_who else TRIES):
        return  # it was put off when it was claimed
    else:
        finding, detail, again = _unsettled(past)
        checks.unsettled(
            check.pk,
            finding,
            detail,
            now=now,
            again_at=now + pace.jittered(again) if again else None,
        )


def _may_yet_show(past: Past, attempts: int, tries: int) -> bool:
    """Whether asking once more, soon, may help: AWS is slow or busy, not unwilling."""
    unwilling = past.answer.needs_mending or past.answer.reply == Reply.REFUSED
    too_long = past.answer.reply == Reply.ACCEPTED and not past.is_whole
    return not unwilling and not too_long and attempts < tries


def _unsettled(past: Past) -> tuple[CallbackFinding, str, timedelta | None]:
    """What a history without the callback leaves to say, and when to ask again."""
    if past.answer.not_found:
        return CallbackFinding.MISSING, past.answer.detail, None
    if past.answer.reply == Reply.REFUSED:
        return CallbackFinding.UNREADABLE, past.answer.detail, None
    if past.answer.reply != Reply.ACCEPTED:
        return CallbackFinding.UNREADABLE, past.answer.detail, MENDING_PAUSE
    if not past.is_whole:
        return CallbackFinding.UNREADABLE, HISTORY_TOO_LONG, None
    return CallbackFinding.MISSING, HISTORY_LACKS_IT, None


def judge(
    delivery: CallbackDelivery, past: Past, found: CallbackPast | None
) -> tuple[DeliveryState, str]:
    """Where an unconfirmed DELIVERY stands by its history, and why in words."""
    stays = DeliveryState.UNCONFIRMED
    if found and found.ended:
        is_ours = _is_ours(delivery, found)
        if is_ours is None:
            return stays, HISTORY_UNCLEAR
        if is_ours:
            sentence = f"The execution's history shows this answer{clock(found.ended.at)}."
            return DeliveryState.DELIVERED, sentence
        before = " That was before this answer." if found.timed_out else ""
        return DeliveryState.UNDELIVERABLE, ending(found) + before
    if past.answer.reply != Reply.ACCEPTED:
        return stays, f"{HISTORY_UNREADABLE} {past.answer.detail}"
    if found:
        return stays, HISTORY_OPEN
    why = HISTORY_LACKS_IT if past.is_whole else HISTORY_TOO_LONG
    return stays, f"{why} Nobody can tell from it."


def _is_ours(delivery: CallbackDelivery, found: CallbackPast) -> bool | None:
    """Whether DELIVERY ended the callback; None where the history does not show enough."""
    assert found.ended is not None, "judged by its end"
    if found.ended.kind != _ENDING[CallbackVerb(delivery.verb)]:
        return False
    try:
        error_type, owed = _owed(delivery)
    except SealBroken:
        return None
    if found.ended.error_type not in {"", error_type}:
        return False
    return _is_same(owed, found.ended.said)


def _is_same(owed: Said, said: Said | None) -> bool | None:
    """Whether SAID is what was OWED; None if it is perhaps a part of it."""
    if said is None:
        return None
    ids = (owed.request_id, owed.decision_id)
    if said.sha256 == owed.sha256 or (any(ids) and ids == (said.request_id, said.decision_id)):
        return True
    return False if said.is_whole or (owed.is_json and said.is_json) else None


def _owed(delivery: CallbackDelivery) -> tuple[str, Said]:
    """The type of the error that is owed, if it is one, and the words' fingerprint."""
    text = delivery.body.decode()
    if delivery.verb == CallbackVerb.SUCCEED:
        return "", fingerprint(text)
    error = json.loads(text)
    return error["ErrorType"], fingerprint(error["ErrorData"])


def ending(found: CallbackPast) -> str:
    """How a callback ended that was not ended by the portal, in a sentence."""
    assert found.ended is not None, "there is an end to tell of"
    at = clock(found.ended.at)
    if found.timed_out:
        if found.ended.error_type == "Callback.Heartbeat":
            return f"AWS heard no heartbeat in time: the callback timed out{at}."
        return f"The callback timed out at AWS{at}."
    verb = "succeeded" if found.ended.kind == "CallbackSucceeded" else "failed"
    return f"Answered outside the portal: the callback {verb}{at}."
