"""Tables, one source, its team of two: python -m bench.prepare CALLBACK_API OUT

OUT receives, as JSON of mode 0600, what the bench needs to be the source and a reviewer.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.core.management import call_command

from bench.messages import FUNCTION_ARN
from portal.embedded.ground import write_private

SLUG = "orders"
TEAM = "order-desk"


def main(callback_api: str, out: Path) -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    write_private(out, json.dumps(_seed(callback_api)))


def _seed(callback_api: str) -> dict[str, str]:
    # Models can be imported only once Django is set up.
    from django.contrib.auth.models import Group  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from approvals.models import (  # noqa: PLC0415
        CallbackSource,
        PersonalToken,
        SourceSecret,
        User,
    )

    groups = [Group.objects.get_or_create(name=name)[0] for name in ("reviewer", TEAM)]
    people = [User.objects.create_user(name, f"{name}@example.com") for name in ("ada", "ben")]
    for person in people:
        person.groups.add(*groups)
    source = CallbackSource.objects.create(
        slug=SLUG,
        name="Orders",
        region="eu-north-1",
        endpoint_url=callback_api,
        function_arns=[FUNCTION_ARN],
    )
    source.default_groups.add(groups[1])
    secret_row, secret = SourceSecret.new(source)
    secret_row.save(force_insert=True)
    expires_at = timezone.now() + timedelta(days=1)
    token_row, token = PersonalToken.new(people[0], name="Bench", expires_at=expires_at)
    token_row.save(force_insert=True)
    return {"slug": SLUG, "secret": secret, "token": token}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
