"""What the client sends, and what it makes of each answer."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

import countersign
import pytest
from standardwebhooks.webhooks import Webhook

from tests.client.conftest import CALLBACK_ID, Clock
from tests.client.standin import SECRET, Answer, StandInPortal

Ask = Callable[..., countersign.Submitted]

SUBMITTED = {"id": "1", "url": "u", "state": "pending", "payload_sha256": "0", "warnings": []}
BUSY = Answer(503, {"title": "Busy"})


def test_the_reference_library_accepts_the_signature(portal: StandInPortal, ask: Ask) -> None:
    ask(payload={"name": "Ďurišová 🎁", "total": 12.50})

    (received,) = portal.received
    assert Webhook(SECRET).verify(received.body.decode(), dict(received.headers))
    assert received.path == "/api/v1/sources/shop/requests"


def test_the_answer_of_the_portal_is_returned_as_a_plain_dict(
    portal: StandInPortal, ask: Ask
) -> None:
    submitted = ask()

    assert submitted["state"] == "pending"
    assert submitted == json.loads(json.dumps(submitted))


def test_a_step_that_runs_again_sends_the_same_message(portal: StandInPortal, ask: Ask) -> None:
    ask(payload={"b": 1, "a": 2})
    ask(payload={"a": 2, "b": 1})

    first, second = portal.received
    assert first.body == second.body
    assert _header(first.headers, "webhook-id") == _header(second.headers, "webhook-id")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", _header(first.headers, "webhook-id"))


def test_another_callback_is_another_message(portal: StandInPortal, ask: Ask) -> None:
    ask()
    ask(callback_id=CALLBACK_ID[4:])

    first, second = portal.received
    assert _header(first.headers, "webhook-id") != _header(second.headers, "webhook-id")


def test_fields_that_are_none_are_left_out_and_others_passed_on(
    portal: StandInPortal, ask: Ask
) -> None:
    ask(timeout_seconds=60, summary=None, risk={"score": 3}, invented="by the caller")

    assert portal.received[0].content == {
        "callback_id": CALLBACK_ID,
        "title": "Release order 7",
        "timeout_seconds": 60,
        "risk": {"score": 3},
        "invented": "by the caller",
    }


def test_server_errors_are_tried_again_with_the_same_bytes_and_a_fresh_timestamp(
    portal: StandInPortal, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 2.0)
    portal.answers.extend([BUSY, BUSY])

    assert ask()["state"] == "pending"

    assert len({received.body for received in portal.received}) == 1
    stamps = [int(_header(r.headers, "webhook-timestamp")) for r in portal.received]
    assert stamps == [1_000_000, 1_000_002, 1_000_004]
    assert len({_header(r.headers, "webhook-signature") for r in portal.received}) == 3


def test_pauses_are_drawn_from_a_doubling_range_with_a_ceiling(
    portal: StandInPortal, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[tuple[float, float]] = []

    def lowest(low: float, high: float) -> float:
        ranges.append((low, high))
        return low

    monkeypatch.setattr(random, "uniform", lowest)
    portal.answers.extend([BUSY] * 7)

    ask()

    assert [low for low, _ in ranges] == [0] * 7
    assert [high for _, high in ranges] == [0.25, 0.5, 1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    "fault",
    [
        Answer(hang_up=True),
        Answer(201, {"id": "x" * 100}, cut=50),
        Answer(500, body=b"<html>"),
        Answer(502, body=b""),
        Answer(429, {"title": "Slow down"}),
    ],
    ids=["connection lost", "answer cut short", "500", "502", "429"],
)
def test_a_fault_that_may_pass_is_tried_again(
    portal: StandInPortal, ask: Ask, clock: Clock, fault: Answer
) -> None:
    portal.answers.append(fault)

    assert ask()["state"] == "pending"

    assert len(portal.received) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 409, 413, 422])
def test_a_refusal_is_raised_in_the_portals_words_and_not_repeated(
    portal: StandInPortal, ask: Ask, clock: Clock, status: int
) -> None:
    errors = [{"field": "payload", "message": "Make it an object."}]
    problem = {"title": "Invalid", "status": status, "detail": "Mend it.", "errors": errors}
    portal.answers.append(Answer(status, problem))

    with pytest.raises(countersign.ApprovalRefused) as caught:
        ask()

    refused = caught.value
    assert (refused.status, refused.title, refused.detail) == (status, "Invalid", "Mend it.")
    assert refused.errors == errors
    assert str(refused) == f"Invalid ({status}): Mend it.; payload: Make it an object."
    assert len(portal.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(
    portal: StandInPortal, ask: Ask, clock: Clock, status: int
) -> None:
    portal.answers.append(Answer(status, headers={"Location": f"{portal.url}/elsewhere"}))

    with pytest.raises(countersign.ApprovalRefused, match="COUNTERSIGN_URL"):
        ask()

    assert len(portal.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, body=b"<html>Sign in</html>"),
        Answer(201, ["not", "an", "object"]),
        Answer(201, {"id": 7, "url": "", "state": "", "payload_sha256": "", "warnings": []}),
        Answer(200, body=b"[" * 100_000),
        Answer(204, body=b""),
        Answer(404, body=b"<html>Not found</html>"),
        Answer(201, {**SUBMITTED, "more": "x" * countersign.MAX_ANSWER_BYTES}),
    ],
    ids=["html", "list", "wrong types", "deep", "no content", "foreign 404", "too long"],
)
def test_an_answer_that_is_not_the_portals_is_refused(
    portal: StandInPortal, ask: Ask, clock: Clock, answer: Answer
) -> None:
    portal.answers.append(answer)

    with pytest.raises(countersign.ApprovalRefused, match="COUNTERSIGN_URL"):
        ask()


def test_retry_after_is_waited_for(portal: StandInPortal, ask: Ask, clock: Clock) -> None:
    portal.answers.append(Answer(429, {}, {"Retry-After": "7"}))

    ask()

    (pause,) = clock.pauses
    assert 7 <= pause <= 7.25


def test_retry_after_may_be_a_date(portal: StandInPortal, ask: Ask, clock: Clock) -> None:
    ten_seconds_on = "Mon, 12 Jan 1970 13:46:50 GMT"
    portal.answers.append(Answer(503, {}, {"Retry-After": ten_seconds_on}))

    ask()

    assert 10 <= clock.pauses[0] <= 10.25


@pytest.mark.parametrize("nonsense", ["soon", "-5", "Mon, 99 Nov 2026", "Mon, 12 Jan 1970"])
def test_an_unreadable_retry_after_counts_as_none(
    portal: StandInPortal, ask: Ask, clock: Clock, nonsense: str
) -> None:
    portal.answers.append(Answer(503, {}, {"Retry-After": nonsense}))

    ask()

    assert clock.pauses[0] <= 0.25


def test_a_retry_after_beyond_the_budget_is_not_slept_for(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    portal.answers.append(Answer(429, {}, {"Retry-After": "3600"}))

    with pytest.raises(countersign.ApprovalUnavailable, match="429"):
        ask()

    assert clock.pauses == []


def test_the_budget_bounds_all_attempts_together(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    portal.answers.extend([BUSY] * 200)

    with pytest.raises(countersign.ApprovalUnavailable, match="503"):
        ask(budget_seconds=30.0)

    assert sum(clock.pauses) < 30
    assert len(portal.received) == len(clock.pauses) + 1 > 3


def test_an_answer_that_trickles_in_does_not_outlast_the_budget(clock: Clock) -> None:
    class Trickle:
        length, status = None, 201

        def read1(self, _size: int) -> bytes:
            clock.sleep(1)
            return b" "

    with pytest.raises(TimeoutError):
        countersign._read(Trickle(), deadline=clock.now + 20)  # type: ignore[arg-type]

    assert len(clock.pauses) == 20


def test_nobody_listening_is_unavailable_and_says_so(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    with pytest.raises(countersign.ApprovalUnavailable, match="ConnectionRefusedError"):
        ask(url="http://127.0.0.1:1", budget_seconds=5.0)

    assert clock.pauses


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    portal: StandInPortal, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert ask()["state"] == "pending"


def test_callback_id_and_secret_stay_out_of_errors(
    portal: StandInPortal, ask: Ask, clock: Clock
) -> None:
    portal.answers.extend([BUSY] * 200)

    with pytest.raises(countersign.ApprovalUnavailable) as caught:
        ask()

    assert CALLBACK_ID not in str(caught.value)
    assert SECRET.removeprefix("whsec_") not in str(caught.value)


@pytest.mark.parametrize("name", ["COUNTERSIGN_URL", "COUNTERSIGN_SOURCE", "COUNTERSIGN_SECRET"])
def test_a_missing_setting_is_named(
    portal: StandInPortal, ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(ValueError, match=name):
        ask()


@pytest.mark.parametrize(
    "url",
    [
        "http://approvals.example.com",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "approvals.example.com",
        "https://",
        "https://me:password@approvals.example.com",
        "https://approvals.example.com/?next=1",
    ],
)
def test_only_a_plain_https_address_is_posted_to(
    portal: StandInPortal, ask: Ask, clock: Clock, url: str
) -> None:
    with pytest.raises(ValueError, match="COUNTERSIGN_URL"):
        ask(url=url)


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_not base64", "whsec_c2Vj!cmV0", "hunter2", "whsec_ü"]
)
def test_an_unusable_secret_is_refused_without_repeating_it(
    portal: StandInPortal, ask: Ask, secret: str
) -> None:
    with pytest.raises(ValueError, match="COUNTERSIGN_SECRET") as caught:
        ask(secret=secret)

    assert secret not in str(caught.value).replace("whsec_ and", "")


@pytest.mark.parametrize("payload", [{"n": float("nan")}, {"text": "\ud800"}])
def test_what_json_cannot_carry_is_refused_before_it_is_sent(
    portal: StandInPortal, ask: Ask, payload: dict[str, object]
) -> None:
    with pytest.raises(ValueError):
        ask(payload=payload)

    assert portal.received == []


def test_a_source_cannot_lead_out_of_its_path(portal: StandInPortal, ask: Ask) -> None:
    ask(source="../admin")

    assert portal.received[0].path == "/api/v1/sources/..%2Fadmin/requests"


def test_the_module_imports_the_standard_library_only() -> None:
    source = Path(countersign.__file__).read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, flags=re.MULTILINE))

    assert imported <= sys.stdlib_module_names


def _header(headers: object, name: str) -> str:
    assert isinstance(headers, dict)
    return str({key.lower(): value for key, value in headers.items()}[name])
