"""What the stand-in wrote down: every call, its effect, and who closed each callback."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ANSWER_VERBS = frozenset({"succeed", "fail"})


def digest_of(verb: str, body: bytes) -> str:
    """SHA-256 of BODY; of a failure, of its fields: in which order they travel is boto3's."""
    if verb == "fail":
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    return hashlib.sha256(body).hexdigest()


@dataclass(slots=True)
class Call:
    """One call. AT: it arrived; DONE: its caller was answered or hung up (else infinity)."""

    at: float
    verb: str
    callback: str
    body: str
    fault: str
    effect: bool
    status: int
    done: float = float("inf")


@dataclass(slots=True)
class Record:
    """CLOSED_ELSEWHERE maps callbacks to how ("expired", "elsewhere") and when."""

    calls: list[Call] = field(default_factory=list)
    closed_elsewhere: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def answers(self) -> dict[str, list[Call]]:
        """Successes and failures, by callback, in the order of their arrival."""
        found: defaultdict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            if call.verb in ANSWER_VERBS:
                found[call.callback].append(call)
        return found

    @property
    def beats(self) -> dict[str, list[Call]]:
        found: defaultdict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            if call.verb == "heartbeat":
                found[call.callback].append(call)
        return found


def read(path: Path) -> Record:
    with path.open("rb") as lines:
        return parse(json.loads(line) for line in lines)


def parse(lines: Iterable[dict[str, Any]]) -> Record:
    record, by_number = Record(), {}
    for line in lines:
        if "closed" in line:
            record.closed_elsewhere[line["callback"]] = (line["closed"], line["at"])
        elif "done" in line:
            by_number[line["n"]].done = line["done"]
        else:
            number = line.pop("n")
            record.calls.append(Call(**line))
            by_number[number] = record.calls[-1]
    return record
