"""An answer owed to AWS as a simple model has it, and AWS as a simple model has that.

AWS closes a callback once: by our answer, by somebody else's, or because its time is over.
What it says is one thing, what it did another: the model knows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from approvals.callbacks.gateway import Answer
from approvals.states import Reply

#: How a call goes: taken; taken and the reply lost; not taken and the reply lost; not taken
#: as nobody could be reached; told to slow down; refused; refused until somebody mends it.
Way = Literal["taken", "taken, unheard", "unheard", "unreached", "slow down", "refused", "denied"]
WAYS: tuple[Way, ...] = (
    *("taken", "taken", "taken, unheard", "taken, unheard"),
    *("unheard", "unreached", "slow down", "refused", "denied"),
)

_SAID: dict[str, Answer] = {
    "taken": Answer(Reply.ACCEPTED),
    "taken, unheard": Answer(Reply.UNAVAILABLE, "Timeout: unheard.", applied_unknown=True),
    "unheard": Answer(Reply.UNAVAILABLE, "Reset: unheard.", applied_unknown=True),
    "unreached": Answer(Reply.UNAVAILABLE, "Refused: unreached."),
    "slow down": Answer(Reply.UNAVAILABLE, "TooManyRequestsException: slow down."),
    "refused": Answer(Reply.REFUSED, "InvalidParameterValueException: refused."),
    "denied": Answer(Reply.UNAVAILABLE, "AccessDeniedException: denied.", needs_mending=True),
    "closed": Answer(Reply.CLOSED, "CallbackTimeoutException: closed."),
}


@dataclass
class Attempt:
    """One claim: which answer, its number, and what AWS said of it."""

    owed: int
    number: int
    answer: Answer | None = None


@dataclass
class Owed:
    """One answer owed, and what AWS has of its callback: nothing, ours, or another end."""

    state: str = "pending"
    attempts: int = 0
    in_flight: bool = False
    unknown: bool = False
    last_reply: str = ""
    beating: bool = True
    at_aws: Literal["open", "ours", "over"] = "open"

    def claim(self) -> int:
        self.unknown |= self.in_flight
        self.in_flight = True
        self.attempts += 1
        return self.attempts

    def call(self, way: Way) -> Answer:
        """What AWS says to a call that goes this WAY; it may take the answer."""
        reached = way in {"taken", "taken, unheard"}
        if self.at_aws != "open":
            return _SAID["closed" if way == "taken" else way]
        if reached:
            self.at_aws = "ours"
        return _SAID[way]

    def settle(self, attempt: Attempt, *, expired: bool) -> str | None:
        """Where the answer then stands; None if the attempt no longer counts."""
        assert attempt.answer is not None
        said = attempt.answer
        if attempt.number == self.attempts:
            counts = self.in_flight
        else:
            counts = said.reply == Reply.ACCEPTED and self.state != "delivered"
        if not counts:
            return None
        self.unknown |= said.applied_unknown
        self.in_flight = False
        self.last_reply = said.reply
        self.state = self._after(said, expired=expired)
        if self.state != "pending" and said.reply != Reply.REFUSED:
            self.beating = False
        return self.state

    def redrive(self) -> str:
        if self.state != "undeliverable":
            return "NotRedrivable"
        self.state, self.last_reply = "pending", ""
        return "redriven"

    def _after(self, said: Answer, *, expired: bool) -> str:
        if said.reply == Reply.ACCEPTED:
            return "delivered"
        if said.reply == Reply.REFUSED:
            return "undeliverable"
        if said.reply == Reply.CLOSED or expired:
            return "unconfirmed" if self.unknown else "undeliverable"
        return "pending"
