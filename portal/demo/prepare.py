"""Tables, assets and people, in one process: starting Django is most of the work.

python -m portal.demo.prepare --region NAME --out FILE
"""

from __future__ import annotations

import argparse

import django
from django.core.management import call_command


def main() -> None:
    arguments = _parser().parse_args()
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    call_command(
        "seed_demo",
        *("--region", arguments.region),
        *("--out", arguments.out),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Prepare the demo's database and assets.")
    parser.add_argument("--region", required=True)
    parser.add_argument("--out", required=True, help="where the seed writes its secrets")
    return parser


if __name__ == "__main__":
    main()
