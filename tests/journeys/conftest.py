"""The demo itself, started once, in a folder whose name holds a space."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import psycopg
import pytest

from examples.order_workflow.orders import SHAPES
from examples.place_orders import start_execution
from portal.embedded import ground

ROOT = Path(__file__).resolve().parents[2]
_SET_BY_THE_TESTS = ("DATABASE_URL", "REDIS_URL", "STATIC_ROOT", "AWS_ENDPOINT_URL_LAMBDA")
Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen | None], *, within: float, what: str) -> Seen:
    """What LOOK sees once it sees something; fails after WITHIN seconds, saying WHAT."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.2)
    raise AssertionError(f"Not within {within:g} s: {what}")


class Demo:
    """A running demo, driven from outside as demo.json allows."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process

    @property
    def card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads((self.folder / "demo.json").read_text(encoding="utf-8"))
        return card

    def pid(self, name: str) -> int:
        return int(self.card["pids"][name])

    def api(self, username: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the API as USERNAME; a refusal comes back as its problem document."""
        token = next(p["token"] for p in self.card["people"] if p["username"] == username)
        request = Request(
            self.card["url"] + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=20) as response:
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            with error:
                answer = json.load(error)
        return answer

    def order(self, shape: str = "small", **approval: Any) -> tuple[str, str]:
        """Place an order; its execution's ARN and, once it waits here, its request's id."""
        event = SHAPES[shape]()
        event["approval"] = {**event["approval"], **approval}
        arn = start_execution(self.card["runner_url"], event, name=event["order_id"])

        def request_id() -> str | None:
            listed = self.api("olu", "/api/v1/requests?limit=200")["items"]
            return next((r["id"] for r in listed if event["order_id"] in r["title"]), None)

        return arn, eventually(request_id, within=30, what="the order is in the queue")

    def decide(
        self, request_id: str, verdict: str, comment: str = "", *, hold: bool = False
    ) -> dict[str, Any]:
        path = f"/api/v1/requests/{request_id}/decision"
        return self.api("dana", path, {"verdict": verdict, "comment": comment, "hold": hold})

    def request(self, request_id: str) -> dict[str, Any]:
        return self.api("olu", f"/api/v1/requests/{request_id}")

    def beats(self, request_id: str) -> int:
        """How often AWS was told that REQUEST_ID still waits."""
        with psycopg.connect(self.card["database_url"]) as database:
            row = database.execute(
                "SELECT beats FROM approvals_heartbeat JOIN approvals_approvalrequest"
                " ON id = request_id WHERE public_id = %s",
                [request_id],
            ).fetchone()
        return int(row[0]) if row else 0

    def delivered(self, request_id: str, *, within: float) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            shown = self.request(request_id)
            return shown if (shown["delivery"] or {}).get("state") == "delivered" else None

        return eventually(look, within=within, what="AWS took the answer")

    def ended(self, arn: str, *, within: float = 30) -> dict[str, Any]:
        """The execution as the runner tells it, once it has ended."""
        url = f"{self.card['runner_url']}/2025-12-01/durable-executions/{quote(arn, safe='')}"

        def look() -> dict[str, Any] | None:
            with urlopen(url, timeout=10) as response:
                execution: dict[str, Any] = json.load(response)
            return execution if execution["Status"] != "RUNNING" else None

        return eventually(look, within=within, what="the execution ended")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("a demo")
    env = {name: value for name, value in os.environ.items() if name not in _SET_BY_THE_TESTS}
    env |= {"PORT": str(ground.free_port()), "DATA_DIR": str(folder)}
    with (folder / "screen.txt").open("wb") as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.demo"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    demo = Demo(folder, process)
    try:
        eventually(lambda: _is_ready(demo), within=180, what="the demo is ready")
        yield demo
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def _is_ready(demo: Demo) -> bool:
    if demo.process.poll() is not None:
        pytest.fail((demo.folder / "screen.txt").read_text(encoding="utf-8"))
    return (demo.folder / "demo.json").exists()
