"""One source on its page; what a press asks to be mended or shown once stands in it too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.keeping import desk
from approvals.models import CallbackSource, SourceKey, SourceRole, SourceSecret
from approvals.models.reconcile import reconcile_paces
from approvals.operations.broken import broken_ways
from approvals.operations.settings_lists import may_keep, recent_changes
from approvals.operations.source_forms import KeyForm, RoleForm, SecretForm
from approvals.operations.views.gate import OperatorRequest

#: Ended secrets, and as many ended keys, that are still shown.
MOST_ENDED = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be copied now and never again; SECRET, KEY empty where there is none.

    FOR_EVENTS: the key is EventBridge's.
    """

    title: str
    secret: str = ""
    key: str = ""
    for_events: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """A secret or a key as the page lists it; LAST: no other is live."""

    row: SourceSecret | SourceKey
    live: bool
    last: bool


def source_page(
    request: OperatorRequest,
    source: CallbackSource,
    *,
    shown: Shown | None = None,
    secret_form: SecretForm | None = None,
    key_form: KeyForm | None = None,
    role_form: RoleForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of SOURCE, with SHOWN or with a form that came back."""
    now = timezone.now()
    keys = SourceKey.objects.filter(source=source)
    context = {
        "source": source,
        "shown": shown,
        "secret_form": secret_form or SecretForm(auto_id="secret-%s"),
        "key_form": key_form or KeyForm(auto_id="key-%s"),
        "role_form": role_form or RoleForm(auto_id="role-%s"),
        "secrets": _proofs(SourceSecret.objects.filter(source=source), now),
        "keys": _proofs(keys, now),
        "events_key": keys.live(now).filter(purpose=SourceKey.Purpose.EVENTS).exists(),
        "roles": _roles(source),
        "default_people": source.default_users.order_by("username"),
        "default_teams": source.default_groups.order_by("name"),
        "broken": broken_ways([source], now),
        "pace": next(iter(reconcile_paces(now, source=source.pk)), None),
        "waiting": source.requests.pending().count(),
        "changes": recent_changes(desk.source_subject(source.slug)),
        "may_keep": may_keep(request.user),
        "portal_url": settings.BASE_URL,
        "now": now,
        "nav": {"current": "sources"},
        "where": _("Sources"),
    }
    return render(request, "operations/source.html", context, status=status)


def _proofs(rows: Any, now: datetime) -> list[Proof]:
    """All that are live, youngest first, then those that ended lately."""
    live = list(rows.live(now).order_by("-pk"))
    ended = rows.filter(expires_at__lte=now).order_by("-expires_at", "-pk")[:MOST_ENDED]
    return [
        *(Proof(row, live=True, last=len(live) == 1) for row in live),
        *(Proof(row, live=False, last=False) for row in ended),
    ]


def _roles(source: CallbackSource) -> list[SourceRole]:
    rows = source.roles.select_related("user", "group")
    return sorted(rows, key=lambda role: (role.may, str(role.user or role.group)))
