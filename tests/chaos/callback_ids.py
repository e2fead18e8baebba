"""Callback IDs of the storms. Like AWS's they carry the execution's ARN, in clear.

The last part of the ARN says when AWS stops waiting, in seconds since 1970, or 0: so the
stand-in knows a callback's deadline, and its execution's history, without being told.
"""

from __future__ import annotations

import base64

FUNCTION_ARN = "arn:aws:lambda:eu-north-1:123456789012:function:orders"


def execution_arn(name: str, *, expires_at: int = 0) -> str:
    return f"{FUNCTION_ARN}:7/durable-execution/{name}/{expires_at}"


def callback_id(arn: str) -> str:
    return base64.b64encode(f"v1|{arn}|await-release".encode()).decode()


def arn_of(callback: str) -> str:
    """The execution that CALLBACK belongs to.

    Raises:
        ValueError: it is no callback ID of a storm.
    """
    _, arn, _ = base64.b64decode(callback, validate=True).decode().split("|")
    return arn


def expires_at(arn: str) -> int:
    """When the callback of ARN expires; 0 if never."""
    return int(arn.rpartition("/")[2])
