"""The API for reviewers' programs: the same requests, behind the same gate as the pages."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router, Status
from pydantic import BaseModel, Field

from approvals import lifecycle, problems
from approvals.canonical import canonical_json, with_tokens
from approvals.errors import InvalidFields, NotAReviewer
from approvals.models import ApprovalRequest, AuditEvent, User
from approvals.models.archive import visible_page
from approvals.models.listing import ListPage, Place
from approvals.models.queue import Walk, pending_page
from approvals.models.rights import AUDIT, OPERATE
from approvals.openapi import SAFE, documented
from approvals.review.body import CommentBody, DecisionBody, Unreadable, read_comment, read_decision
from approvals.review.cursors import from_cursor, to_cursor
from approvals.review.page import find
from approvals.review.schemas import AuditLine, AuditOut, CommentedOut, Detail, Item, Listing, Whole
from approvals.review.token_auth import (
    PersonalTokenAuth,
    TokenRequest,
    Unauthenticated,
    unauthenticated,
)
from approvals.states import Channel, RequestState


def _posted(body: type[BaseModel], *refusals: int, again: str = SAFE) -> dict[str, Any]:
    """`openapi_extra` of an operation that reads BODY and may refuse with REFUSALS."""
    schema = {"application/json": {"schema": body.model_json_schema()}}
    return {
        "requestBody": {"required": True, "content": schema},
        "responses": documented(*refusals, again=again),
    }


_COMMENT_REFUSALS = (400, 401, 403, 404, 409, 413, 415, 422)

router = Router(tags=["Requests"], auth=PersonalTokenAuth())


@router.get(
    "",
    response=Listing,
    summary="List requests",
    url_name="requests",
    openapi_extra={"responses": documented(401, 422)},
)
def list_requests(
    request: TokenRequest,
    state: RequestState | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    cursor: str = "",
) -> Listing:
    """What the token's owner may see: pending by deadline, all others youngest first."""
    page = _page(request.auth, state, _place(cursor), limit)
    now = timezone.now()
    return Listing(
        items=[Item.of(row, now) for row in page.rows],
        next=_next_url(state, limit, page.next),
        count=page.count,
        count_capped=page.count_capped,
    )


@router.get(
    "/{uuid:public_id}",
    response=Whole,
    summary="Look at a request",
    url_name="request",
    openapi_extra={"responses": documented(401, 404)},
)
def show_request(request: TokenRequest, public_id: UUID) -> HttpResponse:
    """One request; numbers of its payload are the sender's own, digit for digit."""
    return _detail(find(request.auth, public_id))


@router.post(
    "/{uuid:public_id}/comments",
    response={201: CommentedOut},
    summary="Comment on a request, or ask its source",
    url_name="comments",
    openapi_extra=_posted(
        CommentBody, *_COMMENT_REFUSALS, again="it may be written: read the thread first"
    ),
)
def comment(request: TokenRequest, public_id: UUID) -> Status[CommentedOut]:
    """201 said; 403 seen but read-only (auditors), 409 a question that came too late.

    Who is mentioned and may see the request is told by mail; `not_told` names the others.
    """
    approval = find(request.auth, public_id)
    posted = read_comment(request)
    done = lifecycle.comment(
        approval.pk, author=request.auth, text=posted.text, asks_requester=posted.ask_requester
    )
    return Status(201, CommentedOut.after(done))


@router.post(
    "/{uuid:public_id}/decision",
    response=Detail,
    summary="Decide a request",
    url_name="decision",
    openapi_extra=_posted(DecisionBody, 400, 401, 403, 404, 409, 413, 415, 422),
)
def decide(request: TokenRequest, public_id: UUID) -> HttpResponse:
    """Approve or reject: 200 decided, held or vote recorded, 409 closed, by whom and when.

    403 seen but not allowed (four eyes, not asked), 404 not seen.
    """
    if request.seen is None:
        raise Http404
    posted = read_decision(request)
    done = lifecycle.decide(
        request.seen,
        verdict=posted.word,
        reviewer=request.auth,
        channel=Channel.API,
        comment=posted.comment,
        values=posted.values,
        edits=posted.edits,
        held=posted.hold,
    )
    return _answer(Detail.after(done, timezone.now()), done.decision.request)


@router.post(
    "/{uuid:public_id}/undo",
    response=Detail,
    summary="Take a decision back",
    url_name="undo",
    openapi_extra={"responses": documented(401, 403, 404, 409)},
)
def undo(request: TokenRequest, public_id: UUID) -> HttpResponse:
    """Take back a decision that is held, or a vote as long as one could be: 409 too late.

    403 somebody else's decision, 404 not seen. Nothing is posted.
    """
    approval = find(request.auth, public_id)
    lifecycle.undo(approval.pk, reviewer=request.auth)
    return _detail(find(request.auth, public_id))


@router.get(
    "/{uuid:public_id}/audit",
    response=AuditOut,
    summary="Read a request's history",
    url_name="audit",
    openapi_extra={"responses": documented(401, 403, 404)},
)
def read_audit(request: TokenRequest, public_id: UUID) -> AuditOut:
    """Every line of a request's history, and whether its seals hold; operators, auditors."""
    approval = find(request.auth, public_id)
    rights = request.auth.rights
    if not any(rights.may(right, approval.source_id) for right in (OPERATE, AUDIT)):
        raise NotAReviewer("Only operators and auditors read the audit of a request.")
    events = approval.history.order_by("seq")
    return AuditOut(
        items=[AuditLine.of(event) for event in events],
        broken_at=AuditEvent.objects.broken_at(approval),
    )


def _page(user: User, state: RequestState | None, after: Place | None, limit: int) -> ListPage:
    if state is RequestState.PENDING:
        return pending_page(Walk.visible_to(user), after=after, size=limit)
    return visible_page(user, state=state.value if state else "", after=after, size=limit)


def _place(cursor: str) -> Place | None:
    try:
        return from_cursor(cursor)
    except ValueError as error:
        raise InvalidFields({"cursor": f"{error} Take it from `next`."}) from error


def _next_url(state: RequestState | None, limit: int, place: Place | None) -> str | None:
    if place is None:
        return None
    query: dict[str, Any] = {"state": state.value} if state else {}
    query |= {"limit": limit, "cursor": to_cursor(place)}
    return f"{settings.BASE_URL}{reverse('approvals:api:requests')}?{urlencode(query)}"


def _detail(request: ApprovalRequest) -> HttpResponse:
    return _answer(Whole.of(request, timezone.now()), request)


def _answer(detail: Detail, request: ApprovalRequest) -> HttpResponse:
    facts = detail.model_dump(mode="json")
    # As they were written, digit for digit.
    facts["payload"] = with_tokens(request.payload_text)
    for told, decision in zip(facts["decisions"], detail.decisions, strict=True):
        told["edits"] = decision.edits
    return HttpResponse(canonical_json(facts), content_type="application/json; charset=utf-8")


def _unreadable(request: HttpRequest, error: Unreadable) -> HttpResponse:
    return problems.problem(error.status, error.title, error.detail)


#: How this door's own refusals are answered; approvals.api registers them.
ANSWERS: dict[type[Exception], Any] = {
    Unauthenticated: unauthenticated,
    Unreadable: _unreadable,
}
