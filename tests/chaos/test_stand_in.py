"""The stand-in takes down what was said, and only that."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

from tests.chaos import callback_ids
from tests.chaos.record import digest_of, read
from tests.chaos.stand_in import RecordingApi
from tests.fakes.lambda_api import CALLBACKS

CALLBACK = callback_ids.callback_id(callback_ids.execution_arn("storm-0000001", expires_at=0))


def test_a_caller_that_dies_in_the_middle_of_its_words_has_said_nothing(tmp_path: Path) -> None:
    with RecordingApi(0, tmp_path / "record.jsonl", "seed", 0.01) as api:
        port = int(api.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(_head(b"approved"))
            line.sendall(b"appr")
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1) == b""
        whole = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        whole.request("POST", f"{CALLBACKS}{_quoted()}/succeed", b"approved")
        assert whole.getresponse().status == 200
        whole.close()

    calls = read(tmp_path / "record.jsonl").calls

    assert [(call.verb, call.body) for call in calls] == [
        ("succeed", digest_of("succeed", b"approved"))
    ]


def _head(body: bytes) -> bytes:
    lines = (f"POST {CALLBACKS}{_quoted()}/succeed HTTP/1.1", f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode()


def _quoted() -> str:
    return CALLBACK.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
