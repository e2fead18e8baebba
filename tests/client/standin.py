"""A stand-in for the portal: answers as scripted and remembers what it was sent."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import countersign

SECRET = "whsec_" + "c2VjcmV0LWZvci10ZXN0cy1vbmx5LTI0Yg=="


@dataclass(frozen=True)
class Answer:
    """One scripted answer; CUT is how many bytes of the promised body never come."""

    status: int = 201
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int = 0
    hang_up: bool = False


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return {key.lower(): value for key, value in self.headers.items()}[name]

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class StandInPortal(ThreadingHTTPServer):
    """Gives ANSWERS in turn, then 201 to everything; RECEIVED holds the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.answers: deque[Answer] = deque()
        self.received: list[Received] = []
        self.arrivals: Queue[Received] = Queue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Request(BaseHTTPRequestHandler):
    server: StandInPortal

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        received = Received(self.path, dict(self.headers), body)
        self.server.received.append(received)
        answers = self.server.answers
        self._answer(answers.popleft() if answers else created(received))
        self.server.arrivals.put(received)

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, answer: Answer) -> None:
        if answer.hang_up:
            return
        body = json.dumps(answer.document).encode() if answer.body is None else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) - answer.cut])

    def log_message(self, *_: object) -> None:
        """The requests are kept in `received`."""


def created(received: Received) -> Answer:
    """What the portal answers to a request it takes."""
    address = "https://approvals.example.com/requests/0197-public-id/"
    document = {
        "id": "0197-public-id",
        "url": address,
        "state": "pending",
        "answer_by": "2026-11-20T13:00:00Z",
        "payload_sha256": countersign.payload_sha256(received.content.get("payload", {})),
        "warnings": [],
    }
    return Answer(201, document, {"Location": address})


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
