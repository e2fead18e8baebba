"""Tables, sources and reviewers of a storm: python -m tests.chaos.prepare CALLBACK_API OUT

OUT receives, as JSON of mode 0600, what it takes to be the sources and the reviewers.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from portal.embedded.ground import write_private
from tests.chaos.callback_ids import FUNCTION_ARN

SOURCES = 6
REVIEWERS = 4
TEAM = "order-desk"


def main(callback_api: str, out: Path) -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if settings.CHAOS_WITHOUT == "fencing":
        _without_trigger()
    write_private(out, json.dumps({"sources": _sources(callback_api), "tokens": _tokens()}))


def _without_trigger() -> None:
    """The fence stands twice: in the outbox (tests/chaos/apps.py), and in the database."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER delivered_is_final ON approvals_callbackdelivery")


def _sources(callback_api: str) -> list[dict[str, str]]:
    # Models can be imported only once Django is set up.
    from django.contrib.auth.models import Group  # noqa: PLC0415

    from approvals.models import CallbackSource, SourceSecret  # noqa: PLC0415

    made = []
    for number in range(SOURCES):
        source = CallbackSource.objects.create(
            slug=f"orders-{number}",
            name=f"Orders {number}",
            region="eu-north-1",
            endpoint_url=callback_api,
            function_arns=[FUNCTION_ARN],
        )
        source.default_groups.add(Group.objects.get_or_create(name=TEAM)[0])
        row, secret = SourceSecret.new(source)
        row.save(force_insert=True)
        made.append({"slug": source.slug, "secret": secret})
    return made


def _tokens() -> dict[str, str]:
    from django.contrib.auth.models import Group  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from approvals.models import PersonalToken, User  # noqa: PLC0415

    groups = [Group.objects.get_or_create(name=name)[0] for name in ("reviewer", TEAM)]
    expires_at = timezone.now() + timedelta(days=2)
    tokens: dict[str, Any] = {}
    for number in range(REVIEWERS):
        name = f"reviewer-{number}"
        # One of them reads mail: with more, a storm would be mostly about mails.
        address = "" if number else f"{name}@example.com"
        person = User.objects.create_user(name, address)
        person.groups.add(*groups)
        row, tokens[name] = PersonalToken.new(person, name="Storm", expires_at=expires_at)
        row.save(force_insert=True)
    return tokens


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
