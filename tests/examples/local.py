"""AWS's local runner and the invoke endpoint as processes of their own, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen
from uuid import uuid4

import boto3

from examples.start import OPEN_STATUSES, start_execution
from tests.client.standin import SECRET, Received, StandInPortal, serving

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class LocalAws:
    """The address of a running local runner, and a client for it."""

    url: str
    api: Any

    def start(self, event: dict[str, Any], function_name: str = "order-workflow") -> str:
        name = f"{function_name}-{uuid4()}"
        return start_execution(self.url, event, name=name, function_name=function_name)

    def end_of(self, execution_arn: str) -> dict[str, Any]:
        """The execution as GetDurableExecution shows it once it has ended."""

        def ended() -> dict[str, Any] | None:
            execution: dict[str, Any]
            execution = self.api.get_durable_execution(DurableExecutionArn=execution_arn)
            return None if execution["Status"] in OPEN_STATUSES else execution

        return eventually(ended)

    def steps_of(self, execution_arn: str) -> list[str]:
        """The names of its steps that succeeded, in order."""
        history = self.api.get_durable_execution_history(DurableExecutionArn=execution_arn)
        return [e["Name"] for e in history["Events"] if e["EventType"] == "StepSucceeded"]


@dataclass(frozen=True)
class ScriptedAws(LocalAws):
    """A local runner whose functions ask a stand-in for the portal."""

    portal: StandInPortal

    def asked(self) -> Received:
        """The next request that a function sent to the portal."""
        return self.portal.arrivals.get(timeout=PATIENCE_SECONDS)


@contextmanager
def scripted_aws(folder: Path) -> Iterator[ScriptedAws]:
    """A local runner before a stand-in for the portal."""
    portal = StandInPortal()
    with serving(portal), local_aws(folder, portal.url) as aws:
        yield ScriptedAws(aws.url, aws.api, portal)


@contextmanager
def local_aws(folder: Path, portal_url: str) -> Iterator[LocalAws]:
    """Runner and invoke endpoint on free ports; both must end with status 0 on a signal.

    The functions ask the portal at PORTAL_URL, as the source `shop`, signing with SECRET.
    """
    runner, invoke = _free_port(), _free_port()
    url, functions = f"http://127.0.0.1:{runner}", f"http://127.0.0.1:{invoke}"
    secret = folder / "source.secret"
    secret.write_text(SECRET + "\n", encoding="utf-8")
    with ExitStack() as stack:
        stack.enter_context(
            _process(
                "examples.local_runner.runner",
                f"--port={runner}",
                f"--lambda-endpoint={functions}",
                f"--store-path={folder / 'a folder' / 'runner.sqlite3'}",
                stop_with=signal.SIGINT,
            )
        )
        stack.enter_context(
            _process(
                "examples.local_runner.invoke",
                f"--port={invoke}",
                f"--runner={url}",
                f"--portal={portal_url}",
                "--source=shop",
                f"--secret-file={secret}",
                stop_with=signal.SIGTERM,
            )
        )
        eventually(lambda: _answers(f"{url}/health") and _answers(f"{functions}/healthz"))
        api = boto3.client(
            "lambda",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        yield LocalAws(url, api)


@contextmanager
def _process(module: str, *arguments: str, stop_with: signal.Signals) -> Iterator[None]:
    environment = {**os.environ, "COUNTERSIGN_SECRET": ""}
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            yield
        finally:
            process.send_signal(stop_with)
            try:
                status = process.wait(STOP_SECONDS)
            finally:
                process.kill()
    assert status == 0


def eventually(probe: Callable[[], T | None]) -> T:
    """What PROBE returns once that is true; it is asked again and again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := probe()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
