"""What a person may do: by role everywhere, or by role at single sources.

A role is a group that carries permissions; a SourceRole gives the same word at one
source. Both are read in one statement, at the moment they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

#: The permissions of approvals.user that roles carry.
REVIEW, OPERATE, AUDIT, ADMINISTER = "review", "operate", "audit", "administer"
RIGHTS = frozenset({REVIEW, OPERATE, AUDIT, ADMINISTER})

_OF_PERSON = """
SELECT p.codename, NULL::bigint
  FROM approvals_user_groups member
  JOIN auth_group_permissions gp ON gp.group_id = member.group_id
  JOIN auth_permission p ON p.id = gp.permission_id
  JOIN django_content_type ct ON ct.id = p.content_type_id
 WHERE member.user_id = %(user)s AND ct.app_label = 'approvals' AND p.codename = ANY(%(rights)s)
UNION ALL
SELECT p.codename, NULL
  FROM approvals_user_user_permissions up
  JOIN auth_permission p ON p.id = up.permission_id
  JOIN django_content_type ct ON ct.id = p.content_type_id
 WHERE up.user_id = %(user)s AND ct.app_label = 'approvals' AND p.codename = ANY(%(rights)s)
UNION ALL
SELECT role.may, role.source_id
  FROM approvals_sourcerole role
 WHERE role.user_id = %(user)s
    OR role.group_id IN (SELECT group_id FROM approvals_user_groups WHERE user_id = %(user)s)"""

#: True where the person of the row `u` may decide what the source %(source)s asks.
REVIEWS_AT_SOURCE = """(u.is_active AND (u.is_superuser
   OR EXISTS (SELECT 1 FROM approvals_user_groups member
                JOIN auth_group_permissions gp ON gp.group_id = member.group_id
                JOIN auth_permission p ON p.id = gp.permission_id AND p.codename = 'review'
                JOIN django_content_type ct
                  ON ct.id = p.content_type_id AND ct.app_label = 'approvals'
               WHERE member.user_id = u.id)
   OR EXISTS (SELECT 1 FROM approvals_user_user_permissions up
                JOIN auth_permission p ON p.id = up.permission_id AND p.codename = 'review'
                JOIN django_content_type ct
                  ON ct.id = p.content_type_id AND ct.app_label = 'approvals'
               WHERE up.user_id = u.id)
   OR EXISTS (SELECT 1 FROM approvals_sourcerole role
               WHERE role.source_id = %(source)s AND role.may = 'review'
                 AND (role.user_id = u.id OR role.group_id IN
                      (SELECT group_id FROM approvals_user_groups WHERE user_id = u.id)))))"""

#: The same where many are asked about at once and `u.groups` holds the ids of u's groups:
#: which groups may review is found once, and who is in none of them is looked at closer.
#: TO_REVIEW stands before it in the WITH of the statement.
TO_REVIEW = """to_review AS MATERIALIZED (
  SELECT p.id FROM auth_permission p
   WHERE p.codename = 'review' AND p.content_type_id = (
         SELECT id FROM django_content_type WHERE app_label = 'approvals' AND model = 'user')
)"""
REVIEWS_AMONG_GROUPS = """(u.is_active AND (u.is_superuser
   OR u.groups && ARRAY(SELECT gp.group_id FROM auth_group_permissions gp
                         WHERE gp.permission_id = (SELECT id FROM to_review))
   OR EXISTS (SELECT 1 FROM approvals_sourcerole role
               WHERE role.source_id = %(source)s::bigint AND role.may = 'review'
                 AND (role.user_id = u.id OR role.group_id = ANY(u.groups)))
   OR EXISTS (SELECT 1 FROM approvals_user_user_permissions up
               WHERE up.user_id = u.id AND up.permission_id = (SELECT id FROM to_review))))"""


@dataclass(frozen=True, slots=True)
class Rights:
    """EVERYWHERE: rights at all sources. AT_SOURCE: further ones, by source id."""

    everywhere: frozenset[str] = frozenset()
    at_source: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def may(self, right: str, source_id: int) -> bool:
        return right in self.everywhere or right in self.at_source.get(source_id, ())

    def anywhere(self, right: str) -> bool:
        return right in self.everywhere or any(right in held for held in self.at_source.values())

    @property
    def oversees_everything(self) -> bool:
        """Sees the requests of every source."""
        return bool(self.everywhere & {OPERATE, AUDIT})

    @property
    def overseen_ids(self) -> list[int]:
        """The single sources whose requests the person sees, all of them."""
        return sorted(pk for pk, held in self.at_source.items() if held & {OPERATE, AUDIT})

    @property
    def oversees_something(self) -> bool:
        return self.oversees_everything or bool(self.overseen_ids)


def rights_of(user_id: int, *, is_active: bool, is_superuser: bool) -> Rights:
    """What the person holds now; nothing while they are inactive. One statement."""
    if not is_active:
        return Rights()
    if is_superuser:
        return Rights(everywhere=RIGHTS)
    with connection.cursor() as cursor:
        cursor.execute(_OF_PERSON, {"user": user_id, "rights": sorted(RIGHTS)})
        rows = cursor.fetchall()
    at_source: dict[int, set[str]] = {}
    for right, source_id in rows:
        if source_id is not None:
            at_source.setdefault(source_id, set()).add(right)
    return Rights(
        everywhere=frozenset(right for right, source_id in rows if source_id is None),
        at_source={pk: frozenset(held) for pk, held in at_source.items()},
    )
