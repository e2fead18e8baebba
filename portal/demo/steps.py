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


def prepare(plan: Plan, env: Mapping[str, str], logs: Path) -> Seeded:
    """Bring tables, assets and people up to date, and return how to be those people.

    Assets are collected only when they or the packages changed: that takes seconds.
    """
    stamp, now = plan.folder / "static.stamp", _asset_stamp()
    collected = (plan.folder / "static").is_dir() and stamp.exists()
    stale = not (collected and stamp.read_text(encoding="ascii") == now)
    out = plan.folder / "seeded.json"
    run_step("prepare", programs.prepare(plan, out, assets=stale), env, logs)
    stamp.write_text(now, encoding="ascii")
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


def _asset_stamp() -> str:
    digest = hashlib.sha256((ROOT / "requirements" / "demo.txt").read_bytes())
    for path in sorted((ROOT / "static").rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
