"""A source as the portal's tests need one: it signs, posts and follows."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from approvals import lifecycle
from approvals.models import ApprovalRequest, CallbackSource, SourceKey, SourceSecret, User
from approvals.states import Channel, Verdict
from tests import factories


@dataclass
class Sender:
    """A source with one secret and one key; TO names another address than its own."""

    source: CallbackSource
    secret: str
    key: str
    client: Client = field(default_factory=Client)

    @property
    def address(self) -> str:
        return f"/api/v1/sources/{self.source.slug}/requests"

    def signed(
        self, body: bytes, *, at: datetime | None = None, secret: str = ""
    ) -> dict[str, str]:
        at = at or timezone.now()
        key = base64.b64decode((secret or self.secret).removeprefix("whsec_"))
        stamp = str(int(at.timestamp()))
        signed = b".".join([b"msg_1", stamp.encode(), body])
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }

    def post(self, body: bytes, *, to: str = "", headers: dict[str, str] | None = None) -> Any:
        headers = self.signed(body) if headers is None else headers
        return self.client.post(
            to or self.address, body, content_type="application/json", headers=headers
        )

    def open(self, **fields: Any) -> Any:
        return self.post(json.dumps(order(**fields)).encode())

    def get(self, path: str = "") -> Any:
        return self.client.get(self.address + path, headers=self.signed(b""))

    def withdraw(self, request_id: str, **fields: Any) -> Any:
        posted = {"id": request_id, "reason": "The order was cancelled.", **fields}
        to = f"{self.address}/{request_id}/withdraw"
        return self.post(json.dumps(posted).encode(), to=to)


def make_sender(slug: str = "orders", **fields: Any) -> Sender:
    factories.make_kind()
    source = factories.make_source(slug, **fields)
    return Sender(source, add_secret(source), add_key(source))


def add_secret(source: CallbackSource, *, expires_in: timedelta | None = None) -> str:
    row, secret = SourceSecret.new(source)
    row.expires_at = timezone.now() + expires_in if expires_in else None
    row.save()
    return secret


def add_key(source: CallbackSource, purpose: str = SourceKey.Purpose.REQUESTS) -> str:
    row, key = SourceKey.new(source, purpose)
    row.save()
    return key


def approve(reviewer: User) -> None:
    """REVIEWER approves the only request there is."""
    request_id = ApprovalRequest.objects.get().pk
    lifecycle.decide(
        request_id, verdict=Verdict.APPROVED, reviewer=reviewer, channel=Channel.BROWSER
    )


def order(**fields: Any) -> dict[str, Any]:
    """A body every reviewer would understand; FIELDS replace or add."""
    return {
        "callback_id": "Y2FsbGJhY2s/+AAA=",
        "title": "Release order NO-1",
        "payload": {"total": 12.5},
        "assignees": {"users": ["anna"]},
        "timeout_seconds": 3600,
        **fields,
    }


def problem_of(response: HttpResponse, status: int) -> dict[str, Any]:
    """The problem document of a refusal, in exactly the form of the contract."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(response.content)
    assert set(document) - {"errors"} == {"type", "title", "status", "detail"}
    assert document["status"] == status
    assert document["detail"]
    for error in document.get("errors", []):
        assert set(error) == {"field", "message"}
        assert error["message"].endswith(".")
    return document
