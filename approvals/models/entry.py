"""Who stands behind a token, and whether they see the one request they come for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from approvals.models.sight import sees
from approvals.models.sql import Prepared
from approvals.models.user import User

_PERSON = tuple(field.attname for field in User._meta.concrete_fields)

_ENTER = Prepared(
    f"""
SELECT t.id, t.last_used_at,
  (SELECT r.id FROM approvals_approvalrequest r
    WHERE r.public_id = %(request)s::uuid AND (u.is_superuser OR {sees("u.id")})),
  {", ".join(f'u."{name}"' for name in _PERSON)}
  FROM approvals_personaltoken t JOIN approvals_user u ON u.id = t.user_id
 WHERE t.sha256 = %(sha256)s::text AND t.revoked_at IS NULL
   AND t.expires_at > %(now)s::timestamptz AND u.is_active"""  # noqa: S608  # nosec B608
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A live token, its owner, and the request they came for: None if they see none such."""

    token_id: int
    last_used_at: datetime | None
    owner: User
    request_id: int | None


def entry_of(token_sha256: str, public_id: UUID, *, now: datetime) -> Entry | None:
    """Who comes with the token for the request PUBLIC_ID; None if the token is no live one."""
    row = _ENTER.row(sha256=token_sha256, request=public_id, now=now)
    if row is None:
        return None
    token_id, last_used_at, request_id, *person = row
    return Entry(token_id, last_used_at, User.from_db("default", _PERSON, person), request_id)
