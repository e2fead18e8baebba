"""The door for EventBridge: an execution changed its status.

In the order of the other door: envelope, source by its key for events, JSON, schema, the
right to speak for the function, the desk. Whoever holds that key can say how executions of
this source's functions stand, and nothing else; of one the portal does not know, nothing
is written down, so a busy account fills no table.
"""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from approvals.clock import database_now
from approvals.errors import ForeignFunction
from approvals.intake.envelope import check_envelope, check_length
from approvals.intake.event_schema import EventBody
from approvals.intake.functions import check_function
from approvals.intake.openapi import described_events
from approvals.intake.reading import read
from approvals.intake.sources import authenticate_events
from approvals.lifecycle.executions import Seen, see
from approvals.models import CallbackSource, Execution
from approvals.strict_json import parse_json

log = structlog.get_logger(__name__)
router = Router(tags=["Sources"])


@router.post(
    "/{source}/events",
    response={202: None},
    summary="Hand in an event",
    openapi_extra=described_events(EventBody, 400, 401, 403, 411, 413, 415, 422),
    url_name="source-events",
)
def take_event(request: HttpRequest, source: str) -> HttpResponse:
    """Note how an execution stands, as EventBridge's "Durable Execution Status Change" says.

    202 taken, also where no request waits for that execution, or its end was known before:
    sending it again changes nothing. One that ended takes its pending requests with it.
    """
    check_envelope(request.headers)
    body = request.body
    check_length(len(body))
    sender = authenticate_events(source, request.headers, now=timezone.now())
    event = read(EventBody, parse_json(body))
    _check_function(sender, event)
    _note(sender, event)
    return HttpResponse(status=202)


def _check_function(source: CallbackSource, event: EventBody) -> None:
    try:
        check_function(source, event.detail.arn)
    except ForeignFunction:
        log.warning("foreign_function", source=source.slug, execution_arn=event.detail.arn)
        raise


def _note(source: CallbackSource, event: EventBody) -> None:
    change = event.detail
    execution = Execution.objects.filter(source=source, arn=change.arn).first()
    is_news = False
    if execution is not None:
        seen = Seen(change.status, event.time, change.started_at, change.ended_at)
        is_news = see(execution, seen, now=database_now())
    log.info(
        "event_taken",
        source=source.slug,
        status=change.status,
        known=execution is not None,
        news=is_news,
    )
