"""The cache: Redis, and this process's own memory while Redis does not answer.

Sign-in counts its attempts here. Without Redis people must still get in, and must still
be stopped when they guess: each process then counts for itself, so that a limit of five
may become five in every process, but is never off.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

#: So long Redis is left alone after a failure: one caller in that time waits for it.
REST = timedelta(seconds=5)
#: How often the log says that Redis is away.
LOG_EVERY = timedelta(seconds=30)
#: Enough that an attacker with many names does not push out the count for one of them.
MAX_ENTRIES_IN_MEMORY = 10_000

log = logging.getLogger(__name__)


class Breaker:
    """Whether Redis is worth asking. All threads of a process share one for each server.

    NOW is in seconds of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._failing = False
        self._rests_until = 0.0
        self._logged_at = float("-inf")

    def may_ask(self, now: float) -> bool:
        """True while Redis answers; after a failure for one caller in every REST."""
        with self._lock:
            if not self._failing:
                return True
            if now < self._rests_until:
                return False
            self._rests_until = now + REST.total_seconds()
            return True

    def failed(self, now: float, error: Exception) -> None:
        with self._lock:
            self._failing = True
            self._rests_until = now + REST.total_seconds()
            log_it = now - self._logged_at >= LOG_EVERY.total_seconds()
            if log_it:
                self._logged_at = now
        if log_it:
            log.warning(
                "Redis does not answer (%s): every process counts sign-in attempts for itself. "
                "Look after REDIS_URL.",
                type(error).__name__,
            )

    def answered(self) -> None:
        if self._failing:
            with self._lock:
                self._failing = False


_breakers: dict[str, Breaker] = {}


def _in_turn(name: str, *, memory_too: bool = False) -> Callable[..., Any]:
    """The cache method NAME: Redis's, or that of memory where Redis does not answer.

    MEMORY_TOO: what is taken away is taken away in both, so that a lock or a count left
    in memory by the last outage does not come back with the next.
    """

    def ask(self: RedisOrMemoryCache, *args: Any, **kwargs: Any) -> Any:
        if not self.breaker.may_ask(time.monotonic()):
            return getattr(self.memory, name)(*args, **kwargs)
        try:
            answer = getattr(RedisCache, name)(self, *args, **kwargs)
        except RedisError as error:
            self.breaker.failed(time.monotonic(), error)
            return getattr(self.memory, name)(*args, **kwargs)
        self.breaker.answered()
        if memory_too:
            getattr(self.memory, name)(*args, **kwargs)
        return answer

    ask.__name__ = name
    return ask


class RedisOrMemoryCache(RedisCache):
    """Django's RedisCache; a call Redis does not answer is answered from memory.

    What BaseCache builds from these (get_or_set, decr, the async ones) follows them.
    """

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # Django makes a cache object for each thread; these two outlive and span them.
        name = str(server)
        self.breaker = _breakers.setdefault(name, Breaker())
        options = {"MAX_ENTRIES": MAX_ENTRIES_IN_MEMORY}
        self.memory = LocMemCache(f"without {name}", {**params, "OPTIONS": options})

    add = _in_turn("add")
    get = _in_turn("get")
    set = _in_turn("set")
    touch = _in_turn("touch")
    has_key = _in_turn("has_key")
    incr = _in_turn("incr")
    get_many = _in_turn("get_many")
    set_many = _in_turn("set_many")
    delete = _in_turn("delete", memory_too=True)
    delete_many = _in_turn("delete_many", memory_too=True)
    clear = _in_turn("clear", memory_too=True)
