"""Functions that post and reviewers who decide, on threads, through whatever happens.

Each behaves as the contract expects of it: a post without a 2xx is posted again, a
decision without an answer is sent again. What was heard is kept for the checker.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from portal.embedded.ground import LOOPBACK
from tests.chaos.messages import Order
from tests.chaos.proxy import Proxy
from tests.chaos.storms import Storm

PATIENCE = 30.0  # seconds for one answer; the portal's own limits are far below
PAUSE = 0.3  # seconds before the same is tried again
VOICES = 24
SPARE_POSTERS = 24  # beside those that wait for the deciders of their request


@dataclass(frozen=True, slots=True)
class Heard:
    """One HTTP exchange. STATUS 0: no whole answer came. SECONDS: how long it took.

    UNSENT: nobody listened, so nothing was said.
    """

    what: str
    at: float
    seconds: float
    status: int
    body: dict[str, Any] = field(default_factory=dict)
    unsent: bool = False

    @property
    def is_final(self) -> bool:
        return 200 <= self.status < 500


@dataclass(frozen=True, slots=True)
class Vote:
    """What PERSON was told about a VERDICT on REQUEST."""

    request: str
    person: str
    verdict: str
    heard: Heard


class Crowd:
    """Opens the requests of STORM at its rate and sees each decided, or left to the clock."""

    def __init__(self, seeded: Mapping[str, Any], proxy: Proxy, *, seed: str, storm: Storm) -> None:
        self.posted: dict[str, Order] = {}  # by callback
        self.opened: dict[str, Order] = {}  # by public id, once it was told
        self.votes: list[Vote] = []
        self.heard: list[Heard] = []
        self._seeded = seeded
        self._proxy = proxy
        self._seed, self._storm = seed, storm
        self._halted = Event()
        waiting = min(storm.requests, round(storm.rate * storm.open_for[0]))
        self._posters = ThreadPoolExecutor(SPARE_POSTERS + waiting, "poster")
        self._voices = ThreadPoolExecutor(VOICES, "voice")
        self._thread = Thread(target=self._keep_pace, daemon=True)
        self._lived = 0
        self._lock = Lock()

    def start(self) -> None:
        self._thread.start()

    @property
    def is_done(self) -> bool:
        return self._lived == self._storm.requests

    def halt(self) -> None:
        """Begin nothing more; what is under way ends."""
        self._halted.set()
        self._thread.join()
        self._posters.shutdown(cancel_futures=True)
        self._voices.shutdown(cancel_futures=True)

    def _keep_pace(self) -> None:
        began = time.monotonic()
        for number in range(self._storm.requests):
            due = began + number / self._storm.rate
            if self._halted.wait(max(0.0, due - time.monotonic())):
                return
            self._posters.submit(self._live, number)

    def _live(self, number: int) -> None:
        """The life of one request, from its post to its end."""
        sources = self._seeded["sources"]
        source = sources[number % len(sources)]
        order = Order(number, self._seed, source, self._storm.heartbeat)
        self.posted[order.callback_sha256] = order
        try:
            public_id = self._open(order)
            if public_id and not order.is_left_to_clock:
                chance = random.Random(f"{self._seed}:pause:{number}")
                self._halted.wait(chance.uniform(*self._storm.open_for))
                self._see_decided(order, public_id)
        finally:
            with self._lock:
                self._lived += 1

    def _open(self, order: Order) -> str:
        """The public id once the post was answered; "" if it is halted or refused."""
        while not self._halted.is_set():
            heard = self._call("open", "POST", order.path, order.headers, order.body)
            if heard.is_final:
                public_id = str(heard.body.get("id", ""))
                if heard.status in {200, 201}:
                    self.opened[public_id] = order
                return public_id
            self._halted.wait(PAUSE)
        return ""

    def _see_decided(self, order: Order, public_id: str) -> None:
        """Let several decide at once, and others after them until it is closed."""
        people = sorted(self._seeded["tokens"])
        voices = order.voices(people)
        spare = [(who, "approved") for who in people if who not in dict(voices)]
        while not self._halted.is_set():
            votes = list(self._voices.map(lambda voice: self._vote(public_id, *voice), voices))
            if self._is_closed(public_id):
                return
            voices = [(v.person, v.verdict) for v in votes if not v.heard.is_final]
            if not voices and spare:
                voices = [spare.pop(0)]
            self._halted.wait(PAUSE)

    def _vote(self, public_id: str, person: str, verdict: str) -> Vote:
        body = json.dumps({"verdict": verdict, "comment": f"Said by {person}."}).encode()
        path = f"/api/v1/requests/{public_id}/decision"
        heard = self._call("decide", "POST", path, lambda: self._token(person), body)
        vote = Vote(public_id, person, verdict, heard)
        self.votes.append(vote)
        return vote

    def _is_closed(self, public_id: str) -> bool:
        person = min(self._seeded["tokens"])
        path = f"/api/v1/requests/{public_id}"
        heard = self._call("look", "GET", path, lambda: self._token(person))
        return heard.status == 200 and heard.body["state"] != "pending"

    def _token(self, person: str) -> dict[str, str]:
        token = self._seeded["tokens"][person]
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def _call(self, what: str, method: str, path: str, headers: Any, body: bytes = b"") -> Heard:
        """One exchange with the portal that listens: the other one, if the first does not."""
        ports = self._proxy.ports
        for port in random.sample(ports, len(ports)):
            heard = _exchange(what, port, method, path, headers(), body=body)
            self.heard.append(heard)
            if not heard.unsent:
                break
        return heard


def _exchange(
    what: str, port: int, method: str, path: str, headers: dict[str, str], *, body: bytes
) -> Heard:
    at, began = time.time(), time.monotonic()
    line = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    status, found, unsent = 0, {}, False
    try:
        line.connect()
    except OSError:
        unsent = True
    else:
        try:
            line.request(method, path, body or None, headers)
            answer = line.getresponse()
            found, status = _json(answer.read()), answer.status
        except (OSError, http.client.HTTPException):
            status = 0
    finally:
        line.close()
    return Heard(what, at, time.monotonic() - began, status, found, unsent)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
