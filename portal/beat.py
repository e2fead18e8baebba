"""Beat's sign of life: a key at the broker that expires soon after beat falls silent.

Beat leaves it with every ring (portal.celery); readiness looks for it. It cannot stand
in the database: beat has no business there.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

BEAT_KEY = "countersign:beat"
BEAT_LASTS = timedelta(seconds=30)
BROKER_TIMEOUT = timedelta(seconds=0.5)

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def broker() -> Redis:
    """The broker, asked directly: half a second to connect, half to answer, no retry."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=BROKER_TIMEOUT.total_seconds(),
        socket_timeout=BROKER_TIMEOUT.total_seconds(),
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def leave_sign(**_signal: Any) -> None:
    """Write down that beat has just rung; a broker that is away is logged, no more."""
    try:
        broker().set(BEAT_KEY, datetime.now(UTC).isoformat(), ex=BEAT_LASTS)
    except RedisError as error:
        log.warning("Beat's sign of life was not written: %s", type(error).__name__)


def sign_seen() -> bool:
    """Whether beat has rung within BEAT_LASTS.

    Raises:
        RedisError: the broker does not answer.
    """
    return bool(broker().exists(BEAT_KEY))
