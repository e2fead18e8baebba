"""Lambda's callback API as a program of its own, which writes down every call.

    python -m tests.chaos.stand_in PORT RECORD SEED SLOWEST

What goes well takes up to SLOWEST seconds. RECORD receives one JSON line when a call
arrives, with its effect, and one when its caller has been answered or has hung up
(tests/chaos/record.py reads them). A PUT of a mood changes what comes next: "/faults" (the
decks), "/slow" (some answers wait in vain), "/well", "/down" (errors only).
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

from tests.chaos import callback_ids, faults
from tests.chaos.record import ANSWER_VERBS, digest_of
from tests.fakes.lambda_api import SERVICE_ERROR, Call, Fault, Handler, LambdaApi

#: What goes well takes at least this long, in seconds: AWS is some milliseconds away.
FASTEST = 0.005
#: Longer than any caller waits, in seconds.
HOLD = 30.0
#: Executions began so many seconds before they were asked about, or before their end.
AGE = 60.0
BLANKS, OTHER_BLANKS = 18, 60
IN_VAIN_BLANKS = 6
CONSOLE = b'{"outcome":"answered in the console"}'


class RecordingHandler(Handler):
    api: RecordingApi

    def do_PUT(self) -> None:  # noqa: N802 - the base's way
        self.api.mood = self.path.removeprefix("/")
        self.say(Fault(200, b"{}"))

    def _serve(self, verb: str, name: str, body: bytes) -> None:
        number, answer, latency = self.api.arrive(Call(verb, name, body, False, "", ""))
        time.sleep(latency)
        if not answer.hold:  # whoever has heard it may be back before this thread goes on
            self.api.finished(number)
        try:
            self.say(answer)
        except OSError:  # the caller died, which is no news here
            self.close_connection = True
        if answer.hold:
            self.api.finished(number)

    def hold(self) -> None:
        """Until the caller gives up: then its socket has something to read, the end."""
        readable, _, _ = select.select([self.connection], [], [], HOLD)
        if readable:
            self.connection.recv(1, socket.MSG_PEEK)


class RecordingApi(LambdaApi):
    """Deals faults from decks; enforces the deadlines that callback IDs carry."""

    handler = RecordingHandler

    def __init__(self, port: int, record: Path, seed: str, slowest: float) -> None:
        super().__init__(port)
        self._slowest = slowest
        self.mood = "well"
        self._lines = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._numbers = count(1)
        self._chance = random.Random(f"{seed}:latency")
        self._answers = faults.Deck(faults.ANSWERS, BLANKS, random.Random(f"{seed}:answers"))
        self._slow = faults.Deck((faults.IN_VAIN,), IN_VAIN_BLANKS, random.Random(f"{seed}:slow"))
        self._beats = faults.Deck(faults.BEATS, OTHER_BLANKS, random.Random(f"{seed}:beats"))
        self._looks = faults.Deck(faults.LOOKS, OTHER_BLANKS, random.Random(f"{seed}:looks"))
        self._kind = faults.NONE
        self._closed_at: dict[str, float] = {}

    def arrive(self, call: Call) -> tuple[int, Fault, float]:
        """Take CALL down; its number, its answer, and the seconds until that is given."""
        with self.lock:
            number, arn = next(self._numbers), _arn(call)
            self._kind = self._draw(call.verb)
            self._close_by_itself(callback_ids.callback_id(arn), arn)
            answer, taken = self.answer(call)
            self.calls.clear()  # the file is the record
            has_effect = taken and call.verb in ANSWER_VERBS
            if has_effect:
                self._closed_at[call.name] = time.time()
            self._write(
                n=number,
                at=time.time(),
                verb=call.verb,
                callback=digest_of("callback", callback_ids.callback_id(arn).encode()),
                body=digest_of(call.verb, call.body),
                fault=self._kind,
                effect=has_effect,
                status=answer.status,
            )
            return number, answer, self._chance.uniform(FASTEST, self._slowest)

    def finished(self, number: int) -> None:
        self._write(n=number, done=time.time())

    def next_fault(self, verb: str) -> Fault | None:
        return SERVICE_ERROR if self._kind == "down" else faults.KINDS.get(self._kind)

    def take(self, verb: str, name: str, body: bytes) -> Fault:
        if verb in {"look", "history"}:
            self._tell_of(name)
        return super().take(verb, name, body)

    def _draw(self, verb: str) -> str:
        if self.mood in {"well", "down"}:
            return "down" if self.mood == "down" else faults.NONE
        if self.mood == "slow":
            return self._slow.draw() if verb in ANSWER_VERBS else faults.NONE
        decks = {"heartbeat": self._beats, "look": self._looks, "history": self._looks}
        return decks.get(verb, self._answers).draw()

    def _close_by_itself(self, callback: str, arn: str) -> None:
        """What closes a callback past the portal: its deadline, or somebody else."""
        expires_at = callback_ids.expires_at(arn)
        if callback in self.closed:
            return
        if expires_at and time.time() >= expires_at:
            self._close(callback, "expired", b"", at=expires_at)
        elif self._kind == faults.ELSEWHERE:
            self._close(callback, "elsewhere", CONSOLE, at=time.time())

    def _close(self, callback: str, how: str, body: bytes, *, at: float) -> None:
        self.closed[callback] = (how, body)
        self._closed_at[callback] = at
        self._write(closed=how, at=at, callback=digest_of("callback", callback.encode()))

    def _tell_of(self, arn: str) -> None:
        """Set what GetDurableExecution and its history say of ARN."""
        callback = callback_ids.callback_id(arn)
        how, body = self.closed.get(callback, ("", b""))
        status = {"": "RUNNING", "fail": "FAILED", "expired": "TIMED_OUT"}.get(how, "SUCCEEDED")
        now = time.time()
        self.executions[arn] = {
            "DurableExecutionArn": arn,
            "DurableExecutionName": arn.split("/")[-2],
            "FunctionArn": callback_ids.FUNCTION_ARN,
            "StartTimestamp": now - 60,
            "Status": status,
            **({"EndTimestamp": now} if how else {}),
        }
        ended_at = self._closed_at.get(callback, now)
        self.histories[arn] = _events(callback, how, body, ended_at)

    def _write(self, **facts: Any) -> None:
        os.write(self._lines, json.dumps(facts).encode() + b"\n")


def _events(callback: str, how: str, body: bytes, ended_at: float) -> list[dict[str, Any]]:
    """The history of an execution that waits for one CALLBACK, or waited until ENDED_AT."""
    started_at = ended_at - AGE
    expires_at = callback_ids.expires_at(callback_ids.arn_of(callback))
    details: dict[str, dict[str, Any]] = {
        "ExecutionStarted": {"Input": {"Payload": "{}", "Truncated": False}},
        "CallbackStarted": {"CallbackId": callback, "HeartbeatTimeout": 90},
    }
    if expires_at:
        details["CallbackStarted"]["Timeout"] = max(1, round(expires_at - started_at))
    if how in {"succeed", "elsewhere"}:
        result = {"Payload": body.decode(), "Truncated": False}
        details["CallbackSucceeded"] = {"Result": result}
    elif how == "fail":
        error = {"Payload": json.loads(body), "Truncated": False}
        details["CallbackFailed"] = {"Error": error}
    elif how == "expired":
        timeout = {"ErrorType": "Callback.Timeout", "ErrorMessage": "Callback timed out"}
        details["CallbackTimedOut"] = {"Error": {"Payload": timeout, "Truncated": False}}
    return [
        {
            "EventType": kind,
            "EventId": number,
            "Id": "callback-1" if kind.startswith("Callback") else "execution",
            "Name": "await-release" if kind.startswith("Callback") else "",
            "EventTimestamp": ended_at if number == 3 else started_at,
            f"{kind}Details": detail,
        }
        for number, (kind, detail) in enumerate(details.items(), 1)
    ]


def _arn(call: Call) -> str:
    return call.name if call.verb in {"look", "history"} else callback_ids.arn_of(call.name)


def main(port: str, record: str, seed: str, slowest: str) -> None:
    with RecordingApi(int(port), Path(record), seed, float(slowest)) as api:
        api.stopping.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
