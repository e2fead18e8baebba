"""Bring .venv up to requirements/<profile>.txt: python scripts/bootstrap.py demo|dev|ministack

Standard library only. Does nothing where nothing changed. Packages come from wherever
the user's own pip configuration points; no address is written here. Every package is
checked against the hashes in the requirements. uv is used where it can be had, because
it is three times as fast; pip does the same without it. MiniStack, an emulator for the tests,
gets .venv-ministack: it wants another botocore.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
MINISTACK_VENV = ROOT / ".venv-ministack"
#: Which requirements each profile satisfies, its own last.
PROFILES = {"demo": ("demo",), "dev": ("demo", "dev"), "ministack": ("ministack",)}
STAMP = "installed.json"
UV_SECONDS = 60
#: What pip calls it, and what uv does; uv does not read pip's configuration.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


class BootstrapError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def main(profile: str) -> int:
    venv = MINISTACK_VENV if profile == "ministack" else VENV
    try:
        if not _venv_works(venv):
            _make_venv(venv)
        if not _is_installed(profile, venv):
            _install(profile, venv)
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _venv_works(venv: Path) -> bool:
    """Whether VENV runs, here: one made for another Python, or moved, does not count."""
    try:
        asked = _run(_python(venv), "-c", "import sys, pip; print(sys.prefix)", capture=True)
    except OSError:
        return False
    return asked.returncode == 0 and Path(asked.stdout.strip()).resolve() == venv.resolve()


def _make_venv(venv: Path) -> None:
    print(f"Making {venv.name} with Python {sys.version.split()[0]}", flush=True)
    made = _run(sys.executable, "-m", "venv", "--clear", venv, capture=True)
    if made.returncode != 0:
        shutil.rmtree(venv, ignore_errors=True)
        raise BootstrapError(
            f"{sys.executable} cannot make a virtual environment:\n{made.stdout}{made.stderr}\n"
            "On Debian and Ubuntu install the package python3-venv, then run this again."
        )


def _is_installed(profile: str, venv: Path) -> bool:
    try:
        stamps = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamps.get(profile) == _digest(profile, venv))


def _digest(profile: str, venv: Path) -> str:
    """What the installation depends on: the requirements, and the Python they are for."""
    digest = hashlib.sha256(_requirements(profile).read_bytes())
    version = _run(_python(venv), "-c", "import sys; print(sys.version)", capture=True).stdout
    digest.update(version.encode())
    return digest.hexdigest()


def _install(profile: str, venv: Path) -> None:
    print(f"Installing requirements/{profile}.txt, this takes a moment the first time", flush=True)
    stamp = venv / STAMP
    stamp.unlink(missing_ok=True)
    if not _install_with_uv(profile, venv):
        _install_with_pip(profile, venv)
    stamps = {name: _digest(name, venv) for name in PROFILES[profile]}
    stamp.write_text(json.dumps(stamps), encoding="utf-8")


def _install_with_uv(profile: str, venv: Path) -> bool:
    uv = _find_uv(venv)
    if uv is None:
        return False
    words = ("pip", "install", "--quiet", "--require-hashes", "-r", _requirements(profile))
    done = _run(uv, *words, "--python", _python(venv), env=_uv_environment(venv), capture=True)
    return done.returncode == 0


def _find_uv(venv: Path) -> str | None:
    found = shutil.which("uv")
    if found:
        return found
    words = ("-m", "pip", "install", "--quiet", "--require-hashes", "-r", _requirements("uv"))
    try:
        done = _run(_python(venv), *words, capture=True, timeout=UV_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return str(venv / "bin" / "uv") if done.returncode == 0 else None


def _uv_environment(venv: Path) -> dict[str, str]:
    """Our environment, with the user's pip configuration said in uv's words."""
    env = dict(os.environ)
    listed = _run(_python(venv), "-m", "pip", "config", "list", capture=True).stdout
    for line in listed.splitlines():
        name, _, quoted = line.partition("=")
        word = PIP_TO_UV.get(name.rpartition(".")[2].lower())
        if word is not None:
            env.setdefault(word, " ".join(quoted.strip("'\"").replace("\\n", " ").split()))
    if "UV_FIND_LINKS" in env:  # pip parts them with spaces, uv with commas
        env["UV_FIND_LINKS"] = ",".join(env["UV_FIND_LINKS"].split())
    # As pip does: any index may hold a package. The hashes say which file is the right one.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def _install_with_pip(profile: str, venv: Path) -> None:
    words = ("install", "--quiet", "--require-hashes", "-r", _requirements(profile))
    done = _run(_python(venv), "-m", "pip", "--disable-pip-version-check", *words)
    if done.returncode != 0:
        raise BootstrapError(
            "The packages could not be installed; pip says why above."
            " Check the network and pip's configuration, then run this again."
        )


def _requirements(profile: str) -> Path:
    return ROOT / "requirements" / f"{profile}.txt"


def _run(
    *words: str | Path,
    env: dict[str, str] | None = None,
    capture: bool = False,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=capture,
        text=True,
        env=env,
        timeout=timeout,
        check=False,
    )


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROFILES:
        sys.exit(f"Usage: python scripts/bootstrap.py {'|'.join(PROFILES)}")
    sys.exit(main(sys.argv[1]))
