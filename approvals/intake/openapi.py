"""How operations that read raw bytes are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from approvals.openapi import documented

_SIGNATURE = [
    ("webhook-id", "1 to 128 letters, digits, _ and -", r"^[A-Za-z0-9_-]{1,128}$"),
    ("webhook-timestamp", "Seconds since the epoch, at most 300 off", r"^[0-9]{1,12}$"),
    ("webhook-signature", "v1,<base64 HMAC-SHA256 of id.timestamp.body>", r"^v1,"),
]


def described(body: type[BaseModel] | None, *refusals: int) -> dict[str, Any]:
    """`openapi_extra` of an operation: its BODY, its signature headers, its REFUSALS."""
    extra: dict[str, Any] = {
        "responses": documented(*refusals),
        "security": [{"StandardWebhooks": []}, {"SourceKey": []}],
        "parameters": [
            {
                "in": "header",
                "name": name,
                "required": False,
                "description": meaning,
                "schema": {"type": "string", "pattern": pattern},
            }
            for name, meaning, pattern in _SIGNATURE
        ],
    }
    if body is not None:
        extra["requestBody"] = _body(body)
    return extra


def described_events(body: type[BaseModel], *refusals: int) -> dict[str, Any]:
    """As `described`, of an operation that only a source's key for events opens."""
    return {
        "responses": documented(*refusals),
        "security": [{"EventsKey": []}],
        "requestBody": _body(body),
    }


def _body(body: type[BaseModel]) -> dict[str, Any]:
    schema = inlined(body.model_json_schema(by_alias=True))
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """SCHEMA with each `#/$defs/…` replaced by what it names, to stand inside a document."""
    named = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if (reference := node.get("$ref")) is not None:
            kept = {key: value for key, value in node.items() if key != "$ref"}
            return {**resolve(named[reference.removeprefix("#/$defs/")]), **resolve(kept)}
        return {key: resolve(value) for key, value in node.items() if key != "discriminator"}

    resolved: dict[str, Any] = resolve(schema)
    return resolved


#: The security schemes `described` refers to; approvals.api adds them to the document.
SECURITY_SCHEMES: dict[str, Any] = {
    "StandardWebhooks": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": (
            "Headers webhook-id, webhook-timestamp and webhook-signature, as in Standard "
            "Webhooks: HMAC-SHA256 with the source's whsec_ secret."
        ),
    },
    "SourceKey": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "Header Authorization: Bearer csk_…, the source's key, where a sender cannot sign."
        ),
    },
    "EventsKey": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "Header Authorization: Bearer csk_…, a key of the source that is for events: it "
            "opens nothing else, and nothing else opens this."
        ),
    },
}
