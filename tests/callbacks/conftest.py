"""Requests on their way to AWS, made through the desk."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from approvals import lifecycle
from approvals.clock import database_now
from approvals.models import ApprovalRequest, AuditEvent, CallbackDelivery
from approvals.states import Channel, Verdict
from tests.factories import make_request, make_user

Owe = Callable[..., CallbackDelivery]


def decided(verdict: Verdict = Verdict.APPROVED, **fields: Any) -> ApprovalRequest:
    """A request that its one reviewer has decided: AWS is owed the answer."""
    reviewer = make_user()
    request = make_request(reviewer, **fields)
    lifecycle.decide(
        request.pk, verdict=verdict, reviewer=reviewer, channel=Channel.API, comment="Seen."
    )
    request.refresh_from_db()
    return request


@pytest.fixture
def owe() -> Owe:
    """Makes an answer owed to AWS and returns its delivery."""
    return lambda verdict=Verdict.APPROVED, **fields: decided(verdict, **fields).delivery


@pytest.fixture
def now(db: None) -> datetime:
    return database_now()


def tags(request: ApprovalRequest) -> list[str]:
    """The request's history, by tag; its chain must hold."""
    assert AuditEvent.objects.broken_at(request) is None
    return list(AuditEvent.objects.filter(request=request).values_list("tag", flat=True))


def until_somebody_waits(*, within: float = 10) -> None:
    """Return once another connection waits for a lock."""
    deadline = time.monotonic() + within
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError(f"Nobody waited for a lock within {within:g} s.")
