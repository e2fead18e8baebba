"""Put the demo's source and people in place, and write down how to be them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from approvals.checks import is_loopback
from approvals.clock import database_now
from approvals.keyring import SealBroken
from approvals.management import demo
from portal.embedded.ground import write_private

DEFAULT_REGION = "us-west-2"  # the local runner's own


class Command(BaseCommand):
    help = (
        "Make the demo's source and people, and write their secrets to a file of mode 0600. "
        "A second run keeps what is there. Only for a portal on this machine."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--runner-endpoint", default="", help="Empty: what AWS_ENDPOINT_URL_LAMBDA says"
        )
        parser.add_argument("--out", required=True, type=Path, help="Where the secrets go (JSON)")
        parser.add_argument("--region", default=DEFAULT_REGION)

    def handle(self, *, runner_endpoint: str, out: Path, region: str, **_options: Any) -> None:
        if not is_loopback(settings.BASE_URL):
            raise CommandError(
                "BASE_URL is not an address of this machine: the demo's people belong nowhere "
                "else. Make a source with create_source and people in /admin/."
            )
        demo.seat(demo.CAST)  # hashing takes seconds: not inside a transaction
        try:
            secret = _seed(region, runner_endpoint)
        except SealBroken as error:
            raise CommandError(f"The source's secret cannot be read. {error}") from error
        write_private(out, json.dumps(_card(secret), indent=2) + "\n")


@transaction.atomic(durable=True)
def _seed(region: str, runner_endpoint: str) -> str:
    now = database_now()
    for member in demo.CAST:
        demo.give_token(member, now=now)
    demo.offer_reasons()
    return demo.open_source(region=region, runner_endpoint=runner_endpoint)


def _card(signing_secret: str) -> dict[str, Any]:
    return {
        "source": {
            "slug": demo.SOURCE_SLUG,
            "signing_secret": signing_secret,
            "api_key": demo.api_key(),
        },
        "people": [
            {
                "username": member.username,
                "password": demo.password_of(member),
                "token": demo.token_of(member),
                "role": member.role,
                "groups": list(member.teams),
            }
            for member in demo.CAST
        ],
    }
