"""What a new request is checked against: the clock, its kind, the people; one statement.

Each part is one column of a single row, so that all of it is true at the same moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from approvals.lifecycle.new_request import NewRequest
from approvals.models import ApprovalRequest, RequestKind
from approvals.models.rights import REVIEWS_AT_SOURCE
from approvals.models.sql import Prepared, partial
from approvals.models.user import ROLES, comparable
from approvals.policy import Place


@dataclass(frozen=True, slots=True)
class Known:
    """The request that a callback ID opened before, as far as its sender is told of it."""

    source_id: int
    content_sha256: str
    request: ApprovalRequest


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may decide; GROUP_IDS: their groups among those that are required."""

    user_id: int
    identities: frozenset[str]
    group_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the database knows, at the moment AT, about a new request.

    KIND is None where there is none of that name. USERS and GROUPS (id to name) are those
    it names, else the defaults of its kind, else of its source. PEOPLE: those behind
    them and behind REQUIREMENTS who may decide at this source. WANTED_BY: whom its
    requester names mean. EXECUTION_ID: its execution's row, if it has one yet.
    """

    at: datetime
    known: Known | None
    kind: RequestKind | None
    users: dict[int, str]
    groups: dict[int, str]
    requirements: tuple[Place, ...]
    people: tuple[Person, ...]
    wanted_by: dict[int, frozenset[str]]
    execution_id: int | None


# Of a kind: what a new request takes from it.
_KIND_COLUMNS = (
    "id", "slug", "required_approvals", "on_reject", "on_timeout", "timeout_seconds",
    "due_in_seconds",
)  # fmt: skip

_KNOWN_COLUMNS = (
    "id", "public_id", "source_id", "content_sha256", "state", "answer_by", "payload_sha256",
)  # fmt: skip

# Whose names count is decided by the lowest `owner`: 0 the request itself, 1 its kind, 2 its
# source. Parts asked for twice are materialized: each is one walk along an index.
_LOOKUP = Prepared(
    f"""
