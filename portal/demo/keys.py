"""The demo's own keys: made up the first time, kept in DATA_DIR/demo.env (0600)."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from portal.embedded.ground import write_private


def kept_keys(folder: Path) -> dict[str, str]:
    """SECRET_KEY, FIELD_KEYS and AUDIT_KEY of the demo in FOLDER.

    They must outlive a restart: rows encrypted with a key that is gone stay unreadable.
    """
    path = folder / "demo.env"
    if not path.exists():
        lines = [f"{name}={value}\n" for name, value in _new_keys().items()]
        write_private(path, "".join(lines))
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs if value}


def _new_keys() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": f"demo:{_key()}",
        "AUDIT_KEY": _key(),
    }


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
