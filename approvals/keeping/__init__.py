"""The desk of what admins keep: sources with their secrets and roles, and kinds.

Each verb is one durable transaction: it locks the row first, asks the database whether
the admin still is one, checks, writes, and adds a line to the row's history. `admin`
None is a command at the server. Requests that are open stay as they were received.
"""

from __future__ import annotations

from approvals.keeping.kinds import KindFields, change_kind, make_kind
from approvals.keeping.roles import give_role, take_role
from approvals.keeping.secrets import Overlap, end_key, end_secret, make_key, make_secret
from approvals.keeping.sources import (
    SourceFields,
    add_functions,
    change_source,
    disable_source,
    enable_source,
    make_source,
)

__all__ = [
    "KindFields",
    "Overlap",
    "SourceFields",
    "add_functions",
    "change_kind",
    "change_source",
    "disable_source",
    "enable_source",
    "end_key",
    "end_secret",
    "give_role",
    "make_key",
    "make_kind",
    "make_secret",
    "make_source",
    "take_role",
]
