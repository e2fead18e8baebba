"""Statements of our own: texts with named placeholders, as Django's expressions take them.

`Prepared` is for the few that every message or decision asks: PostgreSQL plans them once
for each connection instead of each time, which costs more than running them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper

Row = TypeVar("Row", bound=models.Model)

#: SQL with a %s for each value, and the values in their order.
Statement: TypeAlias = "tuple[str, list[Any]]"

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def positional(sql: str, values: Mapping[str, Any]) -> Statement:
    """SQL with named placeholders (`%(user)s`) and VALUES, bound by place."""
    return _PLACEHOLDER.sub("%s", sql), [values[name] for name in _PLACEHOLDER.findall(sql)]


class Prepared:
    """A statement whose values travel apart from its text, so that its plan can be kept.

    Whether plans are kept is PREPARED_STATEMENTS' to say (portal.settings); the answers
    are the same. Values keep one type each, as the type is part of what is kept: give
    integers a cast (`%(id)s::bigint`) where PostgreSQL cannot tell.
    """

    def __init__(self, sql: str) -> None:
        self._names = _PLACEHOLDER.findall(sql)
        # psycopg remembers how a text of up to 4,096 characters is cut: no idle spaces.
        self._text = re.sub(r"\s+", " ", _PLACEHOLDER.sub("%s", sql)).strip()

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it with VALUES by name; all rows it returns."""
        bound = [values[name] for name in self._names]
        try:
            return self._run(bound)
        except NotSupportedError:
            # A migration changed a column, and with it what a kept plan returns: nothing was
            # executed. The connection, and all its plans, are of no more use.
            database = connections[DEFAULT_DB_ALIAS]
            if database.in_atomic_block:
                database.close_at = 0  # when this request ends
                raise
            database.close()
        return self._run(bound)

    def _run(self, bound: list[Any]) -> list[tuple[Any, ...]]:
        with _bound_cursor() as cursor:
            cursor.execute(self._text, bound)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def row(self, **values: Any) -> tuple[Any, ...] | None:
        """Its first row; None if there is none."""
        found = self.rows(**values)
        return found[0] if found else None


def partial(model: type[Row], columns: Mapping[str, Any]) -> Row:
    """A row of MODEL of which only COLUMNS (by attribute) were read, as `only()` makes it."""
    names = [f.attname for f in model._meta.concrete_fields if f.attname in columns]
    return model.from_db("default", names, [columns[name] for name in names])


def _bound_cursor() -> CursorWrapper:
    # What connection.cursor() does, with the cursor that leaves the values to the server;
    # Django offers that for all statements of a connection or for none.
    database: Any = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    with database.wrap_database_errors:
        bound: Any = ServerBindingCursor
        wrapped: CursorWrapper = database._prepare_cursor(bound(database.connection))
    return wrapped
