"""Whether the portal is well, for a container's health check: exit status 0 or 1.

    python scripts/healthcheck.py                        # this web process answers
    python scripts/healthcheck.py worker http://web:8000 # a worker's sweeps end
    python scripts/healthcheck.py beat http://web:8000   # beat rings

Standard library only, so that asking every few seconds costs next to nothing. A worker
counts as alive when its sweeps end, which the database knows and `/readyz` tells.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from typing import Any
from urllib.parse import urlsplit

HERE = "http://127.0.0.1:8000"
SECONDS = 4


def main(part: str = "", address: str = HERE) -> int:
    try:
        status, body = _get(address, "/readyz" if part else "/healthz")
        well, why = _part(body, part) if part else (status == http.HTTPStatus.OK, str(status))
    except (OSError, http.client.HTTPException, ValueError) as error:
        well, why = False, f"{address} does not answer: {type(error).__name__}"
    print("well" if well else why)
    return 0 if well else 1


def _get(address: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
    try:
        # The portal answers under its own name only (ALLOWED_HOSTS).
        connection.request("GET", path, headers={"Host": urlsplit(os.environ["BASE_URL"]).netloc})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _part(body: bytes, name: str) -> tuple[bool, str]:
    parts: dict[str, dict[str, Any]] = json.loads(body).get("parts", {})
    part = parts.get(name, {"ok": False, "detail": f"/readyz says nothing of {name}."})
    return bool(part["ok"]), str(part.get("detail", ""))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
