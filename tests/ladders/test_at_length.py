"""Much that is due at one moment: each clock strikes once, each answer is sent again once.

COUNTERSIGN_FULL=1 takes as many as docs/operations/results.md speaks of.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery
from approvals.operations import causes
from approvals.states import AuditTag, Channel, DeliveryState, RequestState, Verdict
from tests.factories import make_request, make_source, make_user
from tests.ladders.profile import broken_in_the_ledger
from tests.ladders.test_races import check_aws_was_told_once, rounds, tell

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 2
CLOCKS = [AuditTag.DUE, AuditTag.ESCALATED, AuditTag.EXPIRED]


def sweep_until_all_have_struck(moment_is_over: float) -> int:
    """What one worker does: a sweep, and the next one, while there is anything."""
    struck = 0
    try:
        while ApprovalRequest.objects.pending().exists() and time.monotonic() < moment_is_over:
            struck += lifecycle.strike_due(now=database_now())
    finally:
        connections.close_all()
    return struck


def test_clocks_of_one_moment_strike_once_each_and_within_a_minute() -> None:
    anna, source = make_user("anna"), make_source()
    clocks = {"due_in_seconds": 100, "escalate_in_seconds": 200, "timeout_seconds": 1000}
    requests = [make_request(anna, source=source, **clocks) for _ in rounds(3_400, 24)]
    moment = database_now() + timedelta(seconds=1)
    ApprovalRequest.objects.update(
        due_at=moment, escalate_at=moment, answer_by=moment, clock_at=moment
    )
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(sweep_until_all_have_struck, [time.monotonic() + 300] * WORKERS))

    struck = AuditEvent.objects.filter(tag__in=CLOCKS)
    latest = struck.order_by("at").values_list("at", flat=True).last()
    assert latest is not None
    late = (latest - moment).total_seconds()
    tell("clocks of one moment", requests=len(requests), clocks=struck.count(),
         milliseconds_to_the_last=round(late * 1000))  # fmt: skip
    assert struck.filter(tag=AuditTag.EXPIRED).count() == len(requests)
    assert struck.values("request", "tag").distinct().count() == struck.count()
    assert set(ApprovalRequest.objects.values_list("state", flat=True)) == {RequestState.EXPIRED}
    assert broken_in_the_ledger() == []
    assert late <= 60


def test_answers_aws_refused_for_one_cause_are_all_sent_again_in_a_few_presses() -> None:
    anna, source = make_user("anna"), make_source()
    requests = [make_request(anna, source=source) for _ in rounds(1_000, 12)]
    for request in requests:
        lifecycle.decide(
            request.pk, verdict=Verdict.APPROVED, reviewer=anna, channel=Channel.BROWSER
        )
    CallbackDelivery.objects.update(
        state=DeliveryState.UNDELIVERABLE, last_reply="refused", attempts=1,
        detail="AccessDeniedException: No.", settled_at=database_now(),
    )  # fmt: skip
    operator = Client()
    operator.force_login(make_user("olu", role="operator"))
    wish = {"which": "cause", "code": "AccessDeniedException", "reason": "Rights are mended."}

    began, presses = time.monotonic(), 0
    refused = CallbackDelivery.objects.filter(state=DeliveryState.UNDELIVERABLE)
    while refused.exists():
        assert operator.post(reverse("approvals:operations-redrive-many"), wish).status_code == 303
        presses += 1
    seconds = time.monotonic() - began
    tell("sent again", answers=len(requests), presses=presses,
         milliseconds=round(seconds * 1000))  # fmt: skip
    assert presses == -(-len(requests) // causes.AT_ONCE)
    assert seconds <= 120
    assert operator.post(reverse("approvals:operations-redrive-many"), wish).status_code == 303
    assert AuditEvent.objects.filter(tag=AuditTag.REDRIVEN).count() == len(requests)
    check_aws_was_told_once(requests)
