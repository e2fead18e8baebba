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
#: Django's command, but what is new is never given the German of what only resembles it.
_MAKE = """
import sys
from django.core.management import execute_from_command_line
from django.core.management.commands.makemessages import Command
Command.msgmerge_options = [*Command.msgmerge_options, "--no-fuzzy-matching"]
execute_from_command_line(sys.argv)
"""
#: Headers that say nothing and change with every call.
_NOISE = ('"POT-Creation-Date:', '"Report-Msgid-Bugs-To:')
OURS = ("bench", "client", "docs", "examples", "scripts", "static", "tests", ".venv")


def main() -> int:
    missing = 0
    for catalogue in sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")):
        language = catalogue.parts[-3]
        ignored = [word for name in OURS for word in ("--ignore", name)]
        _run(
            *(sys.executable, "-c", _MAKE, "makemessages", "--locale", language),
            *("--no-wrap", "--no-location", "--no-obsolete", *ignored),
        )
        kept = catalogue.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in kept if not line.startswith(_NOISE)]
        catalogue.write_text("".join(kept), encoding="utf-8")
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
