"""Ask people from a durable function, through Countersign. No dependencies; one file.

    callback = context.create_callback("approval", config=CallbackConfig(...))
    context.step(lambda _: countersign.request_approval(callback.callback_id, "Refund 42"))
    outcome = countersign.await_outcome(callback)

Posting belongs inside a step: code between `create_callback` and `result` runs again
on every replay. Repeating the post is harmless, as the callback ID makes it one request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import random
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from time import monotonic, sleep, time
from typing import Any, Literal, Protocol, TypedDict, TypeVar, cast, get_args
from urllib.parse import quote, urlsplit
from urllib.request import HTTPErrorProcessor, ProxyHandler, Request, build_opener

__all__ = [
    "ApprovalRefused",
    "ApprovalUnavailable",
    "CountersignError",
    "MalformedOutcome",
    "Outcome",
    "Question",
    "Submitted",
    "answer",
    "await_outcome",
    "outcome_from_error",
    "outcome_of",
    "payload_sha256",
    "questions",
    "request_approval",
]
__version__ = "0.1.0"

T = TypeVar("T")
Kind = Literal["approved", "rejected", "expired", "withdrawn", "superseded"]

ATTEMPT_SECONDS = 10.0  # longest silence of the portal before an attempt is given up
FIRST_BACKOFF_SECONDS = 0.25
MAX_BACKOFF_SECONDS = 5.0
MAX_ANSWER_BYTES = 256 * 1024
JSON_NAMES: dict[type, str] = {str: "string", list: "list", dict: "JSON object"}
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class CountersignError(Exception):
    """Whatever this module raises by itself."""


class ApprovalRefused(CountersignError):
    """The portal said no, and would say so again: mend the request or its settings.

    STATUS, TITLE, DETAIL and ERRORS ([{"field", "message"}]) are the portal's words.
    """

    def __init__(
        self, status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None
    ) -> None:
        self.status, self.title, self.detail, self.errors = status, title, detail, errors or []
        fields = "".join(f"; {e.get('field')}: {e.get('message')}" for e in self.errors)
        super().__init__(f"{title} ({status}): {detail}{fields}")


class ApprovalUnavailable(CountersignError):
    """The portal could not be reached in the time allowed; the same call may work later."""


class MalformedOutcome(CountersignError):
    """What came back is not an outcome of this approval: treat it as not approved."""


class Submitted(TypedDict):
    """The portal's answer. A plain dict, so that a step's checkpoint gives back the same."""

    id: str
    url: str
    state: str
    answer_by: str | None  # ISO 8601; None where the request waits without end
    payload_sha256: str
    warnings: list[str]


class Question(TypedDict):
    """What a reviewer asks before deciding; ANSWER is None while nobody has answered."""

    id: str
    text: str
    asked_by: str
    asked_at: str  # ISO 8601
    answer: str | None
    answered_by: str | None
    answered_at: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an approval ended: who, when, why, and the bytes it was about.

    CAUSE is person, clock, policy, operator or source. RAW is the portal's document,
    ready for the function's result; it is empty where Lambda's own clock ran out.
    Where a reviewer edited the payload before approving, EDITS are the new values by JSON
    pointer, and FINAL_PAYLOAD is what was approved: act on that, not on what was sent.
    """

    kind: Kind
    request_id: str | None
    decision_id: str | None
    decided_by: tuple[str, ...]
    decided_at: datetime | None
    comment: str
    values: Mapping[str, Any]
    payload_sha256: str | None
    cause: str
    raw: Mapping[str, Any]
    edits: Mapping[str, Any] = field(default_factory=dict)
    final_payload: Mapping[str, Any] | None = None
    final_payload_sha256: str | None = None

    @property
    def approved_sha256(self) -> str | None:
        """The hash of what was approved: of the payload as edited, else as sent."""
        return self.final_payload_sha256 or self.payload_sha256

    def payload(self, sent: Mapping[str, Any]) -> Mapping[str, Any]:
        """What was approved, where SENT was asked about: that, unless it was edited."""
        return sent if self.final_payload is None else self.final_payload

    @property
    def approved(self) -> bool:
        return self.kind == "approved"


class Callback(Protocol):
    """The part of the SDK's Callback that is used here."""

    def result(self) -> Any: ...


# --- Asking -----------------------------------------------------------------------------


