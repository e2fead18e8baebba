"""What AWS's words mean for a callback: from error code and status to one Answer.

Pure, and the only place that decides it. The codes are those of the Lambda API
reference for SendDurableExecutionCallback{Success,Failure,Heartbeat} and
GetDurableExecution, and AWS's common errors. What is not listed may pass one day and
is tried again: only a known final word ends a delivery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from django.utils.translation import gettext_noop

from approvals.callbacks.gateway import Answer
from approvals.states import Reply

#: AWS's wish to wait is heard up to this long, so that a broken clock at the other
#: end cannot put a delivery off for days.
LONGEST_PAUSE = timedelta(minutes=5)

_CLOSED = {
    "CallbackTimeoutException": gettext_noop("AWS no longer waits: expired, or answered before.")
}
_NOT_FOUND = {
    "ResourceNotFoundException": (
        gettext_noop(
            "AWS does not know it, or no longer. Check the source's region, account and endpoint."
        )
    )
}
_REFUSED = {
    "InvalidParameterValueException": gettext_noop(
        "AWS cannot read the ID or the answer it was sent."
    ),
    "RequestTooLargeException": gettext_noop("The answer is larger than AWS takes."),
    "RequestEntityTooLargeException": gettext_noop("The answer is larger than AWS takes."),
}
_THROTTLED = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded"}
)
_DENIED = gettext_noop(
    "AWS denies the portal this call. Allow it for the function in the role's policy."
)
_EXPIRED = gettext_noop("The portal's AWS credentials have expired. Renew them.")
_UNKNOWN_KEYS = gettext_noop(
    "AWS does not accept the portal's credentials. Check the keys and the clock."
)
_SLOWER = gettext_noop("AWS asks the portal to slow down. It is tried again.")
_TOO_LARGE = gettext_noop("The answer is larger than AWS takes.")
_MALFORMED = gettext_noop("boto3 finds the call malformed.")
_UNKNOWN_OUTCOME = gettext_noop("Whether it took the call is unknown; it is tried again.")
_KMS = gettext_noop("AWS cannot use the function's KMS key. Check the key and who may use it.")
# Declared with 502, but refusals before anything is changed.
_KMS_ERRORS = frozenset(
    {
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
    }
)
_DENIALS = frozenset({"AccessDeniedException", "AccessDenied"})
# Of one function's calls: each has rights and a key of its own, and the source's other
# functions go on.
_OF_ONE_FUNCTION = _KMS_ERRORS | _DENIALS
_CONFIGURATION = {
    **dict.fromkeys(_KMS_ERRORS, _KMS),
    **dict.fromkeys(_DENIALS, _DENIED),
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "UnrecognizedClientException": _UNKNOWN_KEYS,
    "InvalidClientTokenId": _UNKNOWN_KEYS,
    "InvalidSignatureException": _UNKNOWN_KEYS,
    "SignatureDoesNotMatch": _UNKNOWN_KEYS,
    "IncompleteSignature": _UNKNOWN_KEYS,
    "MissingAuthenticationTokenException": _UNKNOWN_KEYS,
    "MissingAuthenticationToken": _UNKNOWN_KEYS,
}
# botocore's classes, by name: what never left this machine.
_NOT_SENT = {
    "EndpointConnectionError": gettext_noop("AWS could not be reached. It is tried again."),
    "ConnectTimeoutError": gettext_noop("AWS could not be reached in time. It is tried again."),
}
_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "MetadataRetrievalError",
        "TokenRetrievalError",
        "SSOError",
        "LoginError",
        "ProfileNotFound",
    }
)

# The local runner answers 404 ResourceNotFoundException, without AWS's error header,
# to whatever goes wrong, and only its message tells what. Each mark holds a space or a
# quote, so no callback ID that the message repeats can pass for one.
_RUNNER_CLOSED = (" is not in STARTED state", " is not active")
_RUNNER_NOT_FOUND = (" does not exist", "] not found")
_RUNNER_MALFORMED = (
    "Incorrect padding",
    "Invalid base64-encoded string",
    "codec can't decode",  # the ID, or a result that is not UTF-8: neither ever changes
    "Expecting value",
    "Expecting property name",
    "Extra data: line",
    "failure: 'arn'",
    "success: 'arn'",
    "heartbeat: 'arn'",
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,59}")
_NAME = re.compile(r"[A-Za-z0-9 ]{1,60}")


def meaning(code: str, status: int, *, retry_after: timedelta | None = None) -> Answer:
    """The Answer to an error that AWS named CODE with HTTP STATUS.

    CODE is "" where the answer named none; STATUS is from 300 up.
    """
    if code in _CLOSED:
        return Answer(Reply.CLOSED, f"{code}: {_CLOSED[code]}")
    if code in _NOT_FOUND:
        return Answer(Reply.CLOSED, f"{code}: {_NOT_FOUND[code]}", not_found=True)
    if code in _REFUSED:
        return Answer(Reply.REFUSED, f"{code}: {_REFUSED[code]}")
    if code in _CONFIGURATION:
        alone = code in _OF_ONE_FUNCTION
        return replace(
            misconfigured(code, _CONFIGURATION[code], unreachable=not alone), of_one_function=alone
        )
    name = code if _CODE.fullmatch(code) else f"HTTP {status}"
    if code in _THROTTLED or status == HTTPStatus.TOO_MANY_REQUESTS:
        detail = f"{name}: {_SLOWER}"
        return Answer(Reply.UNAVAILABLE, detail, retry_after=retry_after)
    return _by_status(name, status, retry_after)


def _by_status(name: str, status: int, retry_after: timedelta | None) -> Answer:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unknown(name, gettext_noop("AWS had an error of its own."), retry_after=retry_after)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Answer(
            Reply.REFUSED,
            f"{name}: {_TOO_LARGE}",
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return misconfigured(name, _DENIED, unreachable=False)
    if status < HTTPStatus.BAD_REQUEST:
        return misconfigured(
            name, gettext_noop("The endpoint sends elsewhere. Give its own address.")
        )
    return misconfigured(
        name, gettext_noop("The endpoint refuses this call. Check the source's endpoint.")
    )


def runner_meaning(message: str) -> Answer:
    """The Answer to a ResourceNotFoundException of the local runner.

    It is told in AWS's own words: a callback closed before is AWS's
    CallbackTimeoutException, a malformed ID its InvalidParameterValueException.
    An unfamiliar message may come from after the callback was completed, so whether
    the call was applied is then unknown.
    """
    if any(mark in message for mark in _RUNNER_CLOSED):
        return meaning("CallbackTimeoutException", 400)
    if any(mark in message for mark in _RUNNER_NOT_FOUND):
        return meaning("ResourceNotFoundException", 404)
    if any(mark in message for mark in _RUNNER_MALFORMED):
        return meaning("InvalidParameterValueException", 400)
    return unknown("ResourceNotFoundException", gettext_noop("The local runner failed."))


def without_answer(kinds: Sequence[str]) -> Answer:
    """The Answer where no HTTP answer came: KINDS are the error's class and its bases.

    Only what certainly stopped before anything was sent is known not to be applied.
    """
    for kind in kinds:
        if kind in _NOT_SENT:
            return Answer(Reply.UNAVAILABLE, f"{kind}: {_NOT_SENT[kind]}", unreachable=True)
        if kind in _NO_CREDENTIALS:
            return misconfigured(kind, gettext_noop("The portal finds no AWS credentials to use."))
    if "ParamValidationError" in kinds:
        return Answer(
            Reply.REFUSED,
            f"ParamValidationError: {_MALFORMED}",
        )
    return replace(unknown(kinds[0], gettext_noop("No whole answer came back.")), unreachable=True)


def misconfigured(name: str, sentence: str, *, unreachable: bool = True) -> Answer:
    """Not applied, and somebody has to mend something: tried again, never given up.

    UNREACHABLE: for the source's other calls too, not for this one alone.
    """
    safe = name if _NAME.fullmatch(name) else "Error"
    return Answer(
        Reply.UNAVAILABLE, f"{safe}: {sentence}", needs_mending=True, unreachable=unreachable
    )


def sealed_elsewhere() -> Answer:
    """Nothing was sent: what was to be said does not open with the portal's keys."""
    sentence = gettext_noop("FIELD_KEYS lacks the key this was sealed with.")
    return misconfigured("SealBroken", sentence, unreachable=False)


def unknown(name: str, sentence: str, *, retry_after: timedelta | None = None) -> Answer:
    """The call left and no readable answer came back: it may have been applied."""
    detail = f"{name}: {sentence} {_UNKNOWN_OUTCOME}"
    return Answer(Reply.UNAVAILABLE, detail, applied_unknown=True, retry_after=retry_after)


def pause(headers: Mapping[str, str]) -> timedelta | None:
    """The wait that a Retry-After header in whole seconds asks for; a date is ignored."""
    seconds = headers.get("retry-after", "").strip()
    if not re.fullmatch(r"[0-9]{1,9}", seconds):
        return None
    return min(timedelta(seconds=int(seconds)), LONGEST_PAUSE)
