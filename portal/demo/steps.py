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


def is_prepared(plan: Plan) -> bool:
    """Whether tables and assets are as this code wants them: nothing of it changed since."""
    stamp = _stamp_file(plan)
    collected = (plan.folder / "static").is_dir() and stamp.exists()
    return collected and stamp.read_text(encoding="ascii") == _stamp(plan)


def prepare(plan: Plan, env: Mapping[str, str], logs: Path, *, assets: bool) -> Seeded:
    """Bring tables, people and, if ASSETS, assets up to date; return how to be the people.

    Collecting assets takes seconds, so the caller asks `is_prepared` first.
    """
    out = plan.folder / "seeded.json"
    run_step("prepare", programs.prepare(plan, out, assets=assets), env, logs)
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


def _stamp(plan: Plan) -> str:
    """A hash of what tables and assets are made from, and of which database holds them."""
    made_from = [*ROOT.glob("static/**/*"), *ROOT.glob("*/migrations/*.py")]
    digest = hashlib.sha256((plan.database_url or "ours").encode())
    for path in sorted([*made_from, ROOT / "requirements" / "demo.txt"]):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