def request_approval(
    callback_id: str,
    title: str,
    *,
    url: str | None = None,
    source: str | None = None,
    secret: str | None = None,
    timeout_seconds: int | None = None,
    heartbeat_timeout_seconds: int | None = None,
    budget_seconds: float = 20.0,
    **fields: object,
) -> Submitted:
    """Put CALLBACK_ID before people as TITLE; return once the portal has written it down.

    URL, SOURCE and SECRET default to COUNTERSIGN_URL, COUNTERSIGN_SOURCE and
    COUNTERSIGN_SECRET. The two timeouts are those of the CallbackConfig. FIELDS are the
    portal's other fields (summary, payload, kind, risk, ...); those that are None are
    left out. Server errors, 429 and network faults are tried again for BUDGET_SECONDS.

    Raises ApprovalRefused, ApprovalUnavailable, or ValueError for unusable settings.
    """
    address = _address(_setting("COUNTERSIGN_URL", url), _setting("COUNTERSIGN_SOURCE", source))
    key = _signing_key(_setting("COUNTERSIGN_SECRET", secret))
    named = {
        "callback_id": callback_id,
        "title": title,
        "timeout_seconds": timeout_seconds,
        "heartbeat_timeout_seconds": heartbeat_timeout_seconds,
    }
    content = {name: value for name, value in {**named, **fields}.items() if value is not None}
    body = _canonical_json(content)
    message_id = f"cb_{_hashed(callback_id)}"
    status, answered = _until_answered(address, body, message_id, key, monotonic() + budget_seconds)
    return _submitted(status, answered)


def questions(
    request_id: str,
    *,
    url: str | None = None,
    source: str | None = None,
    secret: str | None = None,
    budget_seconds: float = 20.0,
) -> list[Question]:
    """What reviewers have asked about the request REQUEST_ID, oldest first.

    For sources without an address for questions. Settings and errors are those of
    `request_approval`.
    """
    address = _address(_setting("COUNTERSIGN_URL", url), _setting("COUNTERSIGN_SOURCE", source))
    key = _signing_key(_setting("COUNTERSIGN_SECRET", secret))
    address = f"{address}/{quote(request_id, safe='')}"
    end = monotonic() + budget_seconds
    status, answered = _until_answered(address, None, f"look_{_hashed(request_id)}", key, end)
    return _questions(status, answered)


def answer(
    request_id: str,
    question_id: str,
    text: str,
    *,
    answered_by: str | None = None,
    url: str | None = None,
    source: str | None = None,
    secret: str | None = None,
    budget_seconds: float = 20.0,
) -> None:
    """Answer a reviewer's question; its reviewers read TEXT at once.

    The same answer twice is one, also after the request was closed; another answer to the
    same question is refused (ApprovalRefused, 409). ANSWERED_BY: who says so, for people to
    read. Settings and errors are those of `request_approval`.
    """
    address = _address(_setting("COUNTERSIGN_URL", url), _setting("COUNTERSIGN_SOURCE", source))
    key = _signing_key(_setting("COUNTERSIGN_SECRET", secret))
    said = {"id": question_id, "text": text, "answered_by": answered_by}
    body = _canonical_json({name: value for name, value in said.items() if value is not None})
    address = f"{address}/{quote(request_id, safe='')}/answers"
    end = monotonic() + budget_seconds
    _until_answered(address, body, f"answer_{_hashed(question_id)}", key, end)


def payload_sha256(payload: object) -> str:
    """The hash by which the portal, its reviewers and the outcome name PAYLOAD."""
    return hashlib.sha256(_canonical_json(payload)).hexdigest()


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical_json(value: object) -> bytes:
    """Sorted keys, no blanks, UTF-8. Read back once, so that keys are sorted as text."""
    plain = json.loads(json.dumps(value, allow_nan=False))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _setting(name: str, given: str | None) -> str:
    value = given or os.environ.get(name)
    if not value:
        raise ValueError(f"{name} is not set: set it, or pass the argument.")
    return value.strip()


