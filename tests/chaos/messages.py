"""What the durable functions of a storm post, and what reviewers will say to it.

All of it follows from the seed and the number of the request.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import callback_ids
from tests.chaos.record import digest_of

#: Every so many requests nobody decides: the clock does, long before AWS's own.
LEFT_TO_CLOCK, CLOCK_SECONDS = 33, 20
RULES = ("fail", "reject", "approve")


@dataclass
class Order:
    """One request of a storm, as its function knows it."""

    number: int
    seed: str
    source: dict[str, str]
    heartbeat: int  # seconds
    arn: str = field(init=False)
    body: bytes = field(init=False)

    def __post_init__(self) -> None:
        name = f"storm-{self.number:07d}"
        expires_at = round(time.time()) + CLOCK_SECONDS if self.is_left_to_clock else 0
        self.arn = callback_ids.execution_arn(name, expires_at=expires_at)
        self.body = json.dumps(self._fields()).encode()

    @property
    def path(self) -> str:
        return f"/api/v1/sources/{self.source['slug']}/requests"

    @property
    def callback_sha256(self) -> str:
        return digest_of("callback", callback_ids.callback_id(self.arn).encode())

    @property
    def is_left_to_clock(self) -> bool:
        return self.number % LEFT_TO_CLOCK == LEFT_TO_CLOCK - 1

    @property
    def required(self) -> int:
        return 2 if self.number % 5 == 3 else 1

    def headers(self) -> dict[str, str]:
        """Standard Webhooks, signed now."""
        message_id, stamp = f"msg_{self.number}", str(int(time.time()))
        key = base64.b64decode(self.source["secret"].removeprefix("whsec_"))
        signed = hmac.digest(key, f"{message_id}.{stamp}.".encode() + self.body, "sha256")
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }

    def voices(self, people: list[str]) -> list[tuple[str, str]]:
        """Who says what, all at the same moment: one to four people, seldom of one mind."""
        chance = random.Random(f"{self.seed}:voices:{self.number}")
        said = chance.sample(people, chance.choice((1, 2, 2, 3, 4)))
        return [(who, "approved" if chance.random() < 0.7 else "rejected") for who in said]

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "callback_id": callback_ids.callback_id(self.arn),
            "title": f"Release order NO-{self.number:07d}",
            "payload": {"order_id": f"NO-{self.number:07d}", "total": "4146.50"},
            "execution_arn": self.arn,
            "heartbeat_timeout_seconds": self.heartbeat,
            "required_approvals": self.required,
            "on_reject": "success" if self.number % 4 == 1 else "failure",
        }
        if self.number % 7 == 2:
            fields["approve_with"] = "approve"
        if self.is_left_to_clock:
            fields["timeout_seconds"] = CLOCK_SECONDS
            fields["on_timeout"] = RULES[self.number // LEFT_TO_CLOCK % len(RULES)]
        return fields
