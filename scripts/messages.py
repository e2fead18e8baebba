"""Write what is new in the code into each catalogue, and compile it; needs GNU gettext.

    make messages

Prints what still has no translation and fails then: tests would. Catalogues and what is
compiled of them are committed, as whoever only runs the portal has no gettext.
"""

from __future__ import annotations

import subprocess  # nosec B404  our own tools
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = ("bench", "client", "docs", "examples", "scripts", "static", "tests", ".venv")


def main() -> int:
    missing = 0
    for catalogue in sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")):
        language = catalogue.parts[-3]
        ignored = [word for name in OURS for word in ("--ignore", name)]
        _run(
            *(sys.executable, "-m", "django", "makemessages", "--locale", language),
            *("--no-wrap", "--no-location", "--no-obsolete", *ignored),
        )
        _run("msgattrib", "--no-fuzzy", "--no-wrap", "-o", str(catalogue), str(catalogue))
        left = _run("msgattrib", "--untranslated", "--no-wrap", str(catalogue))
        _run("msgfmt", "--check-format", "-o", str(catalogue.with_suffix(".mo")), str(catalogue))
        if left:
            missing += 1
            sys.stdout.write(f"{catalogue}: without translation\n{left}\n")
    return 1 if missing else 0


def _run(*command: str) -> str:
    done = subprocess.run(  # nosec B603
        command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
