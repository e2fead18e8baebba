"""The gateway against MiniStack, which is neither AWS's own emulator nor ours.

It runs a real durable function, without Docker, and speaks in Lambda's own error classes
where the local runner does not. It enforces no timeouts, so none is tried here.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest

from approvals.callbacks.aws import LambdaGateway
from approvals.callbacks.gateway import Address, CallbackFailure
from approvals.states import Reply
from portal.embedded import ground
from tests.journeys import waits_for_release
from tests.journeys.conftest import ROOT, eventually

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("ministack")]

REGION = "us-east-1"
FUNCTION = "waits-for-release"
#: It takes requests signed by anybody, but looks up account and region in the header.
SIGNED = (
    f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/lambda/aws4_request, "
    "SignedHeaders=host, Signature=none"
)


class MiniStack:
    """A running MiniStack with one durable function."""

    def __init__(self, url: str) -> None:
        self.address = Address(1, REGION, url)
        self.gateway = LambdaGateway()
        self.url = url
        self._lambda: Any = boto3.client(
            "lambda",
            region_name=REGION,
            endpoint_url=url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def deploy(self) -> None:
        """Create the function by hand: boto3 does not know `DurableConfig.Enabled`."""
        body = {
            "FunctionName": FUNCTION,
            "Runtime": "python3.11",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Handler": "waits_for_release.handler",
            "Timeout": 30,
            "Code": {"ZipFile": base64.b64encode(_package()).decode()},
            "DurableConfig": {"Enabled": True, "ExecutionTimeout": 600},
            "Environment": {
                "Variables": {"PYTHONPATH": _sdk_folder(), "AWS_ENDPOINT_URL": self.url}
            },
        }
        headers = {"Authorization": SIGNED, "Content-Type": "application/json"}
        where = f"{self.url}/2015-03-31/functions"
        with urlopen(Request(where, json.dumps(body).encode(), headers), timeout=20) as response:
            assert response.status == 201

    def execution(self) -> tuple[str, str]:
        """Start one; its ARN and, once it waits, its callback ID.

        MiniStack does not heed DurableExecutionName: what was not there before is it.
        """
        before = set(self._arns())
        self._lambda.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b"{}")

        def look() -> tuple[str, str] | None:
            for arn in set(self._arns()) - before:
                if callback := self._callback(arn):
                    return arn, callback
            return None

        return eventually(look, within=30, what="the execution waits for its callback")

    def _arns(self) -> list[str]:
        listed = self._lambda.list_durable_executions_by_function(FunctionName=FUNCTION)
        return [each["DurableExecutionArn"] for each in listed["DurableExecutions"]]

    def result(self, arn: str) -> dict[str, Any]:
        """What the function returned, once it has."""

        def look() -> dict[str, Any] | None:
            execution = self._lambda.get_durable_execution(DurableExecutionArn=arn)
            return execution if execution["Status"] != "RUNNING" else None

        ended = eventually(look, within=30, what="the execution ended")
        assert ended["Status"] == "SUCCEEDED", ended
        found: dict[str, Any] = json.loads(ended["Result"])
        return found

    def _callback(self, arn: str) -> str | None:
        events = self._lambda.get_durable_execution_history(
            DurableExecutionArn=arn, IncludeExecutionData=True
        )["Events"]
        started = (each.get("CallbackStartedDetails") for each in events)
        return next((each["CallbackId"] for each in started if each), None)


def _package() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(waits_for_release.__file__, "waits_for_release.py")
    return packed.getvalue()


def _sdk_folder() -> str:
    spec = find_spec("aws_durable_execution_sdk_python")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parents[1])


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    bootstrap = [sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "ministack"]
    subprocess.run(bootstrap, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    folder = tmp_path_factory.mktemp("ministack")
    port = ground.free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    places = {"HOME": str(folder), "TMPDIR": str(folder), "DOCKER_HOST": "unix:///nowhere"}
    where = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1"}
    with (folder / "screen.txt").open("wb") as screen:
        process = subprocess.Popen(
            [str(ROOT / ".venv-ministack" / "bin" / "python"), "-m", "ministack"],
            env={**kept, **places, **where, "SERVICES": "lambda,iam,sts"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=subprocess.STDOUT,
        )
    running = MiniStack(f"http://127.0.0.1:{port}")
    try:
        eventually(lambda: _is_up(running.url, process), within=60, what="MiniStack is up")
        running.deploy()
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_up(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "MiniStack ended: its words are in screen.txt"
    try:
        with urlopen(f"{url}/_ministack/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_the_function_goes_on_with_the_very_text_that_was_sent(ministack: MiniStack) -> None:
    arn, callback = ministack.execution()
    answer = '{"outcome": "approved", "comment": "Grüße"}'

    assert ministack.gateway.beat(ministack.address, callback).reply is Reply.ACCEPTED
    sent = ministack.gateway.succeed(ministack.address, callback, answer.encode())

    assert sent.reply is Reply.ACCEPTED
    assert ministack.result(arn) == {"told": answer}
    assert ministack.gateway.look(ministack.address, arn).status == "SUCCEEDED"


def test_a_failure_reaches_the_function_as_an_error_with_our_sentence(
    ministack: MiniStack,
) -> None:
    arn, callback = ministack.execution()
    failure = CallbackFailure("ApprovalRejected", "Rejected by Dana.", '{"outcome": "rejected"}')

    assert ministack.gateway.fail(ministack.address, callback, failure).reply is Reply.ACCEPTED

    assert "Rejected by Dana." in ministack.result(arn)["failed"]


def test_whatever_comes_after_the_answer_is_told_that_it_is_closed(ministack: MiniStack) -> None:
    _, callback = ministack.execution()
    ministack.gateway.succeed(ministack.address, callback, b'"first"')

    again = ministack.gateway.succeed(ministack.address, callback, b'"second"')
    beat = ministack.gateway.beat(ministack.address, callback)

    for answer in (again, beat):
        assert answer.reply is Reply.CLOSED
        assert answer.detail.startswith("CallbackTimeoutException")
        assert not answer.not_found
        assert not answer.applied_unknown


def test_a_malformed_id_is_refused_for_good(ministack: MiniStack) -> None:
    answer = ministack.gateway.succeed(ministack.address, "not_base64!", b'"yes"')

    assert answer.reply is Reply.REFUSED
    assert answer.detail.startswith("InvalidParameterValueException")


def test_an_unknown_id_is_closed_but_perhaps_only_asked_in_the_wrong_place(
    ministack: MiniStack,
) -> None:
    answer = ministack.gateway.beat(ministack.address, "0" * 64)

    assert answer.reply is Reply.CLOSED
    assert answer.not_found
    assert answer.detail.startswith("ResourceNotFoundException")


def test_one_byte_beyond_256_kib_is_refused_and_leaves_the_callback_open(
    ministack: MiniStack,
) -> None:
    arn, callback = ministack.execution()
    largest = b"x" * 262_144

    too_large = ministack.gateway.succeed(ministack.address, callback, largest + b"x")

    assert too_large.reply is Reply.REFUSED
    assert too_large.detail.startswith("InvalidParameterValueException")
    assert ministack.gateway.succeed(ministack.address, callback, largest).reply is Reply.ACCEPTED
    assert len(ministack.result(arn)["told"]) == len(largest)
