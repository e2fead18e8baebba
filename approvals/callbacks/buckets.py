"""How many calls a source may make now: a token bucket for each source and region. Pure.

AWS counts requests by account and region and answers 429 beyond its quota; whoever slows
down before is not refused. Times are seconds of a clock that only goes forward
(time.monotonic), and are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

#: What has not been used is saved for this long, in seconds: as long as two turns of a
#: sweep, which takes what it needs at once.
SAVED_FOR: Final = 0.5
#: After AWS has asked to slow down, this long until the full rate is back, in seconds.
RECOVERS_IN: Final = 60.0
#: Requests to slow down that come within this many seconds are one: many calls were
#: under way when AWS had enough.
ONE_REQUEST: Final = 1.0


class Bucket:
    """Lets RATE calls a second pass, and RATE x SAVED_FOR at once after a rest."""

    def __init__(self, rate: float, now: float) -> None:
        self._full_rate = rate
        self._rate = rate  # at `_seen_at`
        self._tokens = self._most
        self._seen_at = now
        self._quiet_until = now
        self._slowed_at = now - ONE_REQUEST

    def free(self, now: float) -> int:
        """How many calls may be made at NOW."""
        if now < self._quiet_until:
            return 0
        self._fill(now)
        return max(0, int(self._tokens))

    def take(self, number: int, now: float) -> None:
        """NUMBER calls are made. More than were free are a debt, paid before the next."""
        self._fill(now)
        self._tokens -= number

    def slow_down(self, pause: timedelta, now: float) -> None:
        """AWS asked to: no call for PAUSE, then at half the rate, which grows again."""
        self._quiet_until = max(self._quiet_until, now + pause.total_seconds())
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)
        if now - self._slowed_at >= ONE_REQUEST:
            self._slowed_at = now
            self._rate = max(self._rate / 2, self._full_rate / 64)

    @property
    def _most(self) -> float:
        return max(1.0, self._rate * SAVED_FOR)

    def _fill(self, now: float) -> None:
        since, self._seen_at = now - self._seen_at, now
        self._rate = min(self._full_rate, self._rate + self._full_rate * since / RECOVERS_IN)
        self._tokens = min(self._most, self._tokens + self._rate * since)


@dataclass(frozen=True, slots=True)
class _Way:
    region: str
    bucket: Bucket


class Buckets:
    """One bucket of RATE for each source, and a new one when it moves to another region."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._ways: dict[int, _Way] = {}

    @property
    def first(self) -> int:
        """How many calls a source that was never called may make at once."""
        return int(max(1.0, self._rate * SAVED_FOR))

    def free(self, now: float) -> dict[int, int]:
        """How many calls each source that was ever called may make at NOW."""
        return {source_id: way.bucket.free(now) for source_id, way in self._ways.items()}

    def take(self, source_id: int, region: str, number: int, now: float) -> None:
        """NUMBER calls are made for SOURCE_ID in REGION."""
        self._of(source_id, region, now).take(number, now)

    def slow_down(self, source_id: int, region: str, pause: timedelta, now: float) -> None:
        """AWS asked SOURCE_ID to slow down in REGION, and to wait for PAUSE."""
        self._of(source_id, region, now).slow_down(pause, now)

    def _of(self, source_id: int, region: str, now: float) -> Bucket:
        way = self._ways.get(source_id)
        if way is None or way.region != region:
            way = self._ways[source_id] = _Way(region, Bucket(self._rate, now))
        return way.bucket
