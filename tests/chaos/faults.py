"""Which mishap each call to the stand-in meets: decks of cards, shuffled by the seed.

Dealt like cards, every kind comes equally often, which chance alone does not grant.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.fakes import lambda_api as fake
from tests.fakes.lambda_api import Fault

#: Not a fault of the wire: somebody answers the callback past the portal, just before it.
ELSEWHERE = "answered_elsewhere"
#: No fault at all.
NONE = ""

KINDS: dict[str, Fault] = {
    "throttled_429": fake.error("TooManyRequestsException", 429, **{"Retry-After": "1"}),
    "service_error_500": fake.SERVICE_ERROR,
    "kms_502": fake.KMS_DENIED,
    "html_503": fake.HTML_503,
    "access_denied": fake.DENIED,
    "expired_token": fake.error("ExpiredTokenException", 403),
    "reset_before": fake.RESET_BEFORE,
    "reset_after": fake.RESET_AFTER,
    "lost_answer": fake.LOST_ANSWER,
    "half_answer": fake.HALF_ANSWER,
    "garbage_200": fake.GARBAGE_200,
    "slow_after": fake.SLOW,
    "slow_before": fake.HUNG,
}
ANSWERS = (*KINDS, ELSEWHERE)
#: The caller waits until it gives up, and nothing has happened.
IN_VAIN = "slow_before"
#: A beat has no effect to lose; slow ones would only hold the lanes.
BEATS = tuple(kind for kind in KINDS if not kind.startswith(("slow", "kms")))
LOOKS = ("throttled_429", "service_error_500", "reset_before", "half_answer")


@dataclass
class Deck:
    """Deals the cards of KINDS with BLANKS among them, again and again, in a new order."""

    kinds: Sequence[str]
    blanks: int
    chance: random.Random
    _cards: list[str] = field(default_factory=list)

    def draw(self) -> str:
        if not self._cards:
            self._cards = [*self.kinds, *[NONE] * self.blanks]
            self.chance.shuffle(self._cards)
        return self._cards.pop()
