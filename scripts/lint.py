"""Run every check that needs no running server, two at a time; fail if one fails.

Django's own checks run under made-up production settings, in which nothing is relaxed.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2
CODE = ("approvals", "portal", "client", "examples")

PRODUCTION = {
    "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "SECRET_KEY": base64.b64encode(os.urandom(48)).decode(),
    "FIELD_KEYS": f"lint:{base64.b64encode(os.urandom(32)).decode()}",
    "AUDIT_KEY": base64.b64encode(os.urandom(32)).decode(),
    "ALLOWED_HOSTS": "countersign.example.com",
    "BASE_URL": "https://countersign.example.com",
    "EMAIL_URL": "smtp+tls://mailer:secret@mail.example.com:587",
    "DEBUG": "false",
    "INSECURE_HTTP": "false",
}


def checks() -> dict[str, list[str]]:
    """Name to command, the slowest first."""
    python = [sys.executable, "-m"]
    manage = [sys.executable, "-W", "ignore", "manage.py"]
    templates = map(str, sorted((ROOT / "templates").rglob("*.html")))
    return {
        "types": [*python, "mypy"],
        "floors": [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
        ],
        "deployment": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "security": [*python, "bandit", "-q", "-ll", "-r", *CODE],
        "style": [*python, "ruff", "check", "--quiet", "."],
        "format": [*python, "ruff", "format", "--check", "--quiet", "."],
        "templates": [str(Path(sys.executable).parent / "djade"), "--check", *templates],
    }


def main() -> int:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        passed = list(pool.map(lambda item: _passes(*item), checks().items()))
    return 0 if all(passed) else 1


def _passes(name: str, argv: list[str]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env=os.environ | PRODUCTION,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    words = "" if done.returncode == 0 else f"{done.stdout.rstrip()}\n"
    print(f"{words}{name:<12} {verdict}  {time.monotonic() - began:.1f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
