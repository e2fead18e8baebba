"""Make a callback source and say its secrets, once."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from approvals.models import CallbackSource, SourceKey, SourceSecret

FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9-_]+")


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
        try:
            source, secret, key = _create(_source(options))
        except ValidationError as error:
            raise CommandError(" ".join(_complaints(error))) from error
        self.stderr.write(
            f"Source {source.slug} is made. Keep these two safe: they are not shown again."
        )
        self.stdout.write(f"signing_secret={secret}")
        self.stdout.write(f"api_key={key}")


def function_arns(named: list[str]) -> list[str]:
    """NAMED, if all are ARNs of functions without a version.

    Raises:
        CommandError: some are not.
    """
    if wrong := [arn for arn in named if not FUNCTION_ARN.fullmatch(arn)]:
        raise CommandError(
            f"Not a function ARN without a version: {', '.join(wrong)}. "
            "Write arn:aws:lambda:REGION:ACCOUNT:function:NAME."
        )
    return named


def _source(options: dict[str, Any]) -> CallbackSource:
    arns = function_arns(options["function_arn"])
    if not arns and not options["allow_local_runner"]:
        raise CommandError(
            "Name at least one --function-arn: a source speaks only for functions it names. "
            "Only for AWS's local runner, --allow-local-runner stands in for it."
        )
    return CallbackSource(
        slug=options["slug"],
        name=options["name"] or options["slug"],
        region=options["region"],
        endpoint_url=options["endpoint"],
        role_arn=options["role_arn"],
        external_id=options["external_id"],
        function_arns=arns,
        allow_local_runner=options["allow_local_runner"],
    )


@transaction.atomic(durable=True)
def _create(source: CallbackSource) -> tuple[CallbackSource, str, str]:
    source.full_clean()
    source.save(force_insert=True)
    secret_row, secret = SourceSecret.new(source)
    secret_row.save(force_insert=True)
    key_row, key = SourceKey.new(source)
    key_row.save(force_insert=True)
    return source, secret, key


def _complaints(error: ValidationError) -> list[str]:
    return [f"{name}: {' '.join(why)}" for name, why in error.message_dict.items()]
