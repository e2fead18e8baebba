"""Place one more order with the running demo: python -m portal.demo.order [SHAPE]."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from portal.demo.plan import ROOT, card_in, folder_from
from portal.demo.programs import place_orders

DEFAULT_SHAPE = "small"


def main() -> int:
    card = card_in(folder_from(os.environ))
    try:
        running = json.loads(card.read_text(encoding="utf-8"))
    except OSError:
        print(f"No demo runs here ({card} is not there). Start it with: make demo", file=sys.stderr)
        return 1
    shape = (sys.argv[1:] or [DEFAULT_SHAPE])[0]
    env = os.environ | {"NO_PROXY": "localhost,127.0.0.1"}
    argv = place_orders(running["runner_url"], "--shape", shape)
    return subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
