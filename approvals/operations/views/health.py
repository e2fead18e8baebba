"""The two questions a probe asks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from approvals.operations import health


@never_cache
@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers; asks nobody."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """200 if every part is fit, else 503; says which part is not, and what to do."""
    parts = health.readiness()
    fit = all(part.ok for part in parts)
    body = {
        "status": "ok" if fit else "unfit",
        "parts": {
            part.name: {"ok": part.ok} | ({"detail": part.detail} if part.detail else {})
            for part in parts
        },
    }
    return JsonResponse(body, status=200 if fit else 503)
