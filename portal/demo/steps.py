"""What runs once and ends: preparing, placing the sample orders; and asking who is up."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGTERM
from urllib.parse import urlsplit

from portal.demo import programs
from portal.demo.card import Seeded, read_seeded
from portal.demo.plan import ROOT, DemoError, Plan
from portal.orphans import follow_parent

ANSWER_SECONDS = 5


def run_step(name: str, argv: Sequence[str], env: Mapping[str, str], logs: Path) -> None:
    """Run ARGV to its end; its words go to a log.

    Raises:
        DemoError: it failed; the message holds its last line and names the log.
    """
    log = logs / f"{name}.log"
    with log.open("wb") as stream:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=ROOT,
            check=False,
            preexec_fn=follow_parent(SIGTERM),
        )
    if done.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        raise DemoError(f"The step {name} failed: {last}\nAll it said is in {log}.")


def prepared(plan: Plan) -> Seeded | None:
    """How to be the people, if tables, people and assets are as this code wants them.

    Preparing takes seconds of a start. A database that is not ours is always prepared:
    nobody knows what happened to it since.
    """
    stamp, seeded = _stamp_file(plan), _seeded_file(plan)
    kept = all(path.exists() for path in (stamp, seeded, plan.folder / "static"))
    if plan.database_url or not kept or stamp.read_text(encoding="ascii") != _stamp(plan):
        return None
    return read_seeded(seeded)


def prepare(plan: Plan, env: Mapping[str, str], logs: Path) -> Seeded:
    """Bring tables, people and assets up to date; return how to be the people."""
    _stamp_file(plan).unlink(missing_ok=True)
    out = _seeded_file(plan)
    run_step("prepare", programs.prepare(plan, out), env, logs)
    _stamp_file(plan).write_text(_stamp(plan), encoding="ascii")
    return read_seeded(out)


def answers(url: str, path: str) -> Callable[[], bool]:
    """Whether GET PATH at URL gives 200; straight there, whatever proxy is configured."""
    host = urlsplit(url).netloc

    def asked() -> bool:
        connection = http.client.HTTPConnection(host, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return asked


def _stamp_file(plan: Plan) -> Path:
    return plan.folder / "prepared.stamp"


def _seeded_file(plan: Plan) -> Path:
    return plan.folder / "seeded.json"


def _stamp(plan: Plan) -> str:
    """A hash of what tables, people and assets are made from, and of which cluster holds them."""
    made_from = [
        *ROOT.glob("static/**/*"),
        *ROOT.glob("*/migrations/*.py"),
        *ROOT.glob("approvals/management/**/*.py"),
    ]
    cluster = plan.folder / "postgres" / "cluster" / "PG_VERSION"
    born = cluster.stat().st_mtime_ns if cluster.exists() else 0
    digest = hashlib.sha256(f"{plan.region} {born}".encode())
    for path in sorted([*made_from, ROOT / "requirements" / "demo.txt"]):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
