"""What a scraper asks."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from approvals.operations.metrics import TookTooLong, exposition


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures, to whoever holds METRICS_TOKEN; nothing is here where none is set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _holds_token(request.headers.get("Authorization", "")):
        words, headers = "Send METRICS_TOKEN as a Bearer token.\n", {"WWW-Authenticate": "Bearer"}
        return HttpResponse(words, status=401, content_type="text/plain", headers=headers)
    try:
        body, content_type = exposition(request.headers.get("Accept", ""))
    except TookTooLong:
        words = "The database did not answer in time. Look at /readyz.\n"
        return HttpResponse(words, status=503, content_type="text/plain")
    return HttpResponse(body, content_type=content_type)


def _holds_token(header: str) -> bool:
    scheme, _, token = header.partition(" ")
    right = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return right and scheme.lower() == "bearer"
