"""What durable functions post: an order of about 2 KB, signed like any other message."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from bench.figures import BenchError

FUNCTION_ARN = "arn:aws:lambda:eu-north-1:123456789012:function:orders"
HOST = "127.0.0.1"
#: A proxy in front ended TLS; without this header the portal sends people to https.
PROXY_HEADERS = {"Host": HOST, "X-Forwarded-Proto": "https"}
BODY_BYTES = range(1_900, 2_300)


class Messages:
    """One source's messages, numbered; the same SERIES and number give the same body."""

    def __init__(self, *, slug: str, secret: str, series: str) -> None:
        self.path = f"/api/v1/sources/{slug}/requests"
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._series = series
        self._template = json.dumps(_order()).encode()

    def execution_arn(self, number: int) -> str:
        return f"{FUNCTION_ARN}:7/durable-execution/{self._series}-{number:07d}/0f8e2d"

    def callback_id(self, number: int) -> str:
        """Base64 that holds the execution's ARN, as AWS's own does."""
        return base64.b64encode(f"v1:{self.execution_arn(number)}:await-release".encode()).decode()

    def body(self, number: int) -> bytes:
        filled = self._template.replace(b"@callback", self.callback_id(number).encode())
        filled = filled.replace(b"@execution", self.execution_arn(number).encode())
        body = filled.replace(b"@number", f"{number:07d}".encode())
        if len(body) not in BODY_BYTES:
            raise BenchError(f"A message has {len(body)} bytes; mend bench/messages.py.")
        return body

    def headers(self, number: int, body: bytes) -> dict[str, str]:
        """Standard Webhooks: signed now, as the portal takes none older than 300 s."""
        message_id, stamp = f"msg_{self._series}-{number}", str(int(time.time()))
        signed = f"{message_id}.{stamp}.".encode() + body
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        return {
            **PROXY_HEADERS,
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }

    def http(self, number: int) -> bytes:
        """The whole HTTP/1.1 request for message NUMBER."""
        body = self.body(number)
        return as_http("POST", self.path, self.headers(number, body), body)


def as_http(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """The whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _order() -> dict[str, Any]:
    """What the example's order workflow sends; nobody is named, so the source's team is asked."""
    return {
        "callback_id": "@callback",
        "title": "Release order NO-@number",
        "kind": "order",
        "summary": "A **new customer** orders camping gear above the usual amount. " * 9,
        "payload": {
            "order_id": "NO-@number",
            "customer": {"name": "Halvard Brekke", "since": "2024-03-01"},
            "lines": [_line(number) for number in range(6)],
            "totals": {"goods": "4134.00", "shipping": "12.50", "grand": "4146.50"},
            "currency": "EUR",
        },
        "risk": {
            "score": 62,
            "reasons": [{"text": "Delivery address never used before", "points": 31}],
        },
        "timeout_seconds": 86_400,
        "heartbeat_timeout_seconds": 300,
        "execution_arn": "@execution",
        "if_approved": "The order ships today.",
        "if_rejected": "The order is cancelled and the card hold released.",
    }


def _line(number: int) -> dict[str, Any]:
    price = "689.00"
    name = "Fjell 4-season tent, moss"
    return {"sku": f"TNT-4S-G{number}", "name": name, "quantity": 1, "total": price}
