"""A durable function that waits for one callback; MiniStack runs it as Lambda would."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration
from aws_durable_execution_sdk_python.exceptions import CallbackError


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    config = CallbackConfig(heartbeat_timeout=Duration.from_seconds(60))
    callback = context.create_callback(name="await-release", config=config)
    try:
        return {"told": callback.result()}
    except CallbackError as error:
        return {"failed": str(error)}
