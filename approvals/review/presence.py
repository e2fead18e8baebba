"""Who else has a request open: advice, kept in the cache alone, and gone by itself.

A claim says "I am on it" and is written down; this only says whose page looked a moment ago.
Two who look in the same instant may miss each other until the next look. While Redis is away
a process knows only of those it answers itself.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache

from approvals.models import User

#: A page looks every five seconds: four looks missed, and somebody has left.
STAYS = timedelta(seconds=20)


def look(public_id: UUID, user: User, now: datetime) -> list[str]:
    """Note that USER looks at the request, and name the others who do."""
    others = _others(public_id, user, now)
    there = others | {str(user.pk): (user.display_name, now.timestamp())}
    cache.set(_key(public_id), json.dumps(there), STAYS.total_seconds())
    return _names(others)


def others_at(public_id: UUID, user: User, now: datetime) -> list[str]:
    """The names of those who look at the request beside USER, in the order of the alphabet."""
    return _names(_others(public_id, user, now))


def _key(public_id: UUID) -> str:
    return f"looks-at:{public_id}"


def _others(public_id: UUID, user: User, now: datetime) -> dict[str, tuple[str, float]]:
    there = json.loads(cache.get(_key(public_id)) or "{}")
    since = (now - STAYS).timestamp()
    return {
        person: (name, at)
        for person, (name, at) in there.items()
        if at > since and person != str(user.pk)
    }


def _names(people: dict[str, tuple[str, float]]) -> list[str]:
    return sorted(name for name, _ in people.values())
