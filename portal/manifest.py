"""The web manifest: with it the portal is installed on a phone as an app of its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

#: Name, sizes, type, and what the system may do with it: any; or cut its edge off (maskable).
ICONS = [
    ("mark.svg", "any", "image/svg+xml", "any"),
    ("icons/icon-192.png", "192x192", "image/png", "any"),
    ("icons/icon-512.png", "512x512", "image/png", "any"),
    ("icons/maskable-512.png", "512x512", "image/png", "maskable"),
]
#: --paper of css/tokens.css by day; a manifest knows one scheme, the pages name both.
PAPER = "#f2f0e9"


@require_safe
@cache_control(max_age=60 * 60, public=True)  # names of icons change with a release
def manifest(_request: HttpRequest) -> JsonResponse:
    """What a browser needs to install the portal; in the language of the browser."""
    return JsonResponse(_told(), content_type="application/manifest+json")


def _told() -> dict[str, Any]:
    return {
        "id": reverse("home"),
        "name": "Countersign",
        "short_name": "Countersign",
        "description": _("Requests of durable functions that wait for a person."),
        "lang": get_language() or "en",
        "start_url": reverse("approvals:queue"),
        "scope": reverse("home"),
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [
            {"src": static(name), "sizes": sizes, "type": kind, "purpose": purpose}
            for name, sizes, kind, purpose in ICONS
        ],
        "shortcuts": [
            {"name": _("Needs me"), "url": f"{reverse('approvals:queue')}?view=needs-me"},
            {"name": _("Decided by me"), "url": f"{reverse('approvals:queue')}?view=decided-by-me"},
        ],
    }
