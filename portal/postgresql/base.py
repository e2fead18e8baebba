"""Django's PostgreSQL backend, with a cheaper way to see that a kept connection lives.

CONN_HEALTH_CHECKS asks `SELECT 1` before the first statement of every request: a round
trip to learn what the socket knows already. A server that has closed a connection (it
was restarted, it failed over, an administrator ended it) has sent its end, and the socket
has something to read. So a connection that was in use a moment ago and whose socket is
silent is taken as it is; every other, and any that met an error, is asked.
"""

from __future__ import annotations

import select
import time
from typing import Any

from django.db.backends.postgresql import base

#: Seconds. What rested longer may have been forgotten by something on the way.
TRUSTED_FOR = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    health_check_enabled: bool
    health_check_done: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen_alive = float("-inf")  # time.monotonic()

    def close_if_health_check_failed(self) -> None:
        """Close the connection if it is dead; at most once for each request or task."""
        due = self.connection is not None and self.health_check_enabled
        if not due or self.health_check_done:
            return
        now = time.monotonic()
        if now - self._seen_alive < TRUSTED_FOR and self._is_silent():
            self.health_check_done = True
        else:
            super().close_if_health_check_failed()
        self._seen_alive = now

    def _is_silent(self) -> bool:
        """Whether the server has sent nothing that nobody asked for, such as its end."""
        connection: Any = self.connection
        if connection.closed:
            return False
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return not poll.poll(0)
