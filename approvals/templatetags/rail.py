"""What the rail counts beside its views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from approvals.models import User
from approvals.models.queue import counts_beside
from approvals.models.rights import REVIEW

register = template.Library()


@register.simple_tag
def rail_counts(user: User, nav: Mapping[str, Any] | None) -> dict[str, Any]:
    """What waits in each view; a page that counted its own view itself (NAV) is believed."""
    if not user.rights.anywhere(REVIEW):
        return {}
    known = nav or {}
    return {**known, **counts_beside(user, but=known)}
