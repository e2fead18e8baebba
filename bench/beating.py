"""One process that beats: python -m bench.beating one-by-one | on-threads | portal

A line on its input asks for so many seconds of it; a line on its output tells how many
beats AWS took, in how many seconds, for how many seconds of CPU of this process.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
import django
from botocore.config import Config

from bench.herd import FIRST, callback_id

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

#: As many as the portal keeps at once for one source.
THREADS = 32


def one_by_one(client: LambdaClient, seconds: float) -> int:
    """boto3 in a loop."""
    end, number = time.monotonic() + seconds, 0
    for number in _endless():
        client.send_durable_execution_callback_heartbeat(CallbackId=callback_id(number))
        if time.monotonic() >= end:
            break
    return number - FIRST + 1


def on_threads(client: LambdaClient, seconds: float) -> int:
    """The same loop on each of THREADS threads, over one client."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: one_by_one(client, seconds), range(THREADS)))


def portal(seconds: float) -> int:
    """The sweep that the portal's worker runs, over the rows that are due."""
    from approvals.callbacks.heartbeats import beat_due  # noqa: PLC0415
    from approvals.tasks import gateway  # noqa: PLC0415

    tally = beat_due(gateway(), budget=timedelta(seconds=seconds))
    if strange := tally.keys() - {"accepted", "on_time", "late"}:
        sys.exit(f"Beats were answered otherwise than accepted: {sorted(strange)}")
    return tally["accepted"]


def _endless() -> Iterator[int]:
    return itertools.count(FIRST)


def _client(endpoint: str) -> LambdaClient:
    """boto3 as the portal sets it up."""
    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=THREADS,
        tcp_keepalive=True,
        proxies={},
    )
    return boto3.client("lambda", region_name="eu-north-1", endpoint_url=endpoint, config=config)


def _way(kind: str) -> Callable[[float], int]:
    if kind == "portal":
        django.setup()
        return portal
    client = _client(os.environ["BENCH_CALLBACK_API"])
    loop = {"one-by-one": one_by_one, "on-threads": on_threads}[kind]
    return lambda seconds: loop(client, seconds)


def main(kind: str) -> None:
    way = _way(kind)
    for line in sys.stdin:
        cpu, began = time.process_time(), time.monotonic()
        beats = way(float(line))
        told = {
            "beats": beats,
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - cpu,
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
