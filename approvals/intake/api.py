"""The door for durable functions: open, follow and withdraw a request.

In this order, and nothing is skipped: envelope, source, signature over the raw bytes,
JSON, schema, the right to speak for the function, the desk. The answer goes out after
the commit.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from approvals import lifecycle, problems
from approvals.errors import AlreadyClosed, ForeignFunction, InvalidFields
from approvals.intake.answers import FollowAnswer, OpenAnswer, opened
from approvals.intake.envelope import Unacceptable, check_envelope, check_length
from approvals.intake.functions import check_function
from approvals.intake.openapi import described
from approvals.intake.reading import new_request, read
from approvals.intake.schemas import AnswerBody, RequestBody, WithdrawalBody
from approvals.intake.signature import UntrustedMessage
from approvals.intake.sources import Sender, authenticate
from approvals.lifecycle import NewRequest
from approvals.lifecycle.desk import closing_sentence
from approvals.models import ApprovalRequest
from approvals.states import Withdrawal
from approvals.strict_json import MalformedJson, parse_json

log = structlog.get_logger(__name__)
router = Router(tags=["Sources"])

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@router.post(
    "/{source}/requests",
    response={201: OpenAnswer, 200: OpenAnswer},
    summary="Open a request",
    openapi_extra=described(RequestBody, 400, 401, 403, 409, 411, 413, 415, 422),
    url_name="source-requests",
)
def open_request(request: HttpRequest, source: str) -> HttpResponse:
    """Put a callback ID before its reviewers.

    201 opened; 200 the same callback ID with the same content was opened before; 409 it
    was opened with other content.
    """
    sender, body = _receive(request, source)
    new = new_request(parse_json(body))
    _check_function(sender, new)
    received = lifecycle.receive(sender.source, new, sent_at=sender.signed_at)
    structlog.contextvars.bind_contextvars(public_id=str(received.request.public_id))
    return opened(
        received.request,
        received.warnings,
        status=201 if received.created else 200,
        location=f"{settings.BASE_URL}{request.path}/{received.request.public_id}",
    )


@router.get(
    "/{source}/requests",
    response=FollowAnswer,
    summary="Find a request by its callback ID",
    openapi_extra=described(None, 401, 404, 413, 422),
    url_name="source-requests",
)
def find_request(request: HttpRequest, source: str, callback_sha256: str = "") -> FollowAnswer:
    """How the request for a callback ID stands; `callback_sha256` is its SHA-256 in hex."""
    sender, _ = _receive(request, source)
    if not _SHA256.fullmatch(callback_sha256):
        raise InvalidFields(
            {"callback_sha256": "Add the SHA-256 of the callback ID, 64 hex digits."}
        )
    return FollowAnswer.of(_own(sender, callback_sha256=callback_sha256.lower()))


@router.get(
    "/{source}/requests/{uuid:request_id}",
    response=FollowAnswer,
    summary="Follow a request",
    openapi_extra=described(None, 401, 404, 413),
    url_name="source-request",
)
def follow_request(request: HttpRequest, source: str, request_id: UUID) -> FollowAnswer:
    """How a request stands: its state, its decisions, and how far the answer has come."""
    sender, _ = _receive(request, source)
    return FollowAnswer.of(_own(sender, public_id=request_id))


@router.post(
    "/{source}/requests/{uuid:request_id}/withdraw",
    response=FollowAnswer,
    summary="Withdraw a request",
    openapi_extra=described(WithdrawalBody, 400, 401, 404, 409, 411, 413, 415, 422),
    url_name="source-request-withdraw",
)
def withdraw_request(request: HttpRequest, source: str, request_id: UUID) -> FollowAnswer:
    """Take a pending request back; AWS is told that the callback failed.

    Withdrawing twice is answered like once; 409 when it was decided before.
    """
    sender, body = _receive(request, source)
    posted = read(WithdrawalBody, parse_json(body))
    if posted.id != request_id:
        raise InvalidFields({"id": "Repeat the id of the address: a signature covers only this."})
    row = _own(sender, public_id=request_id)
    withdrawn = lifecycle.withdraw(row.pk, why=Withdrawal.SOURCE, reason=posted.reason)
    row = _own(sender, public_id=request_id)
    if not withdrawn and row.withdrawal != Withdrawal.SOURCE:
        raise AlreadyClosed(closing_sentence(row))
    return FollowAnswer.of(row)


@router.post(
    "/{source}/requests/{uuid:request_id}/answers",
    response=FollowAnswer,
    summary="Answer a reviewer's question",
    openapi_extra=described(AnswerBody, 400, 401, 404, 409, 411, 413, 415, 422),
    url_name="source-request-answers",
)
def answer_question(request: HttpRequest, source: str, request_id: UUID) -> FollowAnswer:
    """Answer one of `questions`; its reviewers read it at once.

    The same answer twice is answered like once, also when the request is closed by then;
    409 when the question has another answer.
    """
    sender, body = _receive(request, source)
    posted = read(AnswerBody, parse_json(body))
    row = _own(sender, public_id=request_id)
    lifecycle.answer(row.pk, posted.id, text=posted.text, answered_by=posted.answered_by or "")
    return FollowAnswer.of(_own(sender, public_id=request_id))


def _receive(request: HttpRequest, slug: str) -> tuple[Sender, bytes]:
    """The body and its proven sender; nothing in the body has been looked at yet."""
    check_envelope(request.headers)
    body = request.body
    check_length(len(body))
    return authenticate(slug, request.headers, body, now=timezone.now()), body


def _check_function(sender: Sender, new: NewRequest) -> None:
    try:
        check_function(sender.source, new.execution_arn)
    except ForeignFunction:
        slug = sender.source.slug
        log.warning("foreign_function", source=slug, execution_arn=new.execution_arn)
        raise


def _own(sender: Sender, **which: Any) -> ApprovalRequest:
    rows = ApprovalRequest.objects.filter(source=sender.source, **which)
    found = rows.select_related("delivery").defer("payload", "payload_text", "summary").first()
    if found is None:
        raise Http404
    return found


def _untrusted(request: HttpRequest, error: UntrustedMessage) -> HttpResponse:
    log.info("untrusted_message", path=request.path_info, reason=str(error))
    headers = {"WWW-Authenticate": "Bearer"}
    return problems.problem(401, "Not trusted", str(error), headers=headers)


def _malformed(request: HttpRequest, error: MalformedJson) -> HttpResponse:
    return problems.problem(400, "Not readable", str(error))


def _unacceptable(request: HttpRequest, error: Unacceptable) -> HttpResponse:
    return problems.problem(error.status, error.title, error.detail)


#: How this door's own refusals are answered; approvals.api registers them.
ANSWERS: dict[type[Exception], Any] = {
    UntrustedMessage: _untrusted,
    MalformedJson: _malformed,
    Unacceptable: _unacceptable,
}
