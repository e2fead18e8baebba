"""Let a source speak for more functions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals import keeping
from approvals.errors import InvalidFields
from approvals.models import CallbackSource


class Command(BaseCommand):
    help = "Name functions a source may speak for, besides those it names already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="The source's name in addresses")
        parser.add_argument("arns", nargs="+", metavar="ARN", help="Function, without a version")

    def handle(self, **options: Any) -> None:
        try:
            source = keeping.add_functions(options["slug"], options["arns"], admin=None)
        except CallbackSource.DoesNotExist as missing:
            raise CommandError(f"There is no source {options['slug']}.") from missing
        except InvalidFields as refusal:
            raise CommandError(" ".join(refusal.fields.values())) from refusal
        self.stdout.write(f"{source.slug} speaks for:")
        for arn in source.function_arns:
            self.stdout.write(f"  {arn}")
