"""A light load generator: one thread, a few kept-alive connections, bounded in every way.

It shares the cores with what it measures, so it does no more than needed: ready-made
requests out, status and length of the answer in.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from bench.figures import BenchError, percentile
from bench.messages import HOST

MOST_REQUESTS = 100_000
#: How long answers may take after the last request was sent.
PATIENCE = timedelta(seconds=30)

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(slots=True)
class Outcome:
    """What one run of requests met: how many answers of which status, in how many seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)  # seconds
    elapsed: float = 0.0

    @property
    def count(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.count / self.elapsed

    def milliseconds(self, percent: float) -> float:
        return percentile(self.latencies, percent) * 1000


def run(
    port: int,
    message: Callable[[int], bytes],
    *,
    connections: int,
    span: timedelta,
    most: int = MOST_REQUESTS,
    rate: float | None = None,
) -> Outcome:
    """Send message(0), message(1) ... for SPAN, at most MOST of them, and await all answers.

    Each connection sends its next when the last is answered. With RATE (per second) they
    leave by the clock instead; a latency then counts from when its request was due.

    Raises:
        BenchError: a connection broke, or answers stayed out.
    """
    load = _Load(message, iter(range(most)), span.total_seconds(), rate)
    return asyncio.run(load.over(port, connections))


class _Load:
    """One run: what is left to send, when it is due, and what came of it."""

    def __init__(
        self,
        message: Callable[[int], bytes],
        numbers: Iterator[int],
        seconds: float,
        rate: float | None,
    ) -> None:
        self._message = message
        self._numbers = numbers
        self._seconds = seconds
        self._rate = rate
        self._outcome = Outcome()

    async def over(self, port: int, connections: int) -> Outcome:
        lines = [await _Line.open(port) for _ in range(connections)]
        began = time.perf_counter()
        dues = self._dues(began)
        try:
            async with asyncio.timeout(self._seconds + PATIENCE.total_seconds()):
                await asyncio.gather(*(self._keep_sending(line, dues) for line in lines))
        except (ConnectionError, TimeoutError) as error:
            count = self._outcome.count
            raise BenchError(f"After {count} answers: {error or 'no more came'}.") from error
        finally:
            for line in lines:
                line.close()
        self._outcome.elapsed = time.perf_counter() - began
        return self._outcome

    def _dues(self, began: float) -> Iterator[float]:
        """When the next request is due, until time is up: now, or by the clock of RATE."""
        end = began + self._seconds
        for place in itertools.count():
            due = began + place / self._rate if self._rate else time.perf_counter()
            if due >= end:
                return
            yield due

    async def _keep_sending(self, line: _Line, dues: Iterator[float]) -> None:
        for due in dues:
            if (number := next(self._numbers, None)) is None:
                return
            if self._rate:
                await asyncio.sleep(due - time.perf_counter())
            status = await line.exchange(self._message(number))
            self._outcome.statuses[status] += 1
            self._outcome.latencies.append(time.perf_counter() - due)


class _Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[int] | None = None

    @classmethod
    async def open(cls, port: int) -> _Line:
        _, line = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        return line

    async def exchange(self, request: bytes) -> int:
        """Send REQUEST and return the status of its answer."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise ConnectionError("the server closed a kept-alive connection")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0 or self._answer is None or self._answer.done():
            return
        length = _LENGTH.search(self._received, 0, head + 2)
        if length is None:
            self._answer.set_exception(ConnectionError("an answer without Content-Length"))
        elif len(self._received) >= head + 4 + int(length[1]):
            status = int(self._received[9:12])
            self._received = b""
            self._answer.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))
