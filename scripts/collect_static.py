"""Collect the assets while an image is built, where no settings are and none are needed."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The settings must be well-formed; nothing of them is used, and nothing of them is kept.
NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@localhost/none",
    "REDIS_URL": "redis://localhost/0",
    "SECRET_KEY": "not-a-secret-" * 4,
    "FIELD_KEYS": "none:" + base64.b64encode(bytes(32)).decode(),
    "AUDIT_KEY": base64.b64encode(bytes(32)).decode(),
    "ALLOWED_HOSTS": "localhost",
    "BASE_URL": "https://localhost",
}


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.update(NOWHERE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"

    import django  # noqa: PLC0415  after the settings are in place
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("collectstatic", interactive=False, clear=True, verbosity=1)


if __name__ == "__main__":
    main()
