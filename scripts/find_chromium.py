"""Print the path of a Chromium for the browser tests, installing one where there is none.

What it does besides looking is said on standard error; standard output is the path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
START_SECONDS = 30
PLAYWRIGHTS_PATH = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def main() -> int:
    path = find() or _install_with_playwright() or _install_with_apt()
    if path is None:
        print(
            "No Chromium was found, and none could be installed. Install Chromium or Chrome,"
            " or set CHROMIUM to the path of one, then run this again.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


def find() -> str | None:
    """The first Chromium that starts: CHROMIUM, the system's, then Playwright's own."""
    wanted = os.environ.get("CHROMIUM")
    if wanted and not _starts(wanted):
        print(f"CHROMIUM={wanted} does not start; looking for another.", file=sys.stderr)
    return next((path for path in _candidates() if _starts(path)), None)


def _candidates() -> Iterator[str]:
    if wanted := os.environ.get("CHROMIUM"):
        yield wanted
    yield from filter(None, map(shutil.which, NAMES))
    yield from MAC_APPS
    if path := _playwrights_own():
        yield path


def _starts(path: str) -> bool:
    """Whether PATH runs: it may be a stub of the distribution, or lack libraries."""
    if not Path(path).is_file():
        return False
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _playwrights_own() -> str | None:
    asked = subprocess.run(
        [
            sys.executable,
            "-c",
            PLAYWRIGHTS_PATH,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or None


def _install_with_playwright() -> str | None:
    _install("Playwright's Chromium", [sys.executable, "-m", "playwright", "install", "chromium"])
    path = _playwrights_own()
    return path if path and _starts(path) else None


def _install_with_apt() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    _install("the list of packages", ["apt-get", "update", "-qq"])
    _install(
        "the distribution's Chromium",
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    )
    return find()


def _install(what: str, argv: list[str]) -> None:
    print(f"No Chromium was found; getting {what}: {' '.join(argv[-4:])}", file=sys.stderr)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=env, check=False)


if __name__ == "__main__":
    sys.exit(main())
