"""Stands in for Lambda's Invoke API: the local runner calls the example functions here.

    python -m examples.local_runner.invoke --port 9015 --runner http://127.0.0.1:9014 \\
        --portal http://127.0.0.1:8000 --source shop --secret-file var/source.secret

The source's signing secret comes from SECRET-FILE, or else from COUNTERSIGN_SECRET.
`GET /healthz` answers once the functions are imported.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from examples.local_runner.launch import (
    DEFAULT_REGION,
    LISTEN_BACKLOG,
    serve_until_signalled,
    use_local_aws,
)

FUNCTIONS: Mapping[str, str] = {  # function name -> module with a `handler`
    "order-workflow": "examples.order_workflow.function",
    "document-approval": "examples.document_approval.function",
    "refund-agent": "examples.refund_agent.function",
}
CLIENT_FOLDER = Path(__file__).resolve().parents[2] / "client"
INVOCATIONS = "/2015-03-31/functions/"
INVOCATION_SECONDS = 900

Handler = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Invocation:
    """The part of Lambda's context object that a durable function can see."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    invoked_function_arn: str | None = None
    log_group_name: str | None = None
    log_stream_name: str | None = None
    memory_limit_in_mb: str | None = None
    tenant_id: str | None = None
    client_context: Any = None
    identity: Any = None

    def get_remaining_time_in_millis(self) -> int:
        return INVOCATION_SECONDS * 1000

    def log(self, msg: object) -> None:
        print(msg, file=sys.stderr)


class InvokeEndpoint(ThreadingHTTPServer):
    """Serves HANDLERS by function name, one thread a call, on loopback."""

    daemon_threads = True
    request_queue_size = LISTEN_BACKLOG

    def __init__(self, port: int, handlers: Mapping[str, Handler]) -> None:
        super().__init__(("127.0.0.1", port), _InvokeRequest)
        self.handlers = handlers


class _InvokeRequest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: InvokeEndpoint

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"functions": sorted(self.server.handlers)})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"Message": "Only /healthz is read here."})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = _function_name(self.path)
        function = self.server.handlers.get(name)
        if function is None:
            self._answer(
                HTTPStatus.NOT_FOUND,
                {"Type": "User", "Message": f"Function not found: {name}"},
                {"x-amzn-errortype": "ResourceNotFoundException"},
            )
            return
        try:
            self._answer(HTTPStatus.OK, function(json.loads(body), Invocation(name)))
        except Exception as error:  # noqa: BLE001 - Lambda reports whatever a function raises
            self._answer(HTTPStatus.OK, _as_error(error), {"X-Amz-Function-Error": "Unhandled"})

    def _answer(
        self, status: HTTPStatus, document: object, headers: Mapping[str, str] | None = None
    ) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing per call: the runner has the history."""


def load_functions() -> dict[str, Handler]:
    """Import the example functions; call it after the AWS settings are in place."""
    sys.path.insert(0, str(CLIENT_FOLDER))  # in Lambda the module lies beside the function
    return {name: importlib.import_module(module).handler for name, module in FUNCTIONS.items()}


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    use_local_aws(arguments.region, lambda_endpoint=arguments.runner)
    os.environ.update(COUNTERSIGN_URL=arguments.portal, COUNTERSIGN_SOURCE=arguments.source)
    if arguments.secret_file:
        secret = arguments.secret_file.read_text(encoding="utf-8").strip()
        os.environ["COUNTERSIGN_SECRET"] = secret
    if not os.environ.get("COUNTERSIGN_SECRET"):
        sys.exit("No signing secret: give --secret-file or set COUNTERSIGN_SECRET.")
    endpoint = InvokeEndpoint(arguments.port, load_functions())
    print(f"Functions are invoked at http://127.0.0.1:{arguments.port}", flush=True)
    serve_until_signalled(endpoint.serve_forever, endpoint.server_close)


def _function_name(path: str) -> str:
    """The bare name from `/2015-03-31/functions/NAME[:QUALIFIER]/invocations`, or ""."""
    if not path.startswith(INVOCATIONS):
        return ""
    return unquote(path.removeprefix(INVOCATIONS).split("/")[0]).split(":")[0]


def _as_error(error: Exception) -> dict[str, str]:
    return {"errorMessage": str(error), "errorType": type(error).__name__}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Invoke endpoint for the example functions.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--runner", required=True, help="address of the local runner")
    parser.add_argument("--portal", required=True, help="address of Countersign")
    parser.add_argument("--source", required=True, help="slug of the callback source")
    parser.add_argument("--secret-file", type=Path, help="file with the source's whsec_ secret")
    parser.add_argument("--region", default=DEFAULT_REGION)
    return parser


if __name__ == "__main__":
    main()
