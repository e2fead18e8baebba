"""Do all that is due, without broker, beat or worker: the emergency tool."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals.management.sweeping import keep_sweeping, sweep_once, sweeps


class Command(BaseCommand):
    help = (
        "Send answers and heartbeats, let clocks strike, and do whatever else is due, from "
        "the database alone: without broker, beat or worker. Harmless beside them, and "
        "beside itself. Ends on SIGINT or SIGTERM once the calls under way have been answered."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, then end")
        parser.add_argument(
            "--every",
            type=_seconds,
            metavar="SECONDS",
            help="how often to come by; default: as often as beat would ring",
        )

    def handle(self, **options: Any) -> None:
        todo = sweeps(options["every"])
        if options["once"]:
            if failed := sweep_once(todo):
                raise CommandError(f"Failed: {', '.join(failed)}. The log says why.")
            return
        with _told_to_stop() as stop:
            self.stdout.write(f"{len(todo)} sweeps come by. End them with Ctrl-C or SIGTERM.")
            self.stdout.flush()
            keep_sweeping(todo, stop)
        self.stdout.write("Ended; what was begun is written down.")


@contextmanager
def _told_to_stop() -> Iterator[Event]:
    """An event that the first SIGINT or SIGTERM sets; the second ends the process at once."""
    stop = Event()
    former: dict[int, Any] = {}

    def tell(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, former[number])
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        former[number] = signal.signal(number, tell)
    try:
        yield stop
    finally:
        for told, handler in former.items():
            signal.signal(told, handler)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise ArgumentTypeError("write seconds, from 0.1 to 3600")
    return seconds
