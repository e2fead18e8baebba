"""What a list can be filtered by: only what is in it, as no one is told of other sources."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from approvals.models.filter import WINDOW
from approvals.models.queue import Walk

Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facets:
    """(slug, label) of the kinds and sources among the nearest WINDOW of a list."""

    kinds: list[Choice]
    sources: list[Choice]


def facets_of(walk: Walk) -> Facets:
    """One statement, whatever WALK is narrowed to."""
    near, values = walk.nearest(WINDOW)
    sql = f"""
      SELECT DISTINCT k.slug, k.label, s.slug, s.name FROM ({near}) a
        JOIN approvals_approvalrequest r ON r.id = a.request_id
        JOIN approvals_requestkind k ON k.id = r.kind_id
        JOIN approvals_callbacksource s ON s.id = r.source_id"""  # noqa: S608  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    return Facets(
        kinds=sorted({(slug, label) for slug, label, _, _ in rows}),
        sources=sorted({(slug, name) for _, _, slug, name in rows}),
    )
