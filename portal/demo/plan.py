"""What the demo was asked to be, from the environment: where, on which ports, against what."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.embedded import ground

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8000
DEFAULT_REGION = "us-east-1"


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Addresses and folders of one run of the demo.

    RUNNER_PORT is None where AWS_ENDPOINT_URL_LAMBDA names a callback API to use
    instead of a runner of our own; that is RUNNER_URL then.
    """

    folder: Path
    port: int
    invoke_port: int
    runner_port: int | None
    runner_url: str
    region: str
    database_url: str | None
    redis_url: str | None

    @property
    def url(self) -> str:
        return f"http://{ground.LOOPBACK}:{self.port}"

    @property
    def invoke_url(self) -> str:
        return f"http://{ground.LOOPBACK}:{self.invoke_port}"

    @property
    def card(self) -> Path:
        """The file that tells others how to reach the running demo."""
        return card_in(self.folder)


def folder_from(environ: Mapping[str, str]) -> Path:
    """DATA_DIR, or `var` beside the code; relative names count from where make was called."""
    return Path(environ.get("DATA_DIR") or ROOT / "var").resolve()


def card_in(folder: Path) -> Path:
    return folder / "demo.json"


def plan_from(environ: Mapping[str, str]) -> Plan:
    """Read PORT, DATA_DIR, AWS_ENDPOINT_URL_LAMBDA, AWS_REGION, DATABASE_URL, REDIS_URL.

    Raises:
        DemoError: PORT is no port, or something listens there.
    """
    endpoint = environ.get("AWS_ENDPOINT_URL_LAMBDA")
    runner_port = None if endpoint else ground.free_port()
    return Plan(
        folder=folder_from(environ),
        port=_port(environ.get("PORT") or str(DEFAULT_PORT)),
        invoke_port=ground.free_port(),
        runner_port=runner_port,
        runner_url=endpoint or f"http://{ground.LOOPBACK}:{runner_port}",
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
        database_url=environ.get("DATABASE_URL"),
        redis_url=environ.get("REDIS_URL"),
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise DemoError(f"PORT={text} is not a port. Write a number from 1 to 65535.")
    port = int(text)
    if _answers(port) or not ground.port_is_free(port):
        raise DemoError(
            f"Port {port} is taken by another program, perhaps a demo that still runs."
            f" Stop that one, or choose another port: PORT={port + 1 if port < 65535 else 8000}"
            " make demo"
        )
    return port


def _answers(port: int) -> bool:
    """Whether somebody listens; macOS would let us share a port with a wildcard listener."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ground.LOOPBACK, port)) == 0
