"""python -m bench [--rounds N] [--seconds S] [--only PART] [--write]"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench import results
from bench.figures import BenchError, Size
from bench.parts import PARTS
from portal.demo.plan import DemoError
from portal.embedded import EngineError

PREFIX = "countersign-bench-"
MOST_ROUNDS, MOST_SECONDS = 50, 120.0
MOST_REQUESTS = 50_000_000
LONGEST_WATCH = 900.0


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    arguments = _parser().parse_args()
    try:
        sections = run(_size(arguments), only=arguments.only)
    except (BenchError, DemoError, EngineError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.", file=sys.stderr)
        return 130
    print("\n\n".join(sections))
    if arguments.write:
        results.write(sections)
    return 0


def run(size: Size, *, only: str | None = None) -> list[str]:
    """Measure what ONLY names, or everything, and return a section for each part."""
    about, tables = "", []
    for name in [only] if only else list(PARTS):
        say(f"{name}: starting engines and programs")
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
            machine, table = PARTS[name](Path(folder), size, say)
        about = about or machine  # the load before the first part, not of our own
        tables.append(table)
    return [f"{table}\n\n{about}" for table in tables]


def say(sentence: str) -> None:
    """Progress, kept apart from the report."""
    print(sentence, file=sys.stderr, flush=True)


def _size(arguments: argparse.Namespace) -> Size:
    return Size(
        rounds=arguments.rounds,
        span=timedelta(seconds=arguments.seconds),
        pending=arguments.pending,
        closed=arguments.closed,
        watch=timedelta(seconds=arguments.watch),
        many_beating=arguments.beating,
        outage=timedelta(seconds=arguments.outage),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Countersign beside its yardsticks."
    )
    parser.add_argument("--rounds", type=_rounds, default=5, help="how often each side takes turns")
    parser.add_argument("--seconds", type=_seconds, default=5.0, help="length of one run")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--pending", type=_count, default=Size.pending, help="queue: how many wait")
    parser.add_argument("--closed", type=_count, default=Size.closed, help="queue: how many do not")
    parser.add_argument(
        "--outage", type=_watch, default=60.0, help="outage: seconds without a broker"
    )
    parser.add_argument(
        "--watch", type=_watch, default=125.0, help="heartbeats: seconds of each long run"
    )
    parser.add_argument(
        "--beating", type=_count, default=Size.many_beating, help="heartbeats: how many beat"
    )
    parser.add_argument("--write", action="store_true", help=f"also write {results.RESULTS.name}")
    return parser


def _rounds(text: str) -> int:
    rounds = int(text)
    if not 1 <= rounds <= MOST_ROUNDS:
        raise argparse.ArgumentTypeError(f"choose 1 to {MOST_ROUNDS} rounds")
    return rounds


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"choose 0.1 to {MOST_SECONDS:g} seconds")
    return seconds


def _watch(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= LONGEST_WATCH:
        raise argparse.ArgumentTypeError(f"choose 1 to {LONGEST_WATCH:g} seconds")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if not Size.few <= count <= MOST_REQUESTS:
        raise argparse.ArgumentTypeError(f"choose {Size.few:,} to {MOST_REQUESTS:,} requests")
    return count


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
