"""AWS's local runner for durable executions, on loopback unless told, with a store that lasts.

    python -m examples.local_runner.runner --port 9014 \\
        --lambda-endpoint http://127.0.0.1:9015 --store-path var/runner.sqlite3

It keeps the executions and serves the callback API. What it runs, it invokes at
LAMBDA-ENDPOINT (see `invoke`). `GET /health` answers once it is up.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from aws_durable_execution_sdk_python_testing.runner import WebRunner, WebRunnerConfig
from aws_durable_execution_sdk_python_testing.stores.base import StoreType
from aws_durable_execution_sdk_python_testing.web.server import WebServer, WebServiceConfig

from examples.local_runner.launch import (
    DEFAULT_REGION,
    LISTEN_BACKLOG,
    serve_until_signalled,
    use_local_aws,
)

LOOPBACK = "127.0.0.1"  # the runner's own default is every interface


def runner_config(
    *, port: int, lambda_endpoint: str, store_path: Path, region: str, host: str = LOOPBACK
) -> WebRunnerConfig:
    """The runner as the demo and the tests use it: real timing, SQLite store.

    Pending callbacks outlive a restart; their timers do not, until a heartbeat
    re-arms the heartbeat's own. Logs stay at WARNING: request lines hold callback IDs.
    """
    return WebRunnerConfig(
        web_service=WebServiceConfig(host=host, port=port, log_level=logging.WARNING),
        lambda_endpoint=lambda_endpoint,
        local_runner_endpoint=f"http://{LOOPBACK}:{port}",
        local_runner_region=region,
        store_type=StoreType.SQLITE,
        store_path=str(store_path),
    )


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    use_local_aws(arguments.region)
    WebServer.request_queue_size = LISTEN_BACKLOG
    arguments.store_path.parent.mkdir(parents=True, exist_ok=True)
    runner = WebRunner(
        runner_config(
            port=arguments.port,
            lambda_endpoint=arguments.lambda_endpoint,
            store_path=arguments.store_path,
            region=arguments.region,
            host=arguments.host,
        )
    )
    runner.start()
    print(f"Durable executions run at http://{LOOPBACK}:{arguments.port}", flush=True)
    serve_until_signalled(runner.serve_forever, runner.stop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="AWS's local runner for durable executions.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default=LOOPBACK, help="another address, in a container")
    parser.add_argument("--lambda-endpoint", required=True, help="where functions are invoked")
    parser.add_argument("--store-path", type=Path, required=True, help="SQLite file")
    parser.add_argument("--region", default=DEFAULT_REGION)
    return parser


if __name__ == "__main__":
    main()
