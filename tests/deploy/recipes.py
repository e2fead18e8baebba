"""Dockerfile and docker-compose.yml, read."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def copied_from_context() -> list[tuple[list[str], str]]:
    """What the Dockerfile takes out of the repository: sources and target of each COPY."""
    copies = [shlex.split(rest) for word, rest in INSTRUCTIONS if word == "COPY"]
    return [(words[:-1], words[-1]) for words in copies if not words[0].startswith("--from")]


def lay_out(folder: Path) -> Path:
    """The working folder of the image `demo`, which holds that of `portal`."""
    for sources, target in copied_from_context():
        for source in sources:
            _copy(ROOT / source, folder / target)
    return folder


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        kept_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=kept_out)
    else:
        into = target / source.name if not target.suffix else target
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into)


def image_command() -> list[str]:
    """What the image runs unless told otherwise: web."""
    last = [rest for word, rest in INSTRUCTIONS if word == "CMD"][-1]
    words: list[str] = json.loads(last)
    return words


def command_of(name: str) -> list[str]:
    return [str(word) for word in SERVICES[name].get("command", image_command())]


def environment_of(name: str, given: dict[str, str], secrets: Path) -> dict[str, str]:
    """What the service NAME sees, with GIVEN as .env and SECRETS as /run/secrets."""
    said = {key: _filled(str(value), given) for key, value in SERVICES[name]["environment"].items()}
    files = {key: value.replace("/run/secrets", str(secrets)) for key, value in said.items()}
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return kept | files | {"DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONUNBUFFERED": "1"}


def _filled(text: str, given: dict[str, str]) -> str:
    """TEXT with ${NAME:-default} and ${NAME:?refusal} replaced as Compose does."""
    pattern = re.compile(r"\$\{(\w+):([-?])([^}]*)\}")
    return pattern.sub(lambda m: given.get(m[1]) or (m[3] if m[2] == "-" else ""), text)
