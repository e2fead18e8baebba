"""Make the demo's source and people in a Compose demo, and say how to sign in.

python scripts/seed_compose_demo.py --region us-west-2 --folder /demo
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = _parser().parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

    import django  # noqa: PLC0415  after the path is set
    from django.core.management import call_command  # noqa: PLC0415

    from portal.demo.card import read_seeded  # noqa: PLC0415
    from portal.embedded.ground import write_private  # noqa: PLC0415

    django.setup()
    card = arguments.folder / "seeded.json"
    call_command("seed_demo", region=arguments.region, out=card)
    seeded = read_seeded(card)
    write_private(arguments.folder / "source.secret", seeded["source"]["signing_secret"])
    for person in seeded["people"]:
        print(f"{person['username']:<8} {person['password']:<18} {person['role']}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Seed a demo that runs in Compose.")
    parser.add_argument("--region", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the secrets go (0600)")
    return parser


if __name__ == "__main__":
    main()
