"""Statements of our own: texts with named placeholders, as Django's expressions take them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

#: SQL with a %s for each value, and the values in their order.
Statement: TypeAlias = "tuple[str, list[Any]]"


def positional(sql: str, values: Mapping[str, Any]) -> Statement:
    """SQL with named placeholders (`%(user)s`) and VALUES, bound by place."""
    names = re.findall(r"%\((\w+)\)s", sql)
    return re.sub(r"%\(\w+\)s", "%s", sql), [values[name] for name in names]
