"""Rows for tests, made through the desk wherever the desk makes them in life."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from approvals import lifecycle
from approvals.clock import database_now
from approvals.lifecycle import NewRequest
from approvals.models import ApprovalRequest, CallbackSource, PersonalToken, RequestKind, User
from approvals.models.user import ROLES

_numbers = itertools.count(1)
_GRANTS = {"reviewer": ["review"], "operator": ["operate"], "auditor": ["audit"],
           "admin": ["operate", "audit", "administer"]}  # fmt: skip


def make_role(name: str) -> Group:
    """The role as the migration makes it (a transactional test starts on empty tables)."""
    group, _ = Group.objects.get_or_create(name=name)
    content_type = ContentType.objects.get_for_model(User)
    for codename in _GRANTS[name]:
        permission, _ = Permission.objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": codename}
        )
        group.permissions.add(permission)
    return group


def make_user(username: str = "", *, role: str = "reviewer", groups: Any = ()) -> User:
    assert role in ROLES
    username = username or f"person{next(_numbers)}"
    user = User.objects.create_user(
        username, f"{username}@example.com", "a long enough password", first_name=username.title()
    )
    user.groups.add(make_role(role), *(make_team(name) for name in groups))
    return user


def make_team(name: str = "order-desk") -> Group:
    return Group.objects.get_or_create(name=name)[0]


def make_kind(slug: str = "generic", **fields: Any) -> RequestKind:
    """A kind that holds no decision, unless FIELDS say how long (tests.conftest)."""
    defaults = {"label": slug.title(), "undo_seconds": 0}
    kind, _ = RequestKind.objects.get_or_create(slug=slug, defaults=defaults)
    for name, value in fields.items():
        setattr(kind, name, value)
    if fields:
        kind.save(update_fields=list(fields))
    return kind


def make_source(slug: str = "", **fields: Any) -> CallbackSource:
    slug = slug or f"source{next(_numbers)}"
    defaults = {"name": slug.title(), "region": "eu-north-1", "allow_local_runner": True}
    return CallbackSource.objects.create(slug=slug, **(defaults | fields))


def make_token(user: User, now: Any, *, days: int = 1) -> str:
    row, token = PersonalToken.new(user, name="test", expires_at=now + timedelta(days=days))
    row.save()
    return token


def new_request(**fields: Any) -> NewRequest:
    """A valid NewRequest; unique callback ID unless given."""
    payload = fields.pop("payload", {"total": 12})
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    fields = {
        "callback_id": f"Y2FsbGJhY2s{next(_numbers):06d}",
        "title": "Release order NO-1",
        "payload_text": text,
        "payload_sha256": digest,
        **fields,
    }
    content = repr(sorted((k, repr(v)) for k, v in fields.items()))
    fields.setdefault("content_sha256", hashlib.sha256(content.encode()).hexdigest())
    return NewRequest(**fields)


def make_request(
    *reviewers: User, source: CallbackSource | None = None, **fields: Any
) -> ApprovalRequest:
    """A pending request put before REVIEWERS (and `groups`), through the desk."""
    make_kind(fields.get("kind", "generic"))
    sent_at = fields.pop("sent_at", None)
    fields.setdefault("users", [person.username for person in reviewers])
    received = lifecycle.receive(source or make_source(), new_request(**fields), sent_at=sent_at)
    return received.request


def past_its_deadline(request: ApprovalRequest) -> ApprovalRequest:
    """REQUEST as if its answer_by had just passed, before the sweep has come by."""
    moment = database_now() - timedelta(seconds=1)
    ApprovalRequest.objects.filter(pk=request.pk).update(answer_by=moment, clock_at=moment)
    request.refresh_from_db()
    return request
