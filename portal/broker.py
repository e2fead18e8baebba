"""How the broker is waited for: asked every second, for as long as it takes.

kombu waits two seconds longer after each failure, up to 30 s; Celery has no setting for
it. Work would go on so much later than the broker.
"""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection

RETRY_SECONDS = 1.0


class PromptConnection(Connection):
    """A connection whose owner, worker or beat, is back within RETRY_SECONDS.

    Publishing goes by task_publish_retry_policy and never comes here.
    """

    def ensure_connection(self, *args: Any, **options: Any) -> PromptConnection:
        pace = {"interval_start": RETRY_SECONDS, "interval_step": 0, "interval_max": RETRY_SECONDS}
        super().ensure_connection(*args, **{**pace, **options})
        return self


class PromptAmqp(AMQP):
    Connection = PromptConnection
