"""What an HTTP answer says before and beside botocore's own reading of it.

botocore takes any 2xx for success, whole or cut, Lambda's or a stranger's; it trips
over bodies that are no JSON objects; and it drops the `Type` in which the local
runner names its errors. Pure: dictionaries in, an Answer or a refusal out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_noop

from approvals.callbacks import replies
from approvals.callbacks.gateway import Answer


class UnreadableError(Exception):
    """An HTTP answer whose body is not the JSON object the API always sends.

    Above all a 200 from something that is not Lambda (a captive portal, a proxy's
    page), or one cut short: neither may count as "AWS took it".
    """

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers

    def meaning(self) -> Answer:
        if self.status < HTTPStatus.MULTIPLE_CHOICES:
            sentence = gettext_noop("The answer is cut short or not Lambda's.")
            return replies.unknown(f"HTTP {self.status}", sentence)
        code = self.headers.get("x-amzn-errortype", "").split(":")[0]
        return replies.meaning(code, self.status, retry_after=replies.pause(self.headers))


def inspect(
    response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """botocore's `before-parse` hook: keep the runner's `Type`, stop what is no answer.

    Raises:
        UnreadableError: the body is not one whole JSON object (an empty body counts
            as one), or the status is a success other than the API's 200.
    """
    status, headers = response_dict["status_code"], response_dict["headers"]
    body = response_dict["body"]
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or _is_cut(headers, body) or _is_strange(status):
        raise UnreadableError(status, headers)
    customized_response_dict["WireType"] = str(parsed.get("Type", ""))


def _is_strange(status: int) -> bool:
    return HTTPStatus.OK < status < HTTPStatus.MULTIPLE_CHOICES


def _is_cut(headers: Mapping[str, str], body: bytes) -> bool:
    # urllib3 could tell, but botocore switches its check off.
    length = headers.get("content-length", "")
    return length.isdecimal() and len(body) != int(length)


def error_meaning(response: Mapping[str, Any]) -> Answer:
    """The Answer to a ClientError's RESPONSE, in AWS's form or the local runner's."""
    metadata = response["ResponseMetadata"]
    status = int(metadata["HTTPStatusCode"])
    wait = replies.pause(metadata.get("HTTPHeaders", {}))
    code = str(response["Error"].get("Code", ""))
    if code != str(status):
        return replies.meaning(code, status, retry_after=wait)
    # No header named the error, so botocore put the status in its place: the runner.
    wire_type = str(response.get("WireType", ""))
    if wire_type == "ResourceNotFoundException":
        return replies.runner_meaning(str(response["Error"].get("Message", "")))
    return replies.meaning(wire_type, status, retry_after=wait)