def _address(url: str, source: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not _is_local(url):
        raise ValueError("COUNTERSIGN_URL must be an https address; http only on this machine.")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("COUNTERSIGN_URL must look like https://approvals.example.com")
    return f"{url.rstrip('/')}/api/v1/sources/{quote(source, safe='')}/requests"


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def _signing_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("COUNTERSIGN_SECRET must be whsec_ and base64, as the portal shows it.")
    return key


def _signed_headers(body: bytes, message_id: str, key: bytes, timestamp: int) -> dict[str, str]:
    """Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"countersign-python/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


class _BusyError(Exception):
    """This attempt failed and another may work, not before RETRY_AFTER seconds."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def _until_answered(
    address: str, body: bytes | None, message_id: str, key: bytes, deadline: float
) -> tuple[int, bytes]:
    """Attempts with the same bytes and a fresh timestamp, full jitter between them.

    Without a BODY it is a GET, signed over none. The status is 200 or 201.
    """
    attempt, method = 0, "GET" if body is None else "POST"
    while True:
        headers = _signed_headers(body or b"", message_id, key, int(time()))
        request = Request(address, body, headers, method=method)  # noqa: S310  # nosec B310
        try:
            return _once(request, deadline)
        except _BusyError as busy:
            backoff = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempt)
            attempt += 1
            pause = busy.retry_after + random.uniform(0, backoff)  # noqa: S311  # nosec B311
            if monotonic() + pause >= deadline:
                message = f"The portal took no answer in {attempt} attempts. Last: {busy}"
                raise ApprovalUnavailable(message) from busy.__cause__
            sleep(pause)


def _once(request: Request, deadline: float) -> tuple[int, bytes]:
    try:
        status, headers, body = _exchange(request, deadline)
    except (OSError, HTTPException) as error:  # URLError and TimeoutError are OSErrors
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise ApprovalUnavailable("The portal's certificate is not trusted here.") from error
        raise _BusyError(f"{type(reason).__name__}: {reason}") from error
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _BusyError(f"it answered {status}.", _retry_after(headers.get("Retry-After")))
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):
        return status, body
    raise _refusal(status, body)


