"""What Lambda calls: puts the signing secret in place, then lets `function.handler` work.

The templates of the examples give each function this layer, so that the functions
themselves are the same on a laptop and at AWS.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from importlib import import_module
from typing import Any

import boto3

KEPT_SECONDS = 300  # after a rotation the old secret is used that long, at most

function = import_module("function")  # beside the template, in /var/task


def handler(event: dict[str, Any], context: Any) -> Any:
    """Run the function with COUNTERSIGN_SECRET read from COUNTERSIGN_SECRET_ARN."""
    period = int(time.monotonic() // KEPT_SECONDS)
    secret = signing_secret(os.environ["COUNTERSIGN_SECRET_ARN"], period)
    os.environ["COUNTERSIGN_SECRET"] = secret
    return function.handler(event, context)


@lru_cache(maxsize=1)
def signing_secret(arn: str, _period: int) -> str:
    """The secret's text, read once in a period.

    Raises botocore's ResourceNotFoundException while nothing was put into the secret.
    """
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=arn)
    text: str = answer["SecretString"]
    return text.strip()
