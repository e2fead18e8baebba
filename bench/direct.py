"""boto3 as the portal sets it up, but without its outbox, queue and worker: the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def client(endpoint: str, *, connections: int = 10) -> LambdaClient:
    """A client for ENDPOINT that keeps so many CONNECTIONS alive."""
    return boto3.client(
        "lambda",
        region_name="eu-north-1",
        endpoint_url=endpoint,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=Config(
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
            proxies={},
            max_pool_connections=connections,
        ),
    )
