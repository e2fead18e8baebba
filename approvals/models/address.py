"""Where the page of a request is. A list names fifty of them, every receipt one."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from django.urls import get_script_prefix, reverse


def page_path(public_id: UUID) -> str:
    """The path of the page of the request PUBLIC_ID."""
    before, after = _around_id(get_script_prefix())
    return f"{before}{public_id}{after}"


@cache
def _around_id(_script_prefix: str) -> tuple[str, str]:
    """What stands before and behind the id in that path, looked up once."""
    nil = UUID(int=0)
    before, _, after = reverse("approvals:request", args=[nil]).partition(str(nil))
    return before, after
