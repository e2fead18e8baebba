"""The kinds of value a posted field may hold, each with its limits and its advice.

Every refusal says what to mend, in words; pydantic's own are in `complaints`.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

#: What AWS takes for a timeout, in seconds (CallbackConfig).
MAX_SECONDS = 99_999_999
#: What AWS took for a result before 2026, and safely takes now.
MAX_ANSWER_BYTES = 256 * 1024

_EXECUTION_ARN = re.compile(
    # As the Lambda API model has it (DurableExecutionArn).
    r"arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+)"
    r":(\$LATEST(?:\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)",
    re.ASCII,
)
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LOCAL_EXECUTION = re.compile(f"{_UUID}/{_UUID}")
_CALLBACK_ID = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
#: Control characters and what breaks a line or a paragraph (Cc, Zl, Zp).
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSAFE_IN_URL = re.compile(r"[\s\\<>\"\x00-\x1f\x7f-\x9f]")


def is_local_execution(arn: str) -> bool:
    """Whether ARN is how AWS's local runner names an execution (`uuid/uuid`)."""
    return _LOCAL_EXECUTION.fullmatch(arn) is not None


def _one_line(text: str) -> str:
    if _NOT_IN_A_LINE.search(text):
        raise ValueError("Write one line, without control characters.")
    if not text.strip():
        raise ValueError("Write something besides spaces.")
    return text


def _callback_id(text: str) -> str:
    if not _CALLBACK_ID.fullmatch(text):
        raise ValueError("Send the callback ID exactly as AWS made it: base64 characters only.")
    return text


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ValueError("Write a slug: lower-case letters and digits, joined by - or _.")
    return text


def _execution_arn(text: str) -> str:
    if not (_EXECUTION_ARN.fullmatch(text) or is_local_execution(text)):
        raise ValueError(
            "Send the durable execution ARN: arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION"
            "/durable-execution/NAME/ID."
        )
    return text


def _https_url(text: str) -> str:
    refusal = ValueError("Write an https:// address with a host, without a user name or spaces.")
    try:
        parts = urlsplit(text)
        safe = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise refusal from error
    if not safe or parts.scheme != "https" or "@" in parts.netloc or _UNSAFE_IN_URL.search(text):
        raise refusal
    return text


def _answer(text: str) -> str:
    if len(text.encode()) > MAX_ANSWER_BYTES:
        raise ValueError(f"Shorten this to at most {MAX_ANSWER_BYTES} bytes of UTF-8.")
    return text


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("Write a number.")
    return value


def _scalar(value: object) -> object:
    if isinstance(value, str | bool | None):
        return value
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("Write a string, a number, true, false or null.")
    return value


CallbackId = Annotated[
    str,
    Field(min_length=1, max_length=1024, json_schema_extra={"pattern": "^[A-Za-z0-9+/]+={0,2}$"}),
    AfterValidator(_callback_id),
]
Slug = Annotated[str, Field(min_length=1, max_length=63), AfterValidator(_slug)]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_one_line)]
Sentence = Annotated[str, Field(min_length=1, max_length=500)]
Markdown = Annotated[str, Field(max_length=10_000)]
Seconds = Annotated[int, Field(ge=0, le=MAX_SECONDS)]
SecondsAhead = Annotated[int, Field(ge=1, le=MAX_SECONDS)]
ExecutionArn = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_execution_arn)]
HttpsUrl = Annotated[
    str,
    Field(min_length=1, max_length=2048, json_schema_extra={"format": "uri"}),
    AfterValidator(_https_url),
]
Answer = Annotated[str, Field(min_length=1), AfterValidator(_answer)]
Pointer = Annotated[str, Field(max_length=500)]
Payload: TypeAlias = dict[str, Any]
Number = Annotated[float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Scalar = Annotated[
    str | float | bool | None,
    PlainValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]
