"""Rows on their way into a statement that writes several of them.

A row travels as JSON and takes the types of its table, so that a statement has few
values, always of the same types, and its plan is kept (models.sql).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models


@cache
def columns_of(model: type[models.Model]) -> dict[str, str]:
    """Column to attribute, of all but the key."""
    fields = model._meta.concrete_fields
    return {f.column or f.name: f.attname for f in fields if not f.primary_key}


def listed(names: list[str], table: str = "") -> str:
    return ", ".join(f'{table}"{name}"' for name in names)


def row_of(instance: models.Model) -> dict[str, Any]:
    """INSTANCE's columns and values, but for its key."""
    columns = columns_of(type(instance))
    return {column: getattr(instance, attribute) for column, attribute in columns.items()}


def as_json(value: Any) -> str:
    return _JSON.encode(value)


def as_array(ids: Iterable[int]) -> str:
    """IDS as PostgreSQL reads an array; a list's type would change with its largest number."""
    return "{" + ",".join(map(str, ids)) + "}"


def _as_text(value: Any) -> str:
    """What JSON has no word for, as PostgreSQL reads it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"{type(value).__name__} is no value of a column.")


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_as_text)
