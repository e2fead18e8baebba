"""Histories to be read: which is due, for whom, and when again if nobody settles it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from approvals.callbacks import pace
from approvals.callbacks.rounds import Rounds
from approvals.models import (
    ApprovalRequest,
    CallbackCheck,
    CallbackDelivery,
    Execution,
    ExecutionHistory,
)
from approvals.states import DeliveryState, RequestState

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
#: A reading that is never settled, as its worker died, is done again after this long.
LEASE = timedelta(minutes=2)
MOST_REQUESTS = 50


@dataclass(frozen=True, slots=True)
class Errand:
    """One history to read, for REQUESTS of its execution; LEASE_ENDS if nobody settles it."""

    execution: Execution
    requests: tuple[ApprovalRequest, ...]
    with_results: bool
    lease_ends: datetime

    @property
    def source_id(self) -> int:
        return self.execution.source_id


@transaction.atomic(durable=True)
def claim(
    *, now: datetime, crowded: Collection[int] = (), rounds: Rounds | None = None
) -> list[Errand]:
    """Take an execution whose history is due, of the source whose turn it is.

    Answers that may have been taken, and callbacks to be checked, take turns; the steps of
    executions, which are only shown, come after both.
    """
    rounds = rounds or Rounds()
    checks = CallbackCheck.objects.due(now).exclude(request__source__in=list(crowded))
    histories = ExecutionHistory.objects.due(now).exclude(execution__source__in=list(crowded))
    sources = {
        *checks.values_list("request__source", flat=True).distinct(),
        *histories.values_list("execution__source", flat=True).distinct(),
    }
    for source in rounds.sources(sources, now=now):
        first = _first(
            checks.filter(request__source=source).order_by("next_attempt_at"),
            histories.filter(execution__source=source).order_by("next_read_at"),
            answers_first=rounds.toss(),
        )
        execution = Execution.objects.select_related("source").filter(pk__in=[first or 0]).first()
        if execution and rounds.serve(execution, now=now):
            return [_errand(execution, now)]
    return []


def _first(
    checks: QuerySet[CallbackCheck],
    histories: QuerySet[ExecutionHistory],
    *,
    answers_first: bool,
) -> int | None:
    """The key of the execution whose history is read next."""
    matters = [
        histories.filter(
            execution__requests__delivery__state=DeliveryState.UNCONFIRMED
        ).values_list("execution", flat=True),
        checks.values_list("request__execution", flat=True),
    ]
    if not answers_first:
        matters.reverse()
    found = (wanted.first() for wanted in [*matters, histories.values_list("execution", flat=True)])
    return next((execution for execution in found if execution), None)


def _errand(execution: Execution, now: datetime) -> Errand:
    """Put off what is due of EXECUTION; rows that somebody holds are left to them."""
    lease_ends = now + LEASE
    checks = CallbackCheck.objects.due(now).filter(request__execution=execution)
    for check in checks.select_for_update(skip_locked=True, of=("self",)):
        check.attempts += 1
        check.next_attempt_at = now + pause(check.attempts)
        check.save(update_fields=["attempts", "next_attempt_at"])
    row = ExecutionHistory.objects.due(now).filter(pk=execution.pk)
    for due in row.select_for_update(skip_locked=True):
        due.reads += 1
        due.next_read_at = lease_ends
        due.save(update_fields=["reads", "next_read_at"])
    return Errand(execution, _concerned(execution), has_unconfirmed(execution), lease_ends)


def _concerned(execution: Execution) -> tuple[ApprovalRequest, ...]:
    """The requests to which the history may have something to say."""
    matter = (
        Q(state=RequestState.PENDING)
        | Q(callback_check__next_attempt_at__isnull=False)
        | Q(delivery__state=DeliveryState.UNCONFIRMED)
    )
    requests = ApprovalRequest.objects.filter(matter, execution=execution).order_by("-pk")
    return tuple(requests.only("callback_sha256", "callback_sealed")[:MOST_REQUESTS])


def has_unconfirmed(execution: Execution) -> bool:
    """Whether an answer for EXECUTION may have been taken, and nobody knows."""
    deliveries = CallbackDelivery.objects.filter(state=DeliveryState.UNCONFIRMED)
    return deliveries.filter(request__execution=execution).exists()


def pause(number: int) -> timedelta:
    """Before asking again after NUMBER times: 2 s, 4 s, 8 s … up to an hour."""
    return pace.jittered(min(FIRST_PAUSE * 2.0 ** min(number - 1, 16), LONGEST_PAUSE))
