"""The sums: what came in is what is there, and what was decided is on its way or has come."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from approvals.ledger.scope import WORDS
from approvals.ledger.violation import Violation
from approvals.models import AuditCheckpoint
from approvals.states import DeliveryState, RequestState

_RECEIVED = "SELECT count(*) FROM approvals_auditevent WHERE seq = 1 AND tag = {received}"
_STATES = "SELECT state, count(*) FROM approvals_approvalrequest GROUP BY 1"
_DELIVERIES = "SELECT state, count(*) FROM approvals_callbackdelivery GROUP BY 1"
_OWING = "SELECT count(*) FROM approvals_approvalrequest r WHERE {owes}"
_LINES = "SELECT count(*) FROM approvals_auditevent"


@dataclass(frozen=True, slots=True)
class Sums:
    """ACCEPTED: receipts in history. REQUESTS and ANSWERS: rows by state. OWED: closed
    requests that AWS must hear of. LINES of history, of which SEALED by CHECKPOINTS."""

    accepted: int
    owed: int
    lines: int
    checkpoints: int
    checkpoint: str  # the last one's seal: to be noted elsewhere
    sealed: int
    requests: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        sent = self.answers
        lost, unsure = sent["undeliverable"], sent["unconfirmed"]
        dead = f"{lost + unsure} (undeliverable {lost}, unconfirmed {unsure})"
        last = f", the last {self.checkpoint}" if self.checkpoint else ""
        accepted = f"accepted {self.accepted} = {_plus(self.requests)}"
        owed = f"answers owed {self.owed} = delivered {sent['delivered']}"
        owed += f" + in delivery {sent['pending']} + dead {dead}"
        history = f"history {self.lines} lines, {self.sealed} of them under"
        return [accepted, owed, f"{history} {self.checkpoints} checkpoints{last}"]

    def violations(self) -> list[Violation]:
        """The sums that do not come out; the rows to blame are named by the checks."""
        requests, answers = sum(self.requests.values()), sum(self.answers.values())
        told = {
            f"{self.accepted} were accepted, {requests} are there.": self.accepted != requests,
            f"{self.owed} answers are owed, {answers} are there.": self.owed != answers,
        }
        return [Violation("sums", "all", each) for each, wrong in told.items() if wrong]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def count() -> Sums:
    """The sums of this moment; inside `snapshot`, of the moment that is looked at."""
    states: dict[str, int] = dict(_rows(_STATES))
    answers: dict[str, int] = dict(_rows(_DELIVERIES))
    last = AuditCheckpoint.objects.last_of_all()
    under = AuditCheckpoint.objects.aggregate(number=Count("pk"), lines=Sum("events"))
    return Sums(
        accepted=_number(_RECEIVED),
        owed=_number(_OWING),
        lines=_number(_LINES),
        checkpoints=under["number"],
        checkpoint=bytes(last.mac).hex() if last else "",
        sealed=under["lines"] or 0,
        requests={str(state): states.get(state, 0) for state in RequestState.values},
        answers={str(state): answers.get(state, 0) for state in DeliveryState.values},
    )


def _plus(counts: dict[str, int]) -> str:
    return " + ".join(f"{state} {number}" for state, number in counts.items())


def _number(sql: str) -> int:
    return int(_rows(sql)[0][0])


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**WORDS))
        return list(cursor.fetchall())