class _AsAnswered(HTTPErrorProcessor):
    """Every status is an answer: none is raised, and no redirect is followed.

    A signed request goes where its sender aimed it, or nowhere.
    """

    def http_response(self, _request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    def https_response(self, _request: Request, response: HTTPResponse) -> HTTPResponse:
        return response


def _exchange(request: Request, deadline: float) -> tuple[int, Message, bytes]:
    handlers = [_AsAnswered(), *([ProxyHandler({})] if _is_local(request.full_url) else [])]
    patience = max(0.1, min(ATTEMPT_SECONDS, deadline - monotonic()))
    with build_opener(*handlers).open(request, timeout=patience) as response:
        return response.status, response.headers, _read(response, deadline)


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """The whole body, unless it is cut short, too long, or comes too slowly."""
    body = b""
    missing = response.length
    while part := response.read1(65536):
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise _not_the_portal(response.status)
        if monotonic() >= deadline:
            raise TimeoutError("the answer came too slowly")
    if missing is not None and len(body) < missing:
        raise ConnectionError("the answer was cut short")
    return body


def _retry_after(value: str | None) -> float:
    """Seconds to wait, from seconds or an HTTP date; 0 where it says nothing usable."""
    if value is None:
        return 0.0
    if re.fullmatch(r"[0-9]{1,6}", value.strip()):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return 0.0


def _refusal(status: int, body: bytes) -> ApprovalRefused:
    problem = _object(body)
    if not isinstance(problem.get("title"), str):
        return _not_the_portal(status)
    errors = problem.get("errors")
    fields = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    return ApprovalRefused(status, problem["title"], str(problem.get("detail", "")), fields)


def _submitted(status: int, body: bytes) -> Submitted:
    answer = _object(body)
    texts = all(isinstance(answer.get(n), str) for n in ("id", "url", "state", "payload_sha256"))
    if not texts or not isinstance(answer.get("warnings"), list):
        raise _not_the_portal(status)
    return cast(Submitted, {name: answer.get(name) for name in Submitted.__annotations__})


def _questions(status: int, body: bytes) -> list[Question]:
    asked = _object(body).get("questions")
    if not isinstance(asked, list):
        raise _not_the_portal(status)
    for each in asked:
        if not isinstance(each, dict) or not all(
            isinstance(each.get(name), str) for name in ("id", "text")
        ):
            raise _not_the_portal(status)
    return [
        cast(Question, {name: each.get(name) for name in Question.__annotations__})
        for each in asked
    ]


def _not_the_portal(status: int) -> ApprovalRefused:
    detail = "The answer is not Countersign's. Check that COUNTERSIGN_URL is the portal's address."
    return ApprovalRefused(status, "Unexpected answer", detail)


def _object(text: object) -> dict[str, Any]:
    """The JSON object in TEXT, or an empty one."""
    try:
        document = json.loads(text) if isinstance(text, str | bytes) else None
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


# --- Hearing the outcome ----------------------------------------------------------------


def await_outcome(
    callback: Callback, *, expect_payload_sha256: str | None = None, editable: bool = False
) -> Outcome:
    """Wait for CALLBACK and return how it ended, whether it succeeded, failed or timed out.

    EDITABLE says that you act on `outcome.payload(sent)`; then an approval of the expected
    payload may have been edited. Errors that are no outcome (a failed submitter, say) are
    raised on. MalformedOutcome where the answer is not the portal's, or is about another
    payload than expected.
    """
    try:
        result = callback.result()
    except Exception as error:  # the SDK's suspension is a BaseException and passes through
        outcome = outcome_from_error(error, expect_payload_sha256=expect_payload_sha256)
        if outcome is None:
            raise
        return outcome
    return outcome_of(result, expect_payload_sha256=expect_payload_sha256, editable=editable)


def outcome_of(
    result: str | Mapping[str, Any] | None,
    *,
    expect_payload_sha256: str | None = None,
    editable: bool = False,
) -> Outcome:
    """Read a callback's result: JSON text, or the same already parsed by a serdes.

    Not for requests with `approve_with`, whose result is that string and nothing else.
    EXPECT_PAYLOAD_SHA256 and EDITABLE as in `await_outcome`.
    """
    outcome = _outcome(dict(result) if isinstance(result, Mapping) else _object(result))
    about = outcome.payload_sha256 if editable else outcome.approved_sha256
    if expect_payload_sha256 not in (None, about):
        raise MalformedOutcome("The outcome is about another payload than the one expected.")
    return outcome


def outcome_from_error(
    error: BaseException, *, expect_payload_sha256: str | None = None
) -> Outcome | None:
    """Read the outcome that a CallbackError carries; None where ERROR is something else.

    A timeout at Lambda is `expired` by the clock, with no document. Classes are known by
    name, so that the SDK need not be importable here.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if "CallbackError" not in names or "CallbackSubmitterError" in names:
        return None
    text = getattr(error, "data", None)
    if "CallbackTimeoutError" in names:
        return _timed_out(str(error))
    if text is None and "CallbackExternalError" not in names:
        return None  # the SDK's own failure
    outcome = outcome_of(text, expect_payload_sha256=expect_payload_sha256)
    if outcome.approved:
        raise MalformedOutcome("A failed callback cannot carry an approval.") from error
    return outcome


def _timed_out(message: str) -> Outcome:
    return Outcome("expired", None, None, (), None, message, {}, None, "clock", {})


def _outcome(document: dict[str, Any]) -> Outcome:
    if document.get("outcome") not in get_args(Kind):
        raise MalformedOutcome("The answer names no outcome, so it is not Countersign's.")
    decided_at = _text(document, "decided_at")
    outcome = Outcome(
        kind=document["outcome"],
        request_id=_text(document, "request_id"),
        decision_id=_text(document, "decision_id"),
        decided_by=tuple(_typed(document, "decided_by", list) or ()),
        decided_at=_moment(decided_at) if decided_at else None,
        comment=_text(document, "comment") or "",
        values=_typed(document, "values", dict) or {},
        payload_sha256=_text(document, "payload_sha256"),
        cause=_text(document, "cause") or "person",
        raw=document,
        edits=_typed(document, "edits", dict) or {},
        final_payload=_typed(document, "final_payload", dict),
        final_payload_sha256=_text(document, "final_payload_sha256"),
    )
    _refuse_half_an_approval(outcome)
    return outcome


def _refuse_half_an_approval(outcome: Outcome) -> None:
    """A rejection may lack a field; an approval says what was decided, when and by whom."""
    known = (outcome.request_id, outcome.decision_id, outcome.decided_at, outcome.payload_sha256)
    nobody = outcome.cause == "person" and not outcome.decided_by
    nobody = nobody or not all(isinstance(name, str) and name for name in outcome.decided_by)
    if outcome.approved and (nobody or not all(known)):
        raise MalformedOutcome("The approval does not say who decided what, and when.")
    edited = bool(outcome.edits), outcome.final_payload is not None, outcome.final_payload_sha256
    if any(edited) and not all(edited):
        raise MalformedOutcome("The approval was edited, and does not say to what.")


def _typed(document: dict[str, Any], name: str, kind: type[T]) -> T | None:
    value = document.get(name)
    if value is not None and not isinstance(value, kind):
        raise MalformedOutcome(f"{name} is not a {JSON_NAMES[kind]}.")
    return value


def _text(document: dict[str, Any], name: str) -> str | None:
    return _typed(document, name, str)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedOutcome("decided_at must be an ISO 8601 time.") from error
    if moment.tzinfo is None:
        raise MalformedOutcome("decided_at must carry its zone.")
    return moment