WITH kind AS MATERIALIZED (
  SELECT {", ".join(_KIND_COLUMNS)} FROM approvals_requestkind WHERE slug = %(kind)s::text
), wanted_user AS MATERIALIZED (
  SELECT 0 AS owner, id, username AS name FROM approvals_user
   WHERE username = ANY(%(users)s::text[])
  UNION ALL
  SELECT 1, u.id, u.username FROM kind
    JOIN approvals_requestkind_default_users d ON d.requestkind_id = kind.id
    JOIN approvals_user u ON u.id = d.user_id WHERE NOT %(names)s::boolean
  UNION ALL
  SELECT 2, u.id, u.username FROM approvals_callbacksource_default_users d
    JOIN approvals_user u ON u.id = d.user_id
   WHERE d.callbacksource_id = %(source)s::bigint AND NOT %(names)s::boolean
), wanted_group AS MATERIALIZED (
  SELECT 0 AS owner, id, name FROM auth_group
   WHERE name = ANY(%(groups)s::text[]) AND name <> ALL(%(roles)s::text[])
  UNION ALL
  SELECT 1, g.id, g.name FROM kind
    JOIN approvals_requestkind_default_groups d ON d.requestkind_id = kind.id
    JOIN auth_group g ON g.id = d.group_id WHERE NOT %(names)s::boolean
  UNION ALL
  SELECT 2, g.id, g.name FROM approvals_callbacksource_default_groups d
    JOIN auth_group g ON g.id = d.group_id
   WHERE d.callbacksource_id = %(source)s::bigint AND NOT %(names)s::boolean
), first AS MATERIALIZED (
  SELECT min(owner) AS owner FROM
         (SELECT owner FROM wanted_user UNION ALL SELECT owner FROM wanted_group) owners
), required AS MATERIALIZED (
  SELECT r.id AS place, g.id, g.name, r.approvals FROM kind
    JOIN approvals_kindrequirement r ON r.kind_id = kind.id
    JOIN auth_group g ON g.id = r.group_id WHERE NOT %(requires)s::boolean
  UNION ALL
  SELECT array_position(%(required)s::text[], name::text), id, name, 0 FROM auth_group
   WHERE name = ANY(%(required)s::text[]) AND name <> ALL(%(roles)s::text[])
), asked AS MATERIALIZED (
  SELECT w.id FROM wanted_user w, first WHERE w.owner = first.owner
  UNION
  SELECT m.user_id FROM approvals_user_groups m
   WHERE m.group_id IN (SELECT w.id FROM wanted_group w, first WHERE w.owner = first.owner
                        UNION SELECT id FROM required)
), person AS (
  SELECT u.id, u.username, u.email, u.subject,
         ARRAY(SELECT m.group_id FROM approvals_user_groups m
                WHERE m.user_id = u.id AND m.group_id IN (SELECT id FROM required)) AS groups
    FROM asked JOIN approvals_user u ON u.id = asked.id WHERE {REVIEWS_AT_SOURCE}
), requester AS (
  SELECT id, username, email, subject FROM approvals_user
   WHERE %(wanting)s::text[] <> '{{}}'
     AND (lower(username) = ANY(%(wanting)s::text[]) OR lower(email) = ANY(%(wanting)s::text[])
          OR lower(subject) = ANY(%(wanting)s::text[]))
)
SELECT clock_timestamp(),
  (SELECT json_build_array({", ".join(_KNOWN_COLUMNS)}) FROM approvals_approvalrequest
    WHERE callback_sha256 = %(callback)s::text),
  (SELECT to_json(kind) FROM kind),
  (SELECT json_object_agg(w.id, w.name ORDER BY w.id) FROM wanted_user w, first
    WHERE w.owner = first.owner),
  (SELECT json_object_agg(w.id, w.name ORDER BY w.id) FROM wanted_group w, first
    WHERE w.owner = first.owner),
  (SELECT json_agg(json_build_array(id, name, approvals) ORDER BY place) FROM required),
  (SELECT json_agg(json_build_array(id, username, email, subject, groups) ORDER BY id)
     FROM person),
  (SELECT json_agg(json_build_array(id, username, email, subject) ORDER BY id) FROM requester),
  (SELECT id FROM approvals_execution
    WHERE source_id = %(source)s::bigint AND arn = %(arn)s::text)"""  # noqa: S608  # nosec B608
)


def look_up(source_id: int, new: NewRequest, callback_sha256: str) -> Lookup:
    """All that is known about NEW, asked by the source SOURCE_ID, in one statement."""
    required = [each["group"] for each in new.requirements]
    row = _LOOKUP.row(
        source=source_id,
        callback=callback_sha256,
        kind=new.kind,
        users=list(new.users),
        groups=list(new.groups),
        names=bool(new.users or new.groups),
        required=required,
        requires=bool(required),
        roles=list(ROLES),
        wanting=sorted(new.wanting.names()),
        arn=new.execution_arn,
    )
    assert row is not None, "a SELECT without FROM has a row"
    at, known, kind, users, groups, places, people, requesters, execution_id = row
    return Lookup(
        at=at,
        known=_known(known) if known else None,
        kind=_kind(kind) if kind else None,
        users=_names(users),
        groups=_names(groups),
        requirements=_places(places or (), new),
        people=tuple(Person(pk, comparable(*n), frozenset(g)) for pk, *n, g in people or ()),
        wanted_by={pk: comparable(*names) for pk, *names in requesters or ()},
        execution_id=execution_id,
    )


def _known(values: Sequence[Any]) -> Known:
    told = dict(zip(_KNOWN_COLUMNS, values, strict=True))
    told["public_id"] = UUID(told["public_id"])
    if told["answer_by"]:
        told["answer_by"] = datetime.fromisoformat(told["answer_by"])
    request = partial(ApprovalRequest, told)
    return Known(told["source_id"], told["content_sha256"], request)


def _kind(columns: Mapping[str, Any]) -> RequestKind:
    return partial(RequestKind, columns)


def _names(found: Mapping[str, str] | None) -> dict[int, str]:
    return {int(pk): name for pk, name in (found or {}).items()}


def _places(rows: Sequence[tuple[int, str, int]], new: NewRequest) -> tuple[Place, ...]:
    """What the kind requires, or what NEW does, with the number it says."""
    said = {each["group"]: each["approvals"] for each in new.requirements}
    return tuple(Place(pk, name, said.get(name, approvals)) for pk, name, approvals in rows)
