"""One process that answers callbacks: python -m bench.delivering one-by-one | on-threads | portal

A line on its input asks for so many seconds of it, or of the portal's sweep for all that is
due; a line on its output tells how many answers AWS took, in how many seconds, for how many
seconds of CPU of this process.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django
import psycopg

from bench import direct
from bench.herd import FIRST, callback_id
from bench.owed import AN_ANSWER

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: As many as the portal's sweep has.
THREADS = 8
#: Longer than any run, so that the sweep ends when nothing is due.
BUDGET = timedelta(minutes=10)


def one_by_one(client: LambdaClient, answer: bytes, seconds: float) -> int:
    """boto3 in a loop."""
    end = time.monotonic() + seconds
    for number in itertools.count(FIRST):
        client.send_durable_execution_callback_success(
            CallbackId=callback_id(number), Result=answer
        )
        if time.monotonic() >= end:
            break
    return number - FIRST + 1


def on_threads(client: LambdaClient, answer: bytes, seconds: float) -> int:
    """The same loop on each of THREADS threads, over one client."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: one_by_one(client, answer, seconds), range(THREADS)))


def portal(_: float) -> int:
    """The sweep that the portal's worker runs, until nothing is due."""
    from approvals.callbacks.delivery import deliver_due  # noqa: PLC0415
    from approvals.tasks import gateway  # noqa: PLC0415

    tally = deliver_due(gateway(), budget=BUDGET, threads=THREADS)
    if strange := tally.keys() - {"accepted", "delivered"}:
        sys.exit(f"Answers were met otherwise than accepted: {sorted(strange)}")
    return tally["delivered"]


def _way(kind: str) -> Callable[[float], int]:
    if kind == "portal":
        django.setup()
        _write_log_lines_nowhere()
        return portal
    client = direct.client(os.environ["BENCH_CALLBACK_API"], connections=THREADS)
    loop = {"one-by-one": one_by_one, "on-threads": on_threads}[kind]
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        (answer,) = database.execute(AN_ANSWER).fetchone() or (b"",)
    return lambda seconds: loop(client, answer, seconds)


def _write_log_lines_nowhere() -> None:
    """A line for each answer is made as always; the terminal is spared."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(Path(os.devnull).open("w"))  # noqa: SIM115  kept to the end


def main(kind: str) -> None:
    way = _way(kind)
    for line in sys.stdin:
        cpu, began = time.process_time(), time.monotonic()
        calls = way(float(line))
        told = {
            "calls": calls,
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - cpu,
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
