"""How much waits in each view, counted beside its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection

from approvals.models.filter import WINDOW
from approvals.models.queue import MY_TEAMS, NEEDS_ME, Walk, walk_of
from approvals.models.user import User

#: Counts beside the names of views are exact up to here.
BESIDE = 99


def counts_beside(
    user: User, *, but: Collection[str] = (), also: Mapping[str, Walk] | None = None
) -> dict[str, str]:
    """How much waits in each view of the queue, for the rail: "7", or "99+" at most.

    One statement of the walks the views themselves take, so a number and its list agree. BUT:
    views that were counted already. ALSO: what else is to be counted, by a name of its own.
    """
    views = {"needs_me": walk_of(NEEDS_ME, user), "my_teams": walk_of(MY_TEAMS, user)}
    walks = {name: walk for name, walk in views.items() if name not in but} | dict(also or {})
    if not walks:
        return {}
    texts, values = [], []
    for walk in walks.values():
        sql, bound = walk.statement(BESIDE + 1, WINDOW)
        texts.append(f"(SELECT count(*) FROM ({sql}) walked)")  # noqa: S608  # nosec B608
        values += bound
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(texts)}", values)  # nosec B608
        found = cursor.fetchone()
    return {
        name: f"{BESIDE}+" if count > BESIDE else str(count or "")
        for name, count in zip(walks, found, strict=True)
    }
