"""The parts of a run, each in a house of its own; what each returns is its section."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import psycopg

from bench import (
    chain,
    decide,
    deliveries,
    heartbeats,
    intake,
    outage,
    queue,
    report,
    results,
    resume,
)
from bench.delivery_report import deliveries_table
from bench.figures import BenchError, Size
from bench.heartbeat_report import heartbeats_table
from bench.house import House
from bench.messages import HOST
from bench.queue_report import queue_table
from portal.embedded import ground

#: Tells progress.
Say: TypeAlias = Callable[[str], None]
#: Measures in FOLDER and returns the machine it ran on, and the section.
Part: TypeAlias = Callable[[Path, Size, Say], "tuple[str, str]"]

#: Tables, indexes and write-ahead log for each generated request, with room to spare.
BYTES_A_REQUEST = 2_200


def _intake(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    with House(folder, callback_api=intake.NO_CALLBACKS) as house:
        return _machine(house), report.intake_table(intake.measure(house, size, say=say), size)


def _decide(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    with House(folder, callback_api=intake.NO_CALLBACKS) as house:
        return _machine(house), report.decide_table(decide.measure(house, size, say=say), size)


def _resume(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    with ExitStack() as stack:
        api = stack.enter_context(resume.CallbackApi())
        house = stack.enter_context(House(folder, callback_api=api.url))
        machine = _machine(house)
        return machine, report.resume_table(resume.measure(house, api, size, say=say), size)


def _outage(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    with ExitStack() as stack:
        api = stack.enter_context(resume.CallbackApi())
        house = stack.enter_context(House(folder, callback_api=api.url))
        return _machine(house), outage.outage_table(outage.measure(house, api, size, say=say))


def _deliveries(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    port = ground.free_port()
    with House(folder, callback_api=f"http://{HOST}:{port}") as house:
        machine = _machine(house)
        return machine, deliveries_table(deliveries.measure(house, port, size, say=say), size)


def _heartbeats(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    port = ground.free_port()
    with House(folder, callback_api=f"http://{HOST}:{port}") as house:
        machine = _machine(house)
        found = heartbeats.measure(house, port, size, say=say)
        return machine, heartbeats_table(found, size)


def _queue(folder: Path, size: Size, say: Say) -> tuple[str, str]:
    needed = (size.pending + size.closed) * BYTES_A_REQUEST
    if shutil.disk_usage(folder).free < needed:
        raise BenchError(
            f"{folder.parent} has less than {needed / 2**30:.0f} GiB free:"
            " ask for fewer with --closed, or set TMPDIR to a larger disk."
        )
    with House(folder, callback_api=intake.NO_CALLBACKS, with_pages=True) as house:
        machine = _machine(house)
        return machine, queue_table(queue.measure(house, size, say=say), size)


def _chain(folder: Path, size: Size, _say: Say) -> tuple[str, str]:
    with House(folder, callback_api=intake.NO_CALLBACKS) as house:
        machine = _machine(house)
        return machine, chain.chain_table(chain.measure(house, size), size)


def _machine(house: House) -> str:
    with psycopg.connect(house.database_url) as database:
        numbers = divmod(database.info.server_version, 10_000)
    return results.machine(".".join(map(str, numbers)))


PARTS: dict[str, Part] = {
    "intake": _intake,
    "decide": _decide,
    "resume": _resume,
    "outage": _outage,
    "deliveries": _deliveries,
    "heartbeats": _heartbeats,
    "queue": _queue,
    "chain": _chain,
}
