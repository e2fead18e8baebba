"""Whether the broker answers, whether beat has rung, and how many rings wait."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from prometheus_client.metrics_core import Metric
from redis import RedisError

from approvals.operations.metrics.families import gauge, gauges
from portal.beat import BEAT_KEY, broker


def bells() -> Iterator[Metric]:
    """Within the broker's own timeouts of half a second; without it, only that it is down."""
    queues = list(settings.CELERY_TASK_QUEUES)
    try:
        asked = broker().pipeline(transaction=False)
        asked.exists(BEAT_KEY)
        for queue in queues:
            asked.llen(queue)
        beat_rang, *lengths = asked.execute()
    except RedisError:
        yield gauge("broker_up", "1 if the broker answers.", 0)
        return
    yield gauge("broker_up", "1 if the broker answers.", 1)
    yield gauge("beat_up", "1 if beat has rung within 30 s.", beat_rang)
    yield gauges(
        "broker_queue_length",
        "Rings that no worker has heard yet.",
        ["queue"],
        [([queue], length) for queue, length in zip(queues, lengths, strict=True)],
    )
