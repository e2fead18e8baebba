"""Start the sample functions at the local runner: one of them, or one of each.

python -m examples.start --runner http://127.0.0.1:9014
python -m examples.start document-approval --runner http://127.0.0.1:9014 --wait
python -m examples.start order-workflow --runner http://127.0.0.1:9014 --shape small --count 5
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen
from uuid import uuid4

from examples.document_approval import documents
from examples.order_workflow import orders
from examples.refund_agent import tickets

SHAPES: Mapping[str, Mapping[str, Callable[[], dict[str, Any]]]] = {
    "order-workflow": orders.SHAPES,
    "document-approval": documents.SHAPES,
    "refund-agent": tickets.SHAPES,
}
LOCAL_ACCOUNT = "123456789012"
EXECUTION_SECONDS = 7 * 86_400
RETENTION_DAYS = 7
ANSWER_SECONDS = 30.0
LOOK_EVERY_SECONDS = 1.0
OPEN_STATUSES = {"RUNNING", "PENDING"}


def start_execution(
    runner: str,
    event: Mapping[str, Any],
    *,
    name: str,
    function_name: str = "order-workflow",
) -> str:
    """Start FUNCTION_NAME on EVENT as execution NAME at RUNNER; return the execution ARN.

    Raises OSError where the runner cannot be reached or refuses.
    """
    body = {
        "AccountId": LOCAL_ACCOUNT,
        "FunctionName": function_name,
        "FunctionQualifier": "$LATEST",
        "ExecutionName": name,
        "ExecutionTimeoutSeconds": EXECUTION_SECONDS,
        "ExecutionRetentionPeriodDays": RETENTION_DAYS,
        "InvocationId": str(uuid4()),
        "Input": json.dumps(event),
    }
    arn: str = _ask(runner, "/start-durable-execution", body)["ExecutionArn"]
    return arn


def start(runner: str, function_name: str, shape: str) -> tuple[str, str]:
    """Start one SHAPE of FUNCTION_NAME; return the execution ARN and a line on what it is."""
    make = SHAPES[function_name][shape]
    event = make()
    subject = event.get("order_id") or event.get("ticket_id") or event["document"]["document_id"]
    name = f"{function_name}-{subject}-{shape}-{uuid4().hex[:8]}"
    arn = start_execution(runner, event, name=name, function_name=function_name)
    meaning = (make.__doc__ or "").partition("\n")[0].strip()
    return arn, f"{subject:<10}  {shape:<16} {meaning}\n            execution {arn}"


def ending(runner: str, execution_arn: str) -> str:
    """Wait until the execution has ended, however long; return its status and its result."""
    path = f"/2025-12-01/durable-executions/{quote(execution_arn, safe='')}"
    while (execution := _ask(runner, path))["Status"] in OPEN_STATUSES:
        time.sleep(LOOK_EVERY_SECONDS)
    said = json.loads(execution.get("Result") or json.dumps(execution.get("Error")))
    return f"{execution['Status']}\n{json.dumps(said, indent=2, ensure_ascii=False)}"


def main(argv: list[str] | None = None) -> None:
    arguments = _parsed(argv)
    try:
        started = [
            _said(*start(arguments.runner, function_name, shape))
            for function_name in arguments.function or SHAPES
            for shape in (arguments.shape or list(SHAPES[function_name])) * arguments.count
        ]
        print("Each of them now waits for its reviewers.", flush=True)
        for arn in started if arguments.wait else []:
            print(ending(arguments.runner, arn), flush=True)
    except URLError as error:
        sys.exit(f"The runner at {arguments.runner} did not answer as expected: {error.reason}")


def _said(arn: str, line: str) -> str:
    print(line, flush=True)
    return arn


def _ask(runner: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    request = Request(  # nosec B310
        runner.rstrip("/") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=ANSWER_SECONDS) as response:  # nosec B310
        answer: dict[str, Any] = json.load(response)
    return answer


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start sample functions at the local runner.")
    parser.add_argument("function", nargs="*", help=f"{', '.join(SHAPES)}; all unless named")
    parser.add_argument("--runner", required=True, help="address of the local runner")
    parser.add_argument("--shape", action="append", help="one of the function's; all unless given")
    parser.add_argument("--count", type=int, default=1, help="times each shape is started")
    parser.add_argument("--wait", action="store_true", help="stay until all ended; show results")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.function) - set(SHAPES):
        parser.error(f"unknown function {', '.join(sorted(unknown))}. Known: {', '.join(SHAPES)}")
    for function_name in arguments.function or SHAPES:
        if unknown := set(arguments.shape or []) - set(SHAPES[function_name]):
            known = ", ".join(SHAPES[function_name])
            parser.error(f"{function_name} has no {', '.join(sorted(unknown))}. It has: {known}")
    return arguments


if __name__ == "__main__":
    main()
