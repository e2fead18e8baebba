"""What workers do: one sweep each, named in approvals.doorbell. No logic here.

Each task looks for its work in the database, so running it twice, late or beside
itself is harmless. Each ends by saying that it came by, which is how readiness knows
that a worker lives.
"""

from __future__ import annotations

from functools import lru_cache

from celery import shared_task

from approvals import doorbell, lifecycle
from approvals.callbacks import delivery, executions, heartbeats
from approvals.callbacks.aws import LambdaGateway
from approvals.clock import database_now
from approvals.models import SweepMark
from approvals.notices import outbox as notices


@lru_cache(maxsize=1)
def gateway() -> LambdaGateway:
    """This process's way to AWS; made at first use, never before a worker forks."""
    return LambdaGateway()


@shared_task(name=doorbell.DELIVER_CALLBACKS)
def deliver_callbacks() -> None:
    _came_by(doorbell.DELIVER_CALLBACKS, delivery.deliver_due(gateway()).total())


@shared_task(name=doorbell.SEND_HEARTBEATS)
def send_heartbeats() -> None:
    _came_by(doorbell.SEND_HEARTBEATS, heartbeats.beat_due(gateway()).total())


@shared_task(name=doorbell.EXPIRE_REQUESTS)
def expire_requests() -> None:
    _came_by(doorbell.EXPIRE_REQUESTS, lifecycle.strike_due(now=database_now()))


@shared_task(name=doorbell.SEND_NOTICES)
def send_notices() -> None:
    _came_by(doorbell.SEND_NOTICES, notices.send_due(now=database_now()))


@shared_task(name=doorbell.LOOK_AT_EXECUTIONS)
def look_at_executions() -> None:
    _came_by(doorbell.LOOK_AT_EXECUTIONS, executions.look_due(gateway()).total())


def _came_by(name: str, found: int) -> None:
    SweepMark.objects.finished(name, at=database_now(), found=found)
