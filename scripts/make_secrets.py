"""Make what docker-compose.yml needs: ./secrets (0600) and .env. Standard library only.

    python scripts/make_secrets.py --base-url https://approvals.example.com
    python scripts/make_secrets.py --demo

Whatever is there is kept: rows sealed with a key that is gone stay unreadable. Run as
root, the files are given to the image's own user; else the containers run as you.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
#: The user of the image (Dockerfile).
IMAGE_USER = 10001
DEMO_URL = "http://127.0.0.1:8000"
#: Containers of the demo reach the portal by its name there.
DEMO_HOSTS = "127.0.0.1,localhost,web"
DEMO_AWS = {
    "AWS_ENDPOINT_URL_LAMBDA": "http://runner:9014",
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_EC2_METADATA_DISABLED": "true",
}

NO_AWS = "# What the worker's AWS client reads: AWS_REGION, AWS_ACCESS_KEY_ID, ...\n"


def main() -> int:
    arguments = _parser().parse_args()
    folder: Path = arguments.folder
    base_url = DEMO_URL if arguments.demo else arguments.base_url
    if not arguments.demo and urlsplit(base_url or "").scheme != "https":
        print("Name the address people open: --base-url https://…, or say --demo.", file=sys.stderr)
        return 2
    (folder / "secrets").mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [
        path for path, text in _texts(folder, base_url, demo=arguments.demo) if _made(path, text)
    ]
    for path in made:
        print(f"made {path.relative_to(folder)}")
    print("Keep a copy of ./secrets apart from the backups." if made else "All is there already.")
    return 0


def _texts(folder: Path, base_url: str, *, demo: bool) -> list[tuple[Path, str]]:
    """Every file and what goes into it if it is missing."""
    kept = folder / "secrets"
    password = _kept_or_new(kept / "postgres_password")
    broker = _kept_or_new(kept / "valkey_password")
    texts = {
        kept / "postgres_password": password,
        kept / "valkey_password": broker,
        kept / "valkey.conf": _valkey_conf(broker),
        kept / "database_url": f"postgresql://countersign:{password}@postgres:5432/countersign",
        kept / "redis_url": f"redis://:{broker}@valkey:6379/0",
        kept / "secret_key": secrets.token_urlsafe(64),
        kept / "secret_key_fallbacks": "",
        kept / "field_keys": f"k1:{_key()}",
        kept / "audit_key": _key(),
        kept / "email_url": "console:",
        folder / ".env": _dotenv(base_url, demo=demo),
        folder / "aws.env": _lines(DEMO_AWS) if demo else NO_AWS,
    }
    return list(texts.items())


def _dotenv(base_url: str, *, demo: bool) -> str:
    user = f"{IMAGE_USER}:{IMAGE_USER}" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"
    return _lines(
        {
            "BASE_URL": base_url.rstrip("/"),
            "ALLOWED_HOSTS": DEMO_HOSTS if demo else urlsplit(base_url).hostname or "",
            "BEHIND_PROXY": "false" if demo else "true",
            "INSECURE_HTTP": "true" if demo else "false",
            "COUNTERSIGN_USER": user,
        }
    )


def _valkey_conf(password: str) -> str:
    """A broker that keeps nothing: bells may be lost. The probe may only ask for a PONG."""
    return (
        "bind * -::*\n"
        "port 6379\n"
        'save ""\n'
        "appendonly no\n"
        "dir /tmp\n"
        "maxmemory 256mb\n"
        "maxmemory-policy noeviction\n"
        f"user default on >{password} ~* &* +@all -@admin\n"
        "user probe on nopass resetkeys -@all +ping\n"
    )


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _kept_or_new(path: Path) -> str:
    return path.read_text(encoding="ascii") if path.exists() else secrets.token_urlsafe(32)


def _made(path: Path, text: str) -> bool:
    """Write TEXT to PATH, readable by its owner alone, unless PATH is there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    if os.geteuid() == 0:
        os.chown(path, IMAGE_USER, IMAGE_USER)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make ./secrets and .env for Compose.")
    parser.add_argument("--base-url", help="the https address people open")
    parser.add_argument("--demo", action="store_true", help=f"for a demo at {DEMO_URL}")
    parser.add_argument("--folder", type=Path, default=ROOT, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
