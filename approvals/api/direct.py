"""The one address whose calls are many: it is answered without Ninja's detour.

Ninja still has the operation, for the document and for every other method; this only
spares what it would do for a body that it must not read and an answer it must not shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from approvals.api import api
from approvals.intake.api import open_request

_by_ninja = cast(
    "Callable[..., HttpResponse]",
    next(
        found.callback for found in api.urls[0] if getattr(found, "name", "") == "source-requests"
    ),
)


@csrf_exempt
def source_requests(request: HttpRequest, source: str) -> HttpResponse:
    """POST opens a request; anything else is Ninja's."""
    if request.method != "POST":
        return _by_ninja(request, source=source)
    try:
        return open_request(request, source)
    except Exception as error:  # noqa: BLE001 - worded, or raised again, as for every operation
        return api.on_exception(request, error)
