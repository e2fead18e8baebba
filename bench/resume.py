"""Decision to call: how long after COMMIT AWS hears of it, beside a direct boto3 call.

A recording stand-in plays the callback API, in this process. The direct call is made
by this process too, in turns with the decisions.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Condition
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from botocore.config import Config

from bench.figures import BenchError, Size, expect, percentile
from bench.house import House
from bench.messages import HOST, PROXY_HEADERS, Messages
from tests.fakes.lambda_api import Fault, LambdaApi

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

MOST_DECISIONS = 10_000
#: A call that has not come by then was lost: sweeps alone bring it in 5 s.
ARRIVES_WITHIN = timedelta(seconds=20)
#: At least so many decisions before any counts: each worker makes its boto3 client once.
WARM_UP = 20

COMMITTED = """
    SELECT r.public_id::text, pg_xact_commit_timestamp(d.xmin)
    FROM approvals_decision d JOIN approvals_approvalrequest r ON r.id = d.request_id
    WHERE r.public_id = ANY(%s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds, one per decision or direct call.

    COMMITTED: COMMIT to the call's arrival. ASKED: decision sent to arrival. ANSWERED:
    decision sent to the portal's answer. DIRECT: boto3 asked to arrival.
    """

    committed: list[float]
    asked: list[float]
    answered: list[float]
    direct: list[float]

    @property
    def ratio_p50(self) -> float:
        return percentile(self.committed, 50) / percentile(self.direct, 50)


class CallbackApi(LambdaApi):
    """The stand-in, with the moment at which each answer to a callback arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: dict[str, float] = {}  # seconds since the epoch, as PostgreSQL's clock
        self._news = Condition()

    def take(self, verb: str, name: str, body: bytes) -> Fault:
        now = time.time()
        if verb == "look":
            return Fault(200, json.dumps({"Status": "RUNNING"}).encode())
        if verb != "heartbeat":
            with self._news:
                self.arrived.setdefault(name, now)
                self._news.notify_all()
        return super().take(verb, name, body)

    def arrival(self, name: str) -> float:
        """When callback NAME was answered; waits for it."""
        with self._news:
            if not self._news.wait_for(
                lambda: name in self.arrived, ARRIVES_WITHIN.total_seconds()
            ):
                raise BenchError(f"A decision did not arrive within {ARRIVES_WITHIN.seconds} s.")
            return self.arrived[name]


def measure(
    house: House,
    api: CallbackApi,
    size: Size,
    *,
    say: Callable[[str], None] = lambda _: None,
    warm_up: int = WARM_UP,
) -> list[Round]:
    """Decide in HOUSE for SIZE.rounds rounds and return what each found.

    Raises:
        BenchError: a request was refused, or a call did not arrive exactly once.
    """
    house.start_workers()
    bench = _Bench(house, api)
    try:
        bench.round("warm", size.warm_up, least=warm_up)
        rounds = []
        for number in range(size.rounds):
            rounds.append(bench.round(f"decide-{number}", size.span))
            say(f"decision to call, round {number + 1} of {size.rounds}: done")
        return rounds
    finally:
        bench.close()


class _Bench:
    def __init__(self, house: House, api: CallbackApi) -> None:
        self._house = house
        self._api = api
        self._line = http.client.HTTPConnection(HOST, house.portal_port, timeout=30)
        self._boto3 = _client(api.url)

    def close(self) -> None:
        self._line.close()
        self._boto3.close()

    def round(self, series: str, span: timedelta, *, least: int = 3) -> Round:
        """Open, decide, await the call, call directly; again until SPAN is over."""
        seeded = self._house.seeded
        messages = Messages(slug=seeded["slug"], secret=seeded["secret"], series=series)
        decided: dict[str, tuple[str, float, float]] = {}
        direct: list[float] = []
        end = time.monotonic() + span.total_seconds()
        while len(decided) < MOST_DECISIONS and (time.monotonic() < end or len(decided) < least):
            number = len(decided)
            request_id = self._open(messages, number)
            callback_id = messages.callback_id(number)
            decided[request_id] = (callback_id, *self._decide(request_id))
            self._api.arrival(callback_id)
            direct.append(self._call_directly(f"{series}/direct/{number}"))
        self._check_each_once(messages, len(decided))
        return self._round(decided, direct)

    def _round(self, decided: dict[str, tuple[str, float, float]], direct: list[float]) -> Round:
        committed_at = self._commits(list(decided))
        expect(set(committed_at), set(decided), "decisions in the database")
        committed, asked, answered = [], [], []
        for request_id, (callback_id, sent, told) in decided.items():
            arrived = self._api.arrival(callback_id)
            committed.append((arrived - committed_at[request_id]) * 1000)
            asked.append((arrived - sent) * 1000)
            answered.append((told - sent) * 1000)
        return Round(committed, asked, answered, direct)

    def _open(self, messages: Messages, number: int) -> str:
        body = messages.body(number)
        answer = self._post(messages.path, body, messages.headers(number, body), wanted=201)
        return str(answer["id"])

    def _decide(self, request_id: str) -> tuple[float, float]:
        """Approve; when the decision was sent, and when the portal had answered."""
        headers = {
            **PROXY_HEADERS,
            "Authorization": f"Bearer {self._house.seeded['token']}",
            "Content-Type": "application/json",
        }
        sent = time.time()
        path = f"/api/v1/requests/{request_id}/decision"
        self._post(path, b'{"verdict": "approved"}', headers, wanted=200)
        return sent, time.time()

    def _post(
        self, path: str, body: bytes, headers: dict[str, str], *, wanted: int
    ) -> dict[str, Any]:
        self._line.request("POST", path, body, headers)
        response = self._line.getresponse()
        content = response.read()
        expect(response.status, wanted, f"POST {path}: {content[:200]!r}; status")
        answer: dict[str, Any] = json.loads(content)
        return answer

    def _call_directly(self, callback_id: str) -> float:
        """What a decision would cost without an outbox, in milliseconds to arrival."""
        asked = time.time()
        self._boto3.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"{}")
        return (self._api.arrival(callback_id) - asked) * 1000

    def _commits(self, request_ids: list[str]) -> dict[str, float]:
        """When each decision was committed, by the database's own record."""
        with psycopg.connect(self._house.database_url) as database:
            rows = database.execute(COMMITTED, [request_ids]).fetchall()
        return {request_id: at.timestamp() for request_id, at in rows}

    def _check_each_once(self, messages: Messages, count: int) -> None:
        with self._api.lock:
            calls = Counter(call.name for call in self._api.calls if call.verb == "succeed")
        times = [calls[messages.callback_id(number)] for number in range(count)]
        expect(times, [1] * count, "calls for each decision")


def _client(endpoint: str) -> LambdaClient:
    """boto3 as the portal sets it up, without its outbox, queue and worker."""
    return boto3.client(
        "lambda",
        region_name="eu-north-1",
        endpoint_url=endpoint,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=Config(retries={"total_max_attempts": 1}, tcp_keepalive=True, proxies={}),
    )
