"""The audit chain on its own: what sealing and reading the line before add to each verb.

`python -m bench.chain CALLS OUT` receives and decides CALLS requests inside one process,
every other one with a seal that is not computed, and writes JSON to OUT. What reading the
line before costs is asked as a statement of its own: inside a verb it may share one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import django

from bench.figures import Size
from bench.house import House
from bench.tables import extent, number, section, table
from portal.embedded.ground import write_private

CALLS_A_ROUND = 60
NO_SEAL = b"\0" * 32

_LINE_BEFORE = """
    SELECT seq, mac FROM approvals_auditevent WHERE request_id = %s ORDER BY seq DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Verb:
    """Medians in milliseconds. SEALING: inside the seals; READING: the line before."""

    sealed: float
    unsealed: float
    sealing: float
    reading: float

    @property
    def cost(self) -> float:
        return self.sealing + self.reading


def measure(house: House, size: Size) -> dict[str, Verb]:
    """Intake and decide, as many calls as SIZE has rounds of CALLS_A_ROUND."""
    out = house.folder / "chain.json"
    house.run("chain", "bench.chain", str(size.rounds * CALLS_A_ROUND), str(out))
    found = json.loads(out.read_text(encoding="utf-8"))
    return {name: Verb(**verb) for name, verb in found.items()}


def chain_table(verbs: dict[str, Verb], size: Size) -> str:
    rows = [
        (
            name,
            *map(number, (verb.sealed, verb.unsealed)),
            f"{verb.sealing:.3f}",
            f"{verb.reading:.3f}" if verb.reading else "-",
            f"{verb.cost / verb.sealed:.1%}",
        )
        for name, verb in verbs.items()
    ]
    head = ("ms, in process", "sealed", "not sealed", "sealing", "line before", "share")
    told = (
        f"Medians of {size.rounds * CALLS_A_ROUND // 2} calls each, in turns. A request's first"
        " line has none before it. The share is sealing and reading over the sealed call."
    )
    return section(f"Audit chain ({extent(size).partition(' of')[0]})", table(head, rows), told)


def main(calls: int, out: Path) -> None:
    django.setup()
    write_private(out, json.dumps(_verbs(calls)))


def _verbs(calls: int) -> dict[str, dict[str, float]]:
    from approvals import lifecycle  # noqa: PLC0415 - as all below: Django must be set up
    from approvals.models import CallbackSource, User  # noqa: PLC0415
    from approvals.states import Channel, Verdict  # noqa: PLC0415
    from tests.factories import make_kind, new_request  # noqa: PLC0415

    source, ada = CallbackSource.objects.get(), User.objects.get(username="ada")
    make_kind("generic")
    opened: list[int] = []

    def receive() -> None:
        new = new_request(users=["ada"], timeout_seconds=86_400)
        opened.append(lifecycle.receive(source, new, sent_at=None).request.pk)

    def decide() -> None:
        lifecycle.decide(opened.pop(0), verdict=Verdict.APPROVED, reviewer=ada, channel=Channel.API)

    # One more to read the line before from; the decided ones are gone from the list.
    received = _in_turns(receive, calls + 2)
    last = opened[-1]
    decided = _in_turns(decide, calls)
    return {
        "intake": {**received, "reading": 0.0},
        "decide": {**decided, "reading": _reading(last, calls)},
    }


def _in_turns(call: Callable[[], None], calls: int) -> dict[str, float]:
    """Medians of CALL, sealed and not sealed by turns; the first two only warm up."""
    spans: dict[str, list[float]] = {"sealed": [], "unsealed": [], "sealing": []}
    for place in range(calls):
        sealed = place % 2 == 0
        with _seals(sealed=sealed) as sealing:
            began = time.perf_counter()
            call()
            span = time.perf_counter() - began
        if place > 1:
            spans["sealed" if sealed else "unsealed"].append(span)
            spans["sealing"] += [sum(sealing)] if sealed else []
    return {name: median(found) * 1000 for name, found in spans.items()}


@contextmanager
def _seals(*, sealed: bool) -> Iterator[list[float]]:
    """Wherever seals are made: count their seconds, or make none."""
    from approvals.models import chain  # noqa: PLC0415

    real, seconds = chain.seal_line, []

    def seal(*line: Any) -> bytes:
        began = time.perf_counter()
        try:
            return real(*line) if sealed else NO_SEAL
        finally:
            seconds.append(time.perf_counter() - began)

    with ExitStack() as stack:
        for module in list(sys.modules.values()):
            if getattr(module, "seal_line", None) is real:
                stack.enter_context(patch.object(module, "seal_line", seal))
        yield seconds


def _reading(request_id: int, times: int) -> float:
    spans = []
    with django.db.connection.cursor() as cursor:
        for _ in range(times):
            began = time.perf_counter()
            cursor.execute(_LINE_BEFORE, [request_id])
            cursor.fetchone()
            spans.append(time.perf_counter() - began)
    return median(spans) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
