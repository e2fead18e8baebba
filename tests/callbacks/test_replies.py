"""The whole table of error words, as one may read it in the documentation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.callbacks import replies
from approvals.callbacks.gateway import Answer
from approvals.states import Reply

A_CALLBACK_ID = "eyJhcm4iOiJ1dWlkL3V1aWQiLCJvcCI6IjEifQ=="


@pytest.mark.parametrize(
    ("code", "status", "reply", "unknown"),
    [
        ("CallbackTimeoutException", 400, Reply.CLOSED, False),
        ("CallbackTimeoutException", 408, Reply.CLOSED, False),
        ("ResourceNotFoundException", 404, Reply.CLOSED, False),
        ("InvalidParameterValueException", 400, Reply.REFUSED, False),
        ("RequestTooLargeException", 413, Reply.REFUSED, False),
        ("", 413, Reply.REFUSED, False),
        ("TooManyRequestsException", 429, Reply.UNAVAILABLE, False),
        ("ThrottlingException", 400, Reply.UNAVAILABLE, False),
        ("", 429, Reply.UNAVAILABLE, False),
        ("ServiceException", 500, Reply.UNAVAILABLE, True),
        ("InternalFailure", 501, Reply.UNAVAILABLE, True),
        ("", 502, Reply.UNAVAILABLE, True),
        ("", 503, Reply.UNAVAILABLE, True),
        ("", 504, Reply.UNAVAILABLE, True),
        ("KMSAccessDeniedException", 502, Reply.UNAVAILABLE, False),
        ("KMSDisabledException", 502, Reply.UNAVAILABLE, False),
        ("KMSInvalidStateException", 502, Reply.UNAVAILABLE, False),
        ("KMSNotFoundException", 502, Reply.UNAVAILABLE, False),
        ("AccessDeniedException", 403, Reply.UNAVAILABLE, False),
        ("ExpiredTokenException", 403, Reply.UNAVAILABLE, False),
        ("UnrecognizedClientException", 403, Reply.UNAVAILABLE, False),
        ("InvalidSignatureException", 403, Reply.UNAVAILABLE, False),
        ("SomethingNewException", 403, Reply.UNAVAILABLE, False),
        ("SomethingNewException", 400, Reply.UNAVAILABLE, False),
        ("UnknownOperationException", 404, Reply.UNAVAILABLE, False),
        ("", 404, Reply.UNAVAILABLE, False),
        ("", 302, Reply.UNAVAILABLE, False),
    ],
)
def test_every_error_word_has_one_meaning(
    code: str, status: int, reply: Reply, unknown: bool
) -> None:
    answer = replies.meaning(code, status)

    assert (answer.reply, answer.applied_unknown) == (reply, unknown)
    assert answer.detail.startswith(f"{code or f'HTTP {status}'}: ")
    assert len(answer.detail) <= 200


@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDeniedException", 403), ("KMSDisabledException", 502), ("", 302), ("", 404)],
)
def test_what_people_must_mend_says_so(code: str, status: int) -> None:
    assert replies.meaning(code, status).needs_mending


@pytest.mark.parametrize(("code", "status"), [("TooManyRequestsException", 429), ("", 500)])
def test_what_passes_by_itself_asks_nobody(code: str, status: int) -> None:
    assert not replies.meaning(code, status).needs_mending


@pytest.mark.parametrize(
    ("message", "reply", "unknown"),
    [
        ("Failed to process callback success: Durable Execution does not exist", "closed", False),
        (f"…: Callback operation [{A_CALLBACK_ID}] is not in STARTED state", "closed", False),
        (f"…: Callback {A_CALLBACK_ID} is not active", "closed", False),
        (f"…: Callback operation with callback_id [{A_CALLBACK_ID}] not found", "closed", False),
        ("Failed to process callback success: Incorrect padding", "refused", False),
        ("…: Invalid base64-encoded string: number of data characters (1025)", "refused", False),
        ("…: 'utf-8' codec can't decode byte 0xff in position 0", "refused", False),
        ("…: Expecting value: line 1 column 1 (char 0)", "refused", False),
        ("Failed to process callback failure: 'arn'", "refused", False),
        ("Failed to process callback success: database is locked", "unavailable", True),
        ("", "unavailable", True),
    ],
)
def test_the_local_runner_is_understood_by_its_message(
    message: str, reply: str, unknown: bool
) -> None:
    answer = replies.runner_meaning(message)

    assert (answer.reply, answer.applied_unknown) == (reply, unknown)
    assert A_CALLBACK_ID not in answer.detail


def test_not_found_is_told_from_closed_and_says_where_to_look() -> None:
    answer = replies.meaning("ResourceNotFoundException", 404)

    assert answer.not_found
    assert answer.detail.endswith("Check the source's region, account and endpoint.")
    assert not replies.meaning("CallbackTimeoutException", 400).not_found


@pytest.mark.parametrize(
    ("message", "not_found"),
    [
        ("Failed to process callback heartbeat: Durable Execution does not exist", True),
        (f"…: Callback operation with callback_id [{A_CALLBACK_ID}] not found", True),
        (f"…: Callback operation [{A_CALLBACK_ID}] is not in STARTED state", False),
        (f"…: Callback {A_CALLBACK_ID} is not active", False),
    ],
)
def test_the_local_runner_s_not_found_is_told_from_its_closed(
    message: str, not_found: bool
) -> None:
    assert replies.runner_meaning(message).not_found is not_found


def test_a_callback_id_in_place_of_a_code_is_not_shown() -> None:
    assert replies.meaning(A_CALLBACK_ID, 400).detail.startswith("HTTP 400: ")
    assert replies.misconfigured(A_CALLBACK_ID, "…").detail == "Error: …"


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("999999999", replies.LONGEST_PAUSE),
        ("-1", None),
        ("1.5", None),
        ("Fri, 20 Nov 2026 12:00:00 GMT", None),
        ("٧", None),
        ("", None),
    ],
)
def test_only_whole_seconds_of_retry_after_are_heard(value: str, wait: timedelta | None) -> None:
    assert replies.pause({"retry-after": value}) == wait


@pytest.mark.parametrize(
    ("answer", "unreachable"),
    [
        (replies.meaning("ExpiredTokenException", 403), True),
        (replies.meaning("InvalidSignatureException", 403), True),
        (replies.misconfigured("AccessDenied", "The role cannot be assumed."), True),
        (replies.meaning("", 302), True),
        (replies.without_answer(["EndpointConnectionError"]), True),
        (replies.without_answer(["ReadTimeoutError", "HTTPClientError"]), True),
        (replies.without_answer(["NoCredentialsError"]), True),
        (replies.meaning("AccessDeniedException", 403), False),
        (replies.meaning("AccessDenied", 403), False),
        (replies.meaning("", 401), False),
        (replies.meaning("", 403), False),
        (replies.meaning("KMSDisabledException", 502), False),
        (replies.meaning("TooManyRequestsException", 429), False),
        (replies.meaning("ServiceException", 500), False),
        (replies.meaning("", 503), False),
        (replies.meaning("ResourceNotFoundException", 404), False),
        (replies.without_answer(["ParamValidationError"]), False),
        (replies.sealed_elsewhere(), False),
    ],
)
def test_only_what_stops_every_call_of_a_source_makes_it_unreachable(
    answer: Answer, unreachable: bool
) -> None:
    assert answer.unreachable is unreachable
