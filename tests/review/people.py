"""Clients of people: browsers that have signed in, and programs that hold a token."""

from __future__ import annotations

import json

from django.test import Client
from django.utils import timezone

from approvals.models import ApprovalRequest, User
from tests.factories import make_token

HTMX = {"HX-Request": "true"}


def signed_in(user: User, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


class Caller:
    """A program that holds a person's token."""

    def __init__(self, user: User) -> None:
        self.token = make_token(user, timezone.now())

    def get(self, address: str):
        return Client().get(address, headers=self.headers)

    def decide(self, request: ApprovalRequest, body: object, **headers: str):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return Client().post(
            f"/api/v1/requests/{request.public_id}/decision",
            text,
            content_type=headers.pop("content_type", "application/json"),
            headers=self.headers | headers,
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
