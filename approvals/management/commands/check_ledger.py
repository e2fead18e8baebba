"""Is everything that came in where it must be, and is that provable?"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from approvals.ledger import CHECKS, Check, Scope, Sums, Violation, count, snapshot

#: Of one check; how many there are in all is counted.
LISTED = 100


class Command(BaseCommand):
    help = (
        "Check that nothing was lost, doubled or changed past the portal: the sums, every "
        "request, decision, answer, heartbeat and history. Reads one moment of the database, "
        "changes nothing, and exits with 1 if something is not as it must be."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
        parser.add_argument(
            "--since",
            type=_moment,
            metavar="TIME",
            help="only requests that moved since the checkpoint before TIME "
            "(2026-11-21T04:00:00Z); the sums and all checkpoints all the same",
        )

    def handle(self, **options: Any) -> None:
        with snapshot():
            sums, scope = count(), Scope.since(options["since"])
            found = {"sums": (len(sums.violations()), sums.violations())}
            found |= {each.name: _asked(each, scope) for each in CHECKS}
        number = sum(each for each, _ in found.values())
        listed = [violation for _, few in found.values() for violation in few]
        say = self._say_json if options["json"] else self._say
        say(sums, listed, number)
        if number:
            raise CommandError(f"The ledger does not hold; violations: {number}.", returncode=1)

    def _say(self, sums: Sums, listed: list[Violation], number: int) -> None:
        for sentence in sums.sentences():
            self.stdout.write(sentence)
        for violation in listed:
            self.stderr.write(str(violation))
        if number > len(listed):
            self.stderr.write(f"… and {number - len(listed)} more; {LISTED} of each check at most.")
        if not number:
            self.stdout.write(f"The ledger holds: {len(CHECKS) + 1} checks, nothing to object.")

    def _say_json(self, sums: Sums, listed: list[Violation], number: int) -> None:
        told = [
            {"check": each.check, "where": each.where, "sentence": each.sentence} for each in listed
        ]
        answer = {"ok": not number, "sums": sums.as_json(), "count": number, "violations": told}
        self.stdout.write(json.dumps(answer, ensure_ascii=False))


def _asked(check: Check, scope: Scope) -> tuple[int, list[Violation]]:
    """How many violations CHECK finds, and the first of them."""
    number, few = 0, []
    for violation in check.run(scope):
        number += 1
        if number <= LISTED:
            few.append(violation)
    return number, few


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None or is_naive(moment):
        raise ArgumentTypeError("write a moment with its offset, as 2026-11-21T04:00:00Z")
    return moment
