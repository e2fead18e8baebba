"""Make a callback source and say its secrets, once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals import keeping
from approvals.errors import InvalidFields
from approvals.keeping import SourceFields


class Command(BaseCommand):
    help = "Make a source of callback IDs; its signing secret and API key are shown only now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="Its name in addresses: lower case, digits, hyphens")
        parser.add_argument("--name", help="Its name for people; the slug unless given")
        parser.add_argument("--region", required=True, help="AWS region of its functions")
        parser.add_argument("--endpoint", default="", help="Another Lambda endpoint than AWS's")
        parser.add_argument("--role-arn", default="", help="Role to assume for its callbacks")
        parser.add_argument("--external-id", default="", help="External ID for that role")
        parser.add_argument(
            "--function-arn",
            action="append",
            default=[],
            metavar="ARN",
            help="Function it may speak for, without a version; may be repeated",
        )
        parser.add_argument(
            "--allow-local-runner",
            action="store_true",
            help="Accept the execution names of AWS's local runner",
        )

    def handle(self, **options: Any) -> None:
        if not options["function_arn"] and not options["allow_local_runner"]:
            raise CommandError(
                "Name at least one --function-arn: a source speaks only for functions it names. "
                "Only for AWS's local runner, --allow-local-runner stands in for it."
            )
        try:
            made = keeping.make_source(options["slug"], _fields(options), admin=None)
        except InvalidFields as refusal:
            complaints = (f"{name}: {why}" for name, why in refusal.fields.items())
            raise CommandError(" ".join(complaints)) from refusal
        self.stderr.write(
            f"Source {made.source.slug} is made. Keep these two safe: they are not shown again."
        )
        self.stdout.write(f"signing_secret={made.secret}")
        self.stdout.write(f"api_key={made.key}")


def _fields(options: dict[str, Any]) -> SourceFields:
    return SourceFields(
        name=options["name"] or options["slug"],
        region=options["region"],
        endpoint_url=options["endpoint"],
        role_arn=options["role_arn"],
        external_id=options["external_id"],
        function_arns=options["function_arn"],
        allow_local_runner=options["allow_local_runner"],
    )
