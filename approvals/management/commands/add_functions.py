"""Let a source speak for more functions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from approvals.management.commands.create_source import function_arns
from approvals.models import CallbackSource


class Command(BaseCommand):
    help = "Name functions a source may speak for, besides those it names already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="The source's name in addresses")
        parser.add_argument("arns", nargs="+", metavar="ARN", help="Function, without a version")

    def handle(self, **options: Any) -> None:
        try:
            source = _add(options["slug"], function_arns(options["arns"]))
        except CallbackSource.DoesNotExist as missing:
            raise CommandError(f"There is no source {options['slug']}.") from missing
        self.stdout.write(f"{source.slug} speaks for:")
        for arn in source.function_arns:
            self.stdout.write(f"  {arn}")


@transaction.atomic(durable=True)
def _add(slug: str, arns: list[str]) -> CallbackSource:
    source = CallbackSource.objects.select_for_update().get(slug=slug)
    source.function_arns = list(dict.fromkeys([*source.function_arns, *arns]))
    source.save(update_fields=["function_arns"])
    return source
