"""How to reach the running demo: demo.json for programs, a few lines for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from portal.demo.plan import Plan
from portal.embedded import Engines
from portal.embedded.ground import write_private

NAMED_PIDS = ("web", "worker", "beat", "runner")


class Source(TypedDict):
    """The callback source that the sample function speaks for."""

    slug: str
    signing_secret: str
    api_key: str


class Person(TypedDict):
    """Somebody who can sign in to the demo."""

    username: str
    password: str
    token: str
    role: str
    groups: list[str]


class Seeded(TypedDict):
    """What `manage.py seed_demo --out` writes."""

    source: Source
    people: list[Person]


def read_seeded(path: Path) -> Seeded:
    """What the seed left in PATH, which holds secrets and is ours alone (0600)."""
    seeded: Seeded = json.loads(path.read_text(encoding="utf-8"))
    return seeded


def write_card(plan: Plan, engines: Engines, seeded: Seeded, pids: Mapping[str, int]) -> None:
    """Write demo.json, all at once: whoever sees it sees all of it."""
    card = {
        "url": plan.url,
        "runner_url": plan.runner_url,
        "invoke_url": plan.invoke_url,
        "region": plan.region,
        "database_url": engines.database_url,
        "redis_url": engines.redis_url,
        **seeded,
        "pids": {name: pids.get(name) for name in NAMED_PIDS},
    }
    write_private(plan.card, json.dumps(card, indent=2) + "\n")


def banner(plan: Plan, seeded: Seeded, *, orders: str) -> str:
    """What a person needs to know, and no more."""
    rows = [("Sign in as", "Password", "Role"), *map(_row, seeded["people"])]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    table = [f"  {row[0]:<{widths[0]}}   {row[1]:<{widths[1]}}   {row[2]}" for row in rows]
    lines = [
        "",
        f"Countersign is ready: {plan.url}/",
        "",
        *table,
        "",
        orders,
        f"Logs: {plan.folder / 'logs'} (mails are in worker.log)",
        "Stop: Ctrl-C",
        "",
    ]
    return "\n".join(lines)


def _row(person: Person) -> tuple[str, str, str]:
    groups = f" ({', '.join(person['groups'])})" if person["groups"] else ""
    return person["username"], person["password"], person["role"] + groups
