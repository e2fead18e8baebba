"""One storm from beginning to end: raise the house, let it rage, wait, look, count."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg

from portal.demo.plan import DemoError
from tests.chaos import invariants, record
from tests.chaos.apps import SCALED
from tests.chaos.crowd import Crowd
from tests.chaos.deeds import Mischief, plan
from tests.chaos.house import House
from tests.chaos.invariants import Evidence
from tests.chaos.storms import Storm

TEND_EVERY = 0.05  # seconds
PATIENCE = timedelta(seconds=10)
LEASE, SCALED_LEASE = timedelta(seconds=60), timedelta(seconds=6)
#: What is looked at anew before each conclusion that all is quiet.
WAITING = """
SELECT (SELECT count(*) FROM approvals_approvalrequest WHERE state = 'pending')
     + (SELECT count(*) FROM approvals_callbackdelivery
         WHERE state IN ('pending', 'unconfirmed'))
"""
CHECKS = ("check_audit", "check_ledger")


@dataclass(slots=True)
class Aftermath:
    """What a storm left: the evidence, what was done, and what does not hold."""

    seed: str
    storm: Storm
    evidence: Evidence
    deeds: dict[str, int]
    spans: list[tuple[str, float, float]]
    endings: list[float]  # seconds from SIGTERM to the end of a program
    restarts: int
    stormed: float  # seconds
    quiet_after: float | None  # seconds; None: it never was
    violations: list[str] = field(default_factory=list)


def weather(
    storm: Storm, folder: Path, *, seed: str, without: str = "", say: Callable[[str], None]
) -> Aftermath:
    """Let STORM rage in FOLDER and return what it left.

    Raises:
        HouseError, EngineError, DemoError: the house could not be raised.
    """
    with House(folder, storm, seed=seed, without=without) as house:
        say(f"The house stands; {storm.requests} requests over {storm.seconds:g} s, seed {seed}.")
        crowd = Crowd(house.seeded, house.proxy, seed=seed, storm=storm)
        troubles = {n: t for n, t in storm.troubles.items() if house.can_skew or n != "skew_clock"}
        mischief = Mischief(house, plan(troubles, seconds=storm.seconds, seed=seed))
        house.set_mood(storm.mood)
        stormed = _rage(house, crowd, mischief, storm)
        # Else whether all is settled in time would be a matter of luck: each attempt meets a fault
        # two times in five, and after nine in a row the next is minutes away.
        house.set_mood("well")
        say(f"The storm is over after {stormed:.0f} s; waiting for quiet.")
        quiet_after = _await_quiet(house, crowd, storm.quiet_within)
        crowd.halt()
        books = [] if quiet_after is not None else ["await_quiet: something still waits"]
        house.pause()
        books += _checks(house)
        aftermath = Aftermath(
            seed=seed,
            storm=storm,
            evidence=_evidence(house, crowd),
            deeds=dict(mischief.done),
            spans=mischief.spans,
            endings=mischief.endings,
            restarts=house.programs.restarts,
            stormed=stormed,
            quiet_after=quiet_after,
        )
        (folder / "spans.json").write_text(json.dumps(aftermath.spans))
        aftermath.violations = [*books, *invariants.violations(aftermath.evidence)]
    return aftermath


def _rage(house: House, crowd: Crowd, mischief: Mischief, storm: Storm) -> float:
    """Until all was posted and done, or half as long again as planned; seconds it took."""
    began = time.monotonic()
    elapsed = 0.0
    crowd.start()
    while not (crowd.is_done and mischief.is_over) and elapsed < storm.seconds * 1.5 + 10:
        mischief.tend(elapsed)
        house.programs.tend()
        time.sleep(TEND_EVERY)
        elapsed = time.monotonic() - began
    mischief.end()
    return elapsed


def _await_quiet(house: House, crowd: Crowd, within: timedelta) -> float | None:
    """Seconds until nothing waited any more; None if something still did after WITHIN."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < within.total_seconds():
        house.programs.tend()
        if crowd.is_done and _waiting(house) == 0:
            return waited
        time.sleep(TEND_EVERY * 10)
    return None


def _waiting(house: House) -> int:
    try:
        return int(house.ask(WAITING)[0][0])
    except psycopg.Error:  # it may still be recovering
        return 1


def _checks(house: House) -> list[str]:
    """What the portal's own checks of its books find, last line first."""
    found = []
    for name in CHECKS:
        try:
            house.run(name, "django", name)
        except DemoError as error:
            found.append(f"{name}: {error}")
    return found


def _evidence(house: House, crowd: Crowd) -> Evidence:
    out = house.folder / "rows.json"
    house.run("rows", "tests.chaos.rows", str(out))
    return Evidence(
        rows=json.loads(out.read_text(encoding="utf-8")),
        record=record.read(house.record),
        posted=set(crowd.posted),
        opened={name: order.callback_sha256 for name, order in crowd.opened.items()},
        votes=crowd.votes,
        heard=crowd.heard,
        lease=SCALED_LEASE if house.storm.scaled else LEASE,
        patience=SCALED["read_timeout"] if house.storm.scaled else PATIENCE,
        silence=timedelta(seconds=house.storm.heartbeat) if house.storm.aws_hears else None,
    )
