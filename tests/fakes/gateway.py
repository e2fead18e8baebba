"""The twin of the real gateway: says what it was told to say, remembers what it was asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Lock

from approvals.callbacks.gateway import Address, Answer, CallbackFailure, Page, Sighting
from approvals.states import Reply

Call = tuple[str, str]  # verb, callback ID or execution ARN


Line = Reply | Answer | Sighting | Page


class ScriptedGateway:
    """Gives REPLIES one after the other, the last for ever; without any, accepts all.

    `calls` holds (verb, callback ID) in order, `addresses` and `bodies` the rest of
    each. WHILE_SENDING, if set, runs in the sending thread before each answer.
    `histories` maps execution ARNs to what `history` says first, page by page; the script
    speaks for the others.
    """

    def __init__(self, *replies: Line) -> None:
        self._script = deque(replies or (Reply.ACCEPTED,))
        self._lock = Lock()
        self.calls: list[Call] = []
        self.addresses: list[Address] = []
        self.bodies: list[bytes | CallbackFailure | None] = []
        self.histories: dict[str, list[Page]] = {}
        self.markers: list[str] = []
        self.while_sending: Callable[[str, str], None] = lambda verb, name: None

    def then(self, *replies: Line) -> None:
        """Forget the script and say REPLIES from now on."""
        with self._lock:
            self._script = deque(replies)

    def prepare(self, address: Address) -> None:
        """Nothing to prepare."""

    def succeed(self, address: Address, callback_id: str, result: bytes) -> Answer:
        return _answer(self._next("succeed", address, callback_id, result))

    def fail(self, address: Address, callback_id: str, error: CallbackFailure) -> Answer:
        return _answer(self._next("fail", address, callback_id, error))

    def beat(self, address: Address, callback_id: str) -> Answer:
        return _answer(self._next("beat", address, callback_id, None))

    def look(self, address: Address, execution_arn: str) -> Sighting:
        line = self._next("look", address, execution_arn, None)
        return line if isinstance(line, Sighting) else Sighting(_answer(line))

    def history(
        self, address: Address, execution_arn: str, *, marker: str = "", with_results: bool = False
    ) -> Page:
        line = self._next("history", address, execution_arn, b"" if with_results else None)
        self.markers.append(marker)
        if execution_arn in self.histories:
            return self.histories[execution_arn][int(marker or 0)]
        return line if isinstance(line, Page) else Page(_answer(line))

    def _next(
        self, verb: str, address: Address, name: str, body: bytes | CallbackFailure | None
    ) -> Line:
        with self._lock:
            self.calls.append((verb, name))
            self.addresses.append(address)
            self.bodies.append(body)
            line = self._script.popleft() if len(self._script) > 1 else self._script[0]
        self.while_sending(verb, name)
        return line


def _answer(line: Line) -> Answer:
    if isinstance(line, Sighting | Page):
        return line.answer
    return line if isinstance(line, Answer) else Answer(line, detail=f"Scripted: {line.value}.")


class HangingGateway(ScriptedGateway):
    """Calls for some sources hang until so many of other sources have been made.

    `hung` is how many of those sources' calls had begun by then; `until_hung` waits for
    so many. RELEASE ends the wait.
    """

    def __init__(self, *source_ids: int, until_others: int) -> None:
        super().__init__()
        self.hung = 0
        self._one_more = Condition(self._lock)
        self._source_ids = source_ids
        self._others_left = until_others
        self._released = Event()

    def succeed(self, address: Address, callback_id: str, result: bytes) -> Answer:
        self._pass(address)
        return super().succeed(address, callback_id, result)

    def beat(self, address: Address, callback_id: str) -> Answer:
        self._pass(address)
        return super().beat(address, callback_id)

    def until_hung(self, number: int) -> bool:
        with self._lock:
            return self._one_more.wait_for(lambda: self.hung >= number, 10)

    def release(self) -> None:
        self._released.set()

    def _pass(self, address: Address) -> None:
        with self._lock:
            hangs = address.source_id in self._source_ids
            self.hung += hangs and not self._released.is_set()
            self._one_more.notify_all()
            self._others_left -= not hangs
            if self._others_left <= 0:
                self._released.set()
        if hangs:
            self._released.wait(30)
