"""make chaos: python -m tests.chaos [--storm everything] [--seed S] [--without GUARD]

Ends with 0 if nothing was lost, doubled or wrong, with 1 if something was.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.chaos import report, results
from tests.chaos.run import weather
from tests.chaos.storms import STORMS

say = partial(print, flush=True)
GUARDS = ("lease", "fencing", "row-lock", "sweep")


def main() -> int:
    asked = _arguments()
    storm = STORMS[asked.storm]
    if asked.seconds:
        storm = storm.of(asked.seconds)
    if asked.decisions:
        storm = replace(storm, requests=asked.decisions)
    if asked.without:
        say(f"Without the {asked.without}: this run must find violations.")
    folder = Path(tempfile.mkdtemp(prefix="countersign-chaos-"))
    after = weather(storm, folder, seed=asked.seed, without=asked.without, say=say)
    say(report.text(after))
    if asked.write:
        results.write(asked.storm, after)
    if asked.keep or (after.violations and not asked.without):
        say(f"Logs, record and rows are in {folder}.")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if after.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--storm", choices=sorted(STORMS), default="everything")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--decisions", type=int, help="how many requests are opened")
    parser.add_argument("--seconds", type=float, help="how long it rages, as densely")
    parser.add_argument("--without", choices=GUARDS, default="", help="remove one guard")
    parser.add_argument("--write", action="store_true", help="to docs/operations/results.md")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
