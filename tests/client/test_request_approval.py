"""What the client sends, and what it makes of an answer."""

from __future__ import annotations

import json
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
    assert first.header("webhook-id") == second.header("webhook-id")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", first.header("webhook-id"))


def test_another_callback_is_another_message(portal: StandInPortal, ask: Ask) -> None:
    ask()
    ask(callback_id=CALLBACK_ID[4:])

    first, second = portal.received
    assert first.header("webhook-id") != second.header("webhook-id")


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
