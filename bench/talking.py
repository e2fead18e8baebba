"""Talking to the benchmark's own processes: those that call, and the stand-in they call."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen  # nosec B404  what a benchmark is for

from bench.figures import BenchError
from bench.house import House
from bench.messages import HOST


@dataclass(frozen=True, slots=True)
class Pace:
    """One run of one side: calls in each second, CPU in milliseconds for each call."""

    rate: float
    own_ms: float
    postgres_ms: float

    @property
    def cpu_ms(self) -> float:
        return self.own_ms + self.postgres_ms


class Talker:
    """A process that does as much as a line says, and answers with a line of JSON."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process

    def tell(self, line: str) -> dict[str, float]:
        """Have it do what LINE says; what it found.

        Raises:
            BenchError: it ended instead.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise BenchError("One of the sides ended; it said why above.")
        told: dict[str, float] = json.loads(answer)
        return told

    def end(self) -> None:
        self._process.communicate()  # no more input ends it


@contextmanager
def talkers(house: House, module: str, kinds: Sequence[str]) -> Iterator[dict[str, Talker]]:
    """A process of MODULE for each of KINDS, by kind."""
    started = {kind: Talker(house.talk_to(module, kind)) for kind in kinds}
    try:
        yield started
    finally:
        for talker in started.values():
            talker.end()


class StandIn:
    """The stand-in (stand_in.py) that listens on PORT."""

    def __init__(self, port: int) -> None:
        self._port = port

    def answer_after(self, delay_ms: int) -> None:
        self._ask("POST", f"/delay/{delay_ms}")

    def arrivals(self) -> dict[str, list[float]]:
        """When which callback was called, by its number; since last asked."""
        arrivals: dict[str, list[float]] = json.loads(self._ask("GET", "/arrivals"))
        return arrivals

    def _ask(self, method: str, path: str) -> bytes:
        line = http.client.HTTPConnection(HOST, self._port, timeout=60)
        try:
            line.request(method, path)
            return line.getresponse().read()
        finally:
            line.close()
