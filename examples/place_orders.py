"""Start order workflows at the local runner, one of each shape unless told otherwise.

python -m examples.place_orders --runner http://127.0.0.1:9014
python -m examples.place_orders --runner http://127.0.0.1:9014 --shape small --count 5
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import uuid4

from examples.order_workflow.orders import SHAPES

FUNCTION_NAME = "order-workflow"
LOCAL_ACCOUNT = "123456789012"
EXECUTION_SECONDS = 7 * 86_400
RETENTION_DAYS = 7
START_SECONDS = 30.0


def start_execution(
    runner: str,
    event: Mapping[str, Any],
    *,
    name: str,
    function_name: str = FUNCTION_NAME,
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
    request = Request(  # nosec B310
        f"{runner.rstrip('/')}/start-durable-execution",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urlopen(request, timeout=START_SECONDS) as response:  # nosec B310
        arn: str = json.load(response)["ExecutionArn"]
    return arn


def place(runner: str, shape: str) -> str:
    """Start one order of SHAPE; return a line that says what to look for."""
    event = SHAPES[shape]()
    order_id = event["order_id"]
    arn = start_execution(runner, event, name=f"order-{order_id}-{shape}")
    meaning = (SHAPES[shape].__doc__ or "").strip()
    return f"{order_id}  {shape:<16} {meaning}\n          execution {arn}"


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    try:
        for shape in (arguments.shape or list(SHAPES)) * arguments.count:
            print(place(arguments.runner, shape), flush=True)
    except URLError as error:
        sys.exit(f"The runner at {arguments.runner} did not start the order: {error.reason}")
    print("Each order now waits in the queue of its reviewers.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Start order workflows at the local runner.")
    parser.add_argument("--runner", required=True, help="address of the local runner")
    parser.add_argument("--shape", action="append", choices=sorted(SHAPES))
    parser.add_argument("--count", type=int, default=1, help="times each shape is started")
    return parser


if __name__ == "__main__":
    main()
