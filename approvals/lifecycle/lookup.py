"""What a new request is checked against: the clock, its kind, the people; one statement.

Each part is one column of a single row, so that all of it is true at the same moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from approvals.lifecycle.new_request import NewRequest
from approvals.models import ApprovalRequest, RequestKind
from approvals.models.rights import REVIEWS_AMONG_GROUPS, TO_REVIEW
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

# Whom it asks and requires: the ids. A request that names nobody asks its kind's people, or
# its source's if its kind has none; a part that is not asked for is not in the text at all.
_NAMED = """
wanted AS MATERIALIZED (
  SELECT ARRAY(SELECT id FROM approvals_user WHERE username = ANY(%(users)s::text[])) AS users,
         ARRAY(SELECT id FROM auth_group WHERE name = ANY(%(groups)s::text[])
                  AND name <> ALL(%(roles)s::text[])) AS groups
)"""

_BY_DEFAULT = """
own AS MATERIALIZED (
  SELECT ARRAY(SELECT user_id FROM approvals_requestkind_default_users
                WHERE requestkind_id = kind.id) AS users,
         ARRAY(SELECT group_id FROM approvals_requestkind_default_groups
                WHERE requestkind_id = kind.id) AS groups
    FROM kind
), wanted AS MATERIALIZED (
  SELECT CASE WHEN theirs THEN users ELSE
           ARRAY(SELECT user_id FROM approvals_callbacksource_default_users
                  WHERE callbacksource_id = %(source)s::bigint) END AS users,
         CASE WHEN theirs THEN groups ELSE
           ARRAY(SELECT group_id FROM approvals_callbacksource_default_groups
                  WHERE callbacksource_id = %(source)s::bigint) END AS groups
    FROM (SELECT users, groups, users <> '{}' OR groups <> '{}' AS theirs FROM own) own
)"""

_REQUIRED_BY_REQUEST = """
required AS MATERIALIZED (
  SELECT array_position(%(required)s::text[], name::text) AS place, id, name, 0 AS approvals
    FROM auth_group
   WHERE name = ANY(%(required)s::text[]) AND name <> ALL(%(roles)s::text[])
)"""

_REQUIRED_BY_KIND = """
required AS MATERIALIZED (
  SELECT r.id AS place, g.id, g.name, r.approvals FROM approvals_kindrequirement r
    JOIN auth_group g ON g.id = r.group_id WHERE r.kind_id = (SELECT id FROM kind)
)"""

_EXECUTION = """(SELECT id FROM approvals_execution
    WHERE source_id = %(source)s::bigint AND arn = %(arn)s::text)"""

_REQUESTERS = """(SELECT json_agg(json_build_array(id, username, email, subject))
     FROM approvals_user
    WHERE lower(username) = ANY(%(wanting)s::text[]) OR lower(email) = ANY(%(wanting)s::text[])
       OR lower(subject) = ANY(%(wanting)s::text[]))"""


@cache
def _lookup(*, names: bool, requires: bool, wanting: bool, arn: bool) -> Prepared:
    """The statement for a request that names people, required groups, and so on, or not."""
    return Prepared(
        f"""
WITH kind AS MATERIALIZED (
  SELECT {", ".join(_KIND_COLUMNS)} FROM approvals_requestkind WHERE slug = %(kind)s::text
), {TO_REVIEW}, {_NAMED if names else _BY_DEFAULT},
{_REQUIRED_BY_REQUEST if requires else _REQUIRED_BY_KIND}
SELECT clock_timestamp(),
  (SELECT json_build_array({", ".join(_KNOWN_COLUMNS)}) FROM approvals_approvalrequest
    WHERE callback_sha256 = %(callback)s::text),
  (SELECT json_build_array({", ".join(_KIND_COLUMNS)}) FROM kind),
  (SELECT json_agg(json_build_array(id, username)) FROM approvals_user
    WHERE id = ANY((SELECT users FROM wanted)::bigint[])),
  (SELECT json_agg(json_build_array(id, name)) FROM auth_group
    WHERE id = ANY((SELECT groups FROM wanted)::integer[])),
  (SELECT json_agg(json_build_array(place, id, name, approvals)) FROM required),
  (SELECT json_agg(json_build_array(u.id, u.username, u.email, u.subject, u.groups))
     FROM (SELECT u.*, ARRAY(SELECT m.group_id FROM approvals_user_groups m
                              WHERE m.user_id = u.id) AS groups
             FROM approvals_user u
            WHERE u.id = ANY((SELECT users FROM wanted)::bigint[] || ARRAY(
                  SELECT m.user_id FROM approvals_user_groups m WHERE m.group_id = ANY(
                    (SELECT groups FROM wanted)::integer[] || ARRAY(SELECT id FROM required))))
           OFFSET 0) u
    WHERE {REVIEWS_AMONG_GROUPS}),
  {_REQUESTERS if wanting else "NULL"},
  {_EXECUTION if arn else "NULL"}"""  # noqa: S608  # nosec B608
    )


def look_up(source_id: int, new: NewRequest, callback_sha256: str) -> Lookup:
    """All that is known about NEW, asked by the source SOURCE_ID, in one statement."""
    required = [each["group"] for each in new.requirements]
    wanting = sorted(new.wanting.names())
    statement = _lookup(
        names=bool(new.users or new.groups),
        requires=bool(required),
        wanting=bool(wanting),
        arn=bool(new.execution_arn),
    )
    row = statement.row(
        source=source_id,
        callback=callback_sha256,
        kind=new.kind,
        users=list(new.users),
        groups=list(new.groups),
        required=required,
        roles=list(ROLES),
        wanting=wanting,
        arn=new.execution_arn,
    )
    assert row is not None, "a SELECT without FROM has a row"
    at, known, kind, users, groups, places, people, requesters, execution_id = row
    places = _places(places or (), new)
    return Lookup(
        at=at,
        known=_known(known) if known else None,
        kind=partial(RequestKind, dict(zip(_KIND_COLUMNS, kind, strict=True))) if kind else None,
        users=dict(sorted(users or ())),
        groups=dict(sorted(groups or ())),
        requirements=places,
        people=_people(people or (), places),
        wanted_by={pk: comparable(*names) for pk, *names in sorted(requesters or ())},
        execution_id=execution_id,
    )


def _known(values: Sequence[Any]) -> Known:
    told = dict(zip(_KNOWN_COLUMNS, values, strict=True))
    told["public_id"] = UUID(told["public_id"])
    if told["answer_by"]:
        told["answer_by"] = datetime.fromisoformat(told["answer_by"])
    request = partial(ApprovalRequest, told)
    return Known(told["source_id"], told["content_sha256"], request)


def _people(rows: Sequence[Any], places: Sequence[Place]) -> tuple[Person, ...]:
    required = {place.group_id for place in places if place.group_id}
    return tuple(
        Person(pk, comparable(*names), frozenset(required.intersection(groups)))
        for pk, *names, groups in sorted(rows)
    )


def _places(rows: Sequence[Any], new: NewRequest) -> tuple[Place, ...]:
    """What the kind requires, or what NEW does, with the number it says."""
    said = {each["group"]: each["approvals"] for each in new.requirements}
    return tuple(
        Place(pk, name, said.get(name, approvals)) for _, pk, name, approvals in sorted(rows)
    )
