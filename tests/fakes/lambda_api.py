"""A recording stand-in of Lambda's callback API, for what no emulator does: faults.

Closes a callback at the first success or failure it takes, as Lambda does, and then
says CallbackTimeoutException. Each fault in `script` is spent on one call; a fault
says whether the call still takes effect. It also lends roles, as STS would.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote

CALLBACKS = "/2025-12-01/durable-execution-callbacks/"
EXECUTIONS = "/2025-12-01/durable-executions/"


@dataclass(frozen=True)
class Fault:
    """One call's mishap. STATUS 0 means that the connection is reset instead of answered.

    TAKEN: the call takes effect although it goes wrong. HOLD: the answer is kept back
    until the stand-in stops. CUT: the answer breaks off half-way; with STATUS 0 the
    connection is closed in good order, without a byte.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    taken: bool = False
    hold: bool = False
    cut: bool = False


def error(code: str, status: int, **headers: str) -> Fault:
    """An error in Lambda's form: the code in a header, and a message best not repeated."""
    body = json.dumps({"Type": "User", "Message": "secret-message"}).encode()
    named = {"x-amzn-errortype": f"{code}:http://internal.amazon.com/", **headers}
    return Fault(status, body, named)


def runner(message: str, *, type_: str = "ResourceNotFoundException", status: int = 404) -> Fault:
    """An error in the local runner's form: no header, the code in the body's `Type`."""
    return Fault(status, json.dumps({"Type": type_, "Message": message}).encode())


THROTTLED = error("TooManyRequestsException", 429, **{"Retry-After": "7"})
SERVICE_ERROR = error("ServiceException", 500)
KMS_DENIED = error("KMSAccessDeniedException", 502)
HTML_503 = Fault(503, b"<html><body>Sorry</body></html>", {"Content-Type": "text/html"})
RESET_BEFORE = Fault(0)
RESET_AFTER = Fault(0, taken=True)
LOST_ANSWER = Fault(0, taken=True, cut=True)
HALF_ANSWER = Fault(200, b'{"half": "an ans', cut=True, taken=True)
SLOW = Fault(200, b"{}", hold=True, taken=True)
HUNG = Fault(200, b"{}", hold=True)
GARBAGE_200 = Fault(200, b"<html>Log in to the guest network</html>")
REDIRECT = Fault(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"})
NO_SUCH_PAGE = Fault(404, b"<html><h1>The page does not exist</h1></html>")
DENIED = error("AccessDeniedException", 403)
TIMED_OUT = error("CallbackTimeoutException", 400)
UNKNOWN_EXECUTION = error("ResourceNotFoundException", 404)


@dataclass(frozen=True)
class Call:
    verb: str
    name: str
    body: bytes
    taken: bool
    authorization: str
    user_agent: str


class LambdaApi:
    """Serves on a loopback port of its own while the `with` block lasts.

    `calls` holds every call with its effect; `closed` maps callback IDs to the verb
    and body that closed them; `executions` maps ARNs to GetDurableExecution answers,
    `histories` to the events of GetDurableExecutionHistory.
    """

    handler: type[Handler]

    def __init__(self, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.closed: dict[str, tuple[str, bytes]] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.script: deque[Fault] = deque()
        self.roles: list[dict[str, str]] = []
        self.role_fault: Fault | None = None
        self.lock = Lock()
        self.stopping = Event()
        handler = type("Handler", (self.handler,), {"api": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_fault(self, verb: str) -> Fault | None:
        """The mishap of the next call, VERB; None if it goes well."""
        return self.script.popleft() if self.script else None

    def answer(self, call: Call) -> tuple[Fault, bool]:
        """What CALL is told, and whether it took effect; the caller holds the lock."""
        fault = self.next_fault(call.verb)
        told = self.take(call.verb, call.name, call.body) if not fault or fault.taken else None
        taken = told is not None and told.status == HTTPStatus.OK
        self.calls.append(replace(call, taken=taken))
        return fault or told or Fault(200, b"{}"), taken

    def take(self, verb: str, name: str, body: bytes) -> Fault:
        """Do what Lambda would do, and return its answer."""
        if verb == "look":
            found = self.executions.get(name)
            return _found(found) if found is not None else UNKNOWN_EXECUTION
        if verb == "history":
            events = self.histories.get(name)
            return _found({"Events": events}) if events is not None else UNKNOWN_EXECUTION
        if name in self.closed:
            return TIMED_OUT
        if verb != "heartbeat":
            self.closed[name] = (verb, body)
        return Fault(200, b"{}", taken=True)


def _found(answer: dict[str, Any]) -> Fault:
    return Fault(200, json.dumps(answer).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 drops some of many callers at once


class Handler(BaseHTTPRequestHandler):
    api: LambdaApi
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the caller died in the middle of it: nothing was said
            self.close_connection = True
            return
        if self.path == "/":
            self.say(self._lend(parse_qs(body.decode())))
            return
        name, verb = self.path.removeprefix(CALLBACKS).rsplit("/", 1)
        self._serve(verb, unquote(name), body)

    def do_GET(self) -> None:
        arn = self.path.removeprefix(EXECUTIONS).split("?")[0]
        verb = "history" if arn.endswith("/history") else "look"
        self._serve(verb, unquote(arn.removesuffix("/history")), b"")

    def _serve(self, verb: str, name: str, body: bytes) -> None:
        said = (self.headers.get(header, "") for header in ("Authorization", "User-Agent"))
        with self.api.lock:
            answer, _ = self.api.answer(Call(verb, name, body, False, *said))
        self.say(answer)

    def say(self, answer: Fault) -> None:
        if answer.hold:
            self.hold()
        if answer.status == 0 or answer.hold:
            self._end(reset=not answer.cut)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + (20 if answer.cut else 0)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.cut

    def hold(self) -> None:
        """Keep the caller waiting for longer than it will wait."""
        self.api.stopping.wait(30)

    def _end(self, *, reset: bool) -> None:
        # Linger 0: close() sends RST, so the caller sees a reset and not an end of file.
        linger = struct.pack("ii", 1, 0)
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        self.close_connection = True

    def _lend(self, form: dict[str, list[str]]) -> Fault:
        with self.api.lock:
            self.api.roles.append({key: values[0] for key, values in form.items()})
            if self.api.role_fault:
                return self.api.role_fault
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        return Fault(200, _ROLE_LENT.format(until=until).encode(), {"Content-Type": "text/xml"})

    def finish(self) -> None:
        if not self.wfile.closed:
            try:
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
        """Stay quiet: `calls` is the record."""


LambdaApi.handler = Handler

_ROLE_LENT = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><AssumedRoleUser><AssumedRoleId>R:S</AssumedRoleId>
<Arn>arn:aws:sts::123456789012:assumed-role/lent/s</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIALENT</AccessKeyId><SecretAccessKey>lent</SecretAccessKey>
<SessionToken>lent-token</SessionToken><Expiration>{until}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""


def role_denied() -> Fault:
    body = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>AccessDenied</Code><Message>secret-message</Message></Error>
<RequestId>r</RequestId></ErrorResponse>"""
    return Fault(403, body, {"Content-Type": "text/xml"})
